"""What the folder of a sweep is called where its jobs have names of their own and none was typed."""

import shutil

import pytest
from program import TINY, quoted, run_program

from uncial.config.saved_yaml import read_saved
from uncial.sweeps.restored import find_unfinished_jobs


@pytest.mark.parametrize(
    ("typed", "called"),
    [
        (["model=crnn,kraken"], "crnn-synthetic+kraken-synthetic"),
        (["model=kraken,crnn", "seed=1,2"], "kraken-synthetic+crnn-synthetic"),
        (["model=crnn,kraken", "data=page,lines"], "crnn-page+crnn-lines+kraken-page+kraken-lines"),
        (["model=kraken", "optimizer.lr=1e-3,2e-3"], "kraken-synthetic"),
        (["experiment=ketos,thulium"], "ketos-synthetic+thulium-synthetic"),
        (["name=a,b"], "a+b"),
        (["name=mine", "model=crnn,kraken"], "mine"),
        (["seed=1,2"], "crnn-synthetic"),
        (["model.name=a,b,c,d", f"data.name={'x' * 40}"], f"a-{'x' * 40}+3_more"),
        (["model=crnn,kraken", "name=../up,b"], None),
    ],
)
def test_it_has_the_names_of_its_jobs(tmp_path, typed, called):
    ended = run_program(tmp_path / "run", "-m", "task=dryrun", f"paths.outputs={quoted(tmp_path / 'o')}", *typed)
    folders = sorted(path.name for path in (tmp_path / "o").glob("*"))
    if called is None:
        assert ended.code == 1
        assert "is no folder below paths.outputs" in ended.output
        assert folders == []
    else:
        assert ended.code == 0, ended
        assert folders == [called]


def test_jobs_keep_their_own_names_and_the_sweep_is_completed(drawn, tmp_path):
    short = (*TINY, "trainer.max_steps=2", "trainer.validations=1", "trainer.batch_width=1000", "callbacks.samples=0")
    typed = ("data=page", f"data.root={drawn / 'page'}", *short, f"paths.outputs={quoted(tmp_path / 'o')}")
    ended = run_program(tmp_path / "run", "-m", *typed, "model.name=one,two")
    assert ended.code == 0, ended
    (sweep,) = (tmp_path / "o" / "one-page+two-page").iterdir()

    def names():
        return [read_saved(sweep / job / "config.yaml")["name"] for job in "01"]

    assert names() == ["one-page", "two-page"]
    shutil.rmtree(sweep / "1")
    assert list(find_unfinished_jobs(sweep)) == ["1"]
    assert run_program(tmp_path / "run", "-m", f"resume={quoted(sweep)}").code == 0
    assert names() == ["one-page", "two-page"]
    assert [path.name for path in (tmp_path / "o").iterdir()] == ["one-page+two-page"]
