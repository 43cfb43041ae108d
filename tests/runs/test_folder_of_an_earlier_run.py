"""A folder that holds what a run has found out is given to no other run."""

import shutil

import pytest
from program import TINY, run_program

import uncial
from uncial.errors import UserError
from uncial.runs.results import RESULTS, check_no_results

SHORT = (*TINY, "trainer.max_steps=2", "trainer.validations=1", "trainer.batch_width=1000", "callbacks.samples=0")


@pytest.fixture
def earlier(trained, tmp_path):
    """The folder of a finished training, as it may be changed."""
    shutil.copytree(trained.folder, tmp_path / "run")
    return tmp_path / "run"


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("task", ["train", "test", "predict", "leaderboard", "compare"])
def test_what_is_there_stays_whatever_the_task(earlier, drawn, task):
    before = contents(earlier)
    keys = {"predict": [f"predict.input={drawn / 'page'}"], "leaderboard": [f"run={earlier}"]}
    data = ("data=page", f"data.root={drawn / 'page'}")
    model = (f"checkpoint={earlier}",) if task in ("test", "predict", "compare") else ()
    typed = keys.get(task, data)
    ended = run_program(earlier, f"task={task}", *typed, *model)
    assert ended.code == 1
    assert f"{earlier} holds a run already" in ended.output
    assert len(ended.output.splitlines()) == 1
    assert contents(earlier) == before


def test_nor_does_another_run_that_goes_on_write_there(earlier, trained):
    before = contents(earlier)
    ended = run_program(earlier, f"resume={trained.folder}")
    assert ended.code == 1
    assert "holds a run already" in ended.output
    assert contents(earlier) == before


def test_nor_one_from_python(earlier, drawn, monkeypatch):
    before = contents(earlier)
    monkeypatch.chdir(earlier.parent)
    with pytest.raises(UserError, match="holds a run already"):
        uncial.train({"data": "page", "data.root": drawn / "page", "hydra.run.dir": earlier})
    assert contents(earlier) == before


def test_the_newest_unfinished_run_is_not_a_new_one_in_the_folder_of_a_finished_one(earlier, drawn):
    before = contents(earlier)
    typed = ("data=page", f"data.root={drawn / 'page'}", f"paths.outputs={earlier.parent / 'outputs'}", *SHORT)
    ended = run_program(earlier, "resume=auto", *typed)
    assert ended.code == 1
    assert "holds a finished run" in ended.output
    after = contents(earlier)
    assert {path: after[path] for path in before if path.name != "log.txt"} == {
        path: content for path, content in before.items() if path.name != "log.txt"
    }


def test_a_run_that_began_with_a_mistake_is_begun_again(tmp_path, drawn):
    folder = tmp_path / "run"
    assert run_program(folder, "data=page", f"data.root={tmp_path / 'nowhere'}", *SHORT).code == 1
    assert run_program(folder, "task=dryrun").code == 0
    ended = run_program(folder, "data=page", f"data.root={drawn / 'page'}", *SHORT)
    assert ended.code == 0, ended


def test_a_reading_goes_on_in_its_folder(trained, drawn, tmp_path):
    typed = ("task=predict", f"checkpoint={trained.folder}", f"predict.input={drawn / 'page'}")
    folder = tmp_path / "run"
    assert run_program(folder, *typed).code == 0
    assert run_program(folder, *typed).code == 0


@pytest.mark.parametrize("name", RESULTS)
def test_each_result_counts(tmp_path, name):
    (tmp_path / name).write_text("")
    with pytest.raises(UserError, match=name):
        check_no_results(tmp_path, "train")


def test_a_folder_without_results_is_free(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    check_no_results(tmp_path, "train")
