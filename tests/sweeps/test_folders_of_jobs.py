"""The folders of a sweep's jobs: called by what the job was given, found again, and each of one job alone."""

import json
import shutil

import pytest
from program import TINY, Ended, quoted, run_program

from uncial.config.saved_yaml import read_saved
from uncial.runs.outcome import FINISHED, is_of_same_job, read_outcomes
from uncial.runs.search import find_runs
from uncial.sweeps.restored import find_unfinished_jobs

SHORT = (*TINY, "trainer.max_steps=2", "trainer.validations=1", "trainer.batch_width=1000", "callbacks.samples=0")


def dry(folder, *arguments: str) -> Ended:
    """What a sweep in this folder would do."""
    return run_program(folder, "-m", "task=dryrun", f"hydra.sweep.dir={quoted(folder)}", *arguments)


def lr_of(folder) -> float:
    return float(read_saved(folder / "config.yaml")["optimizer"]["lr"])


@pytest.fixture(scope="module")
def sweep(drawn, tmp_path_factory):
    """The folder of two trained jobs that are called by their learning rates. Read only."""
    folder = tmp_path_factory.mktemp("labels") / "sweep"
    named = "hydra.sweep.subdir=lr_${optimizer.lr}"
    typed = ("data=page", f"data.root={drawn / 'page'}", *SHORT, "optimizer.lr=1e-3,2e-3", named)
    ended = run_program(folder, "-m", *typed, f"hydra.sweep.dir={quoted(folder)}")
    assert ended.code == 0, ended
    return folder


def test_a_job_is_called_by_its_own_value(sweep):
    folders = sorted(path.name for path in sweep.iterdir() if path.is_dir())
    assert folders == ["lr_0.001", "lr_0.002"]
    assert [lr_of(sweep / name) for name in folders] == [0.001, 0.002]
    found = read_outcomes(sweep)
    assert {name: outcome.state for name, outcome in found.items()} == dict.fromkeys(folders, FINISHED)
    assert "optimizer.lr=0.002" in found["lr_0.002"].overrides
    assert {run.folder.name for run in find_runs([sweep])} == set(folders)


def test_a_sweep_whose_jobs_have_names_is_completed(sweep, tmp_path):
    """The one that is missing begins, whatever is typed of the machine, and the other stays as it is."""
    folder = tmp_path / "moved"
    shutil.copytree(sweep, folder)
    shutil.rmtree(folder / "lr_0.002")
    assert list(find_unfinished_jobs(folder)) == ["lr_0.002"]
    assert {run.folder.name: run.state for run in find_runs([folder])}["lr_0.002"] == "not begun"
    # Hydra's launcher logs its next job to the file of the one before.
    kept = [path for path in (folder / "lr_0.001").iterdir() if path.name != "log.txt"]
    before = {path: path.stat().st_mtime_ns for path in kept}
    ended = run_program(folder, "-m", f"resume={quoted(folder)}", "trainer.workers=1")
    assert ended.code == 0, ended
    assert {path: path.stat().st_mtime_ns for path in kept} == before
    assert lr_of(folder / "lr_0.002") == 0.002
    assert sorted(path.name for path in folder.iterdir() if path.is_dir()) == ["lr_0.001", "lr_0.002"]


@pytest.mark.parametrize("state", ["finished", "failed", "pruned"])
def test_the_outcome_of_another_job_says_nothing_of_this_one(sweep, tmp_path, state):
    folder = tmp_path / "moved"
    shutil.copytree(sweep, folder)
    own, other = folder / "lr_0.001", folder / "lr_0.002"
    outcome = {**json.loads((own / "outcome.json").read_text()), "state": state}
    (other / "outcome.json").write_text(json.dumps(outcome))
    ended = run_program(folder, "-m", f"resume={quoted(folder)}")
    assert ended.code == 1
    assert "lr_0.002 is the folder of a job with other overrides" in ended.output
    assert "Job lr_0.002 is finished" not in ended.output
    assert json.loads((other / "outcome.json").read_text()) == outcome


def test_what_is_typed_of_the_machine_makes_no_other_job_unless_it_is_varied():
    one = ["optimizer.lr=0.1", "trainer.workers=1"]
    assert is_of_same_job(one, ["trainer.workers=2", "resume=x", "trust=[a]", "optimizer.lr=0.1"])
    assert not is_of_same_job(one, ["optimizer.lr=0.1", "trainer.workers=2"], ["trainer.workers"])
    assert not is_of_same_job(one, ["optimizer.lr=0.2", "trainer.workers=1"])


def test_all_overrides_of_a_job_as_its_name(tmp_path):
    folder = tmp_path / "sweep"
    named = (
        "hydra.sweep.subdir=${hydra.job.override_dirname}",
        "hydra.job.config.override_dirname.exclude_keys=[task]",
    )
    excluded = "logger.tensorboard,paths.store,trainer.threads,trainer.workers,trainer.precision,data.compile_workers"
    named = (named[0], named[1].replace("[task]", f"[task,{excluded}]"))
    ended = dry(folder, "optimizer.lr=1e-3,2e-3", "seed=1,2", *named)
    assert ended.code == 0, ended
    names = [f"optimizer.lr={lr},seed={seed}" for lr in ("0.001", "0.002") for seed in (1, 2)]
    assert sorted(path.name for path in folder.iterdir() if path.is_dir()) == names
    shutil.rmtree(folder / names[2])
    # What is typed to go on is no part of the names, also when it goes on once more.
    for _ in range(2):
        again = run_program(folder, "-m", f"resume={quoted(folder)}", *named, "trainer.max_time=01:00:00")
        assert again.code == 0, again
        assert sorted(path.name for path in folder.iterdir() if path.is_dir()) == names


@pytest.mark.parametrize(
    "named", ["j${hydra:job.num}_${optimizer.lr}", "a/${model.name}_${optimizer.lr}", "${model.name}"]
)
def test_every_launcher_and_every_reference(tmp_path, named):
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
    varied = "model=crnn,kraken" if named == "${model.name}" else "optimizer.lr=1e-3,2e-3"
    folders = {}
    for launcher in ("basic", "joblib"):
        folder = tmp_path / launcher
        ended = dry(folder, varied, f"hydra.sweep.subdir={named}", f"hydra/launcher={launcher}")
        assert ended.code == 0, ended
        folders[launcher] = sorted(path.parent.relative_to(folder).as_posix() for path in folder.rglob("config.yaml"))
    assert folders["basic"] == folders["joblib"] == sorted(json.loads((folder / "jobs.json").read_text()))
    assert len(folders["basic"]) == 2


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (["hydra.sweep.subdir=x"], "gives jobs 0 and 1 one folder, x"),
        (["hydra.sweep.subdir=${model.name}"], "gives jobs 0 and 1 one folder, crnn"),
        (["hydra.sweep.subdir=${hydra.job.id}"], "take its number"),
        (["hydra.sweep.subdir=${optimizr.lr}"], "${optimizr.lr} refers to a key that does not exist"),
        (["name=r_${optimizer.lr}"], "name=r_${optimizer.lr} depends on optimizer.lr"),
        (["name=r_${hydra:job.num}"], "cannot be resolved before there are jobs"),
        (["name=${hydra.job.override_dirname}"], "cannot be resolved before there are jobs"),
        (["hydra.sweep.dir=r_${optimizer.lr}"], "hydra.sweep.dir=r_${optimizer.lr} depends on optimizer.lr"),
        (["name=${model.name}", "model=crnn,kraken"], "depends on model"),
        (["sweep=optuna", "name=r_${optimizer.weight_decay}"], "depends on optimizer.weight_decay"),
    ],
)
def test_a_name_that_would_be_of_the_wrong_job_is_refused(tmp_path, monkeypatch, typed, told):
    monkeypatch.chdir(tmp_path)
    ended = run_program(tmp_path / "run", "-m", "task=dryrun", "optimizer.lr=1e-3,2e-3", *typed)
    assert ended.code == 1
    assert told in ended.output
    assert len(ended.output.splitlines()) == 1
    assert not list(tmp_path.rglob("config.yaml"))


def test_jobs_that_are_called_by_the_time_do_not_go_on(tmp_path):
    folder = tmp_path / "sweep"
    named = "hydra.sweep.subdir=${now:%Y}_${hydra.job.num}"
    assert dry(folder, "seed=1,2", named).code == 0
    ended = run_program(folder, "-m", f"resume={quoted(folder)}", named)
    assert ended.code == 1
    assert "start a new sweep" in ended.output


def test_a_key_in_which_jobs_differ_cannot_be_typed_anew(tmp_path):
    folder = tmp_path / "sweep"
    assert dry(folder, "trainer.max_epochs=1,2").code == 0
    ended = run_program(folder, "-m", f"resume={quoted(folder)}", "trainer.max_epochs=3")
    assert ended.code == 1
    assert "trainer.max_epochs=3 would change the sweep" in ended.output
