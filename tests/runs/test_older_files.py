"""Models and runs that commit e483109 wrote load, read, test, resume, repeat and serve as base models."""

import csv
import json
import shutil
import sys
from pathlib import Path

import pytest
import torch
from program import run_program
from safetensors.torch import load_file

import uncial

WRITTEN = Path(__file__).parents[1] / "written_by_e483109"
PAGES = ("data=page", "data.root=pages")


@pytest.fixture
def older(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the files, from whose folder the program is called, as it was when they were written."""
    copied = Path(shutil.copytree(WRITTEN, tmp_path / "older"))
    monkeypatch.chdir(copied)
    return copied / "runs"


def rows(path: Path) -> dict[tuple[str, str], dict[str, str]]:
    """The rows of a `predictions.csv`, by page and line."""
    with path.open(encoding="utf-8", newline="") as file:
        return {(row["page"], row["line"]): row for row in csv.DictReader(file)}


def same_texts(found: Path, expected: Path) -> float:
    """The share of lines that were read alike, in files that have to hold the same lines and truths."""
    one, other = rows(found), rows(expected)
    assert {line: row["truth"] for line, row in one.items()} == {line: row["truth"] for line, row in other.items()}
    return sum(one[line]["prediction"] == other[line]["prediction"] for line in one) / len(one)


def assert_close(found: Path, expected: Path) -> None:
    """The weights are those of the other model, but for what another processor's last digits make of a few steps."""
    one, other = load_file(found / "best.safetensors"), load_file(expected / "best.safetensors")
    assert one.keys() == other.keys()
    for name in one:
        torch.testing.assert_close(one[name], other[name], rtol=0.02, atol=0.02, msg=name)


def test_a_model_reads_and_is_tested_as_before(older):
    ended = run_program(older / "again", "task=test", *PAGES, "data.subset=all", "checkpoint=runs/model")
    assert ended.code == 0, ended
    assert same_texts(older / "again" / "predictions.csv", older / "tested" / "predictions.csv") > 0.9
    before = json.loads((older / "tested" / "metrics.json").read_text(encoding="utf-8"))["test"]
    assert ended.metrics["test"]["cer"] == pytest.approx(before["cer"], abs=0.02)


def test_a_model_is_loaded_from_python(older):
    model = uncial.load("runs/model")
    assert len(model.transcribe(["pages/drawn_0001.png"])) == 1


def test_a_model_reads_pages(older):
    ended = run_program(older / "read", "task=predict", "checkpoint=runs/model", "predict.input=more")
    assert ended.code == 0, ended


@pytest.mark.parametrize("name", ["unfinished", "folds"])
def test_an_unfinished_run_goes_on_with_its_own_pages(older, name):
    validated = set(rows(older / name / "predictions.csv"))
    ended = run_program(older / name, f"resume=runs/{name}")
    assert ended.code == 0, ended
    assert set(rows(older / name / "predictions.csv")) == validated
    assert "step 12/12" in ended.output
    if name == "unfinished":
        assert_close(older / name, older / "short")


def test_a_run_is_repeated(older):
    ended = run_program(older / "repeated", "task=rerun", "run=runs/short")
    assert ended.code in (0, 2), ended  # another processor may differ in the last digits
    assert set(rows(older / "repeated" / "predictions.csv")) == set(rows(older / "short" / "predictions.csv"))
    assert_close(older / "repeated", older / "short")


def test_a_sweep_goes_on_where_it_was(older):
    finished = (older / "sweep" / "0" / "outcome.json").read_bytes()
    ended = run_program(older / "sweep", "-m", "resume=runs/sweep")
    assert ended.code == 0, ended
    assert (older / "sweep" / "0" / "outcome.json").read_bytes() == finished
    assert json.loads((older / "sweep" / "1" / "outcome.json").read_text(encoding="utf-8"))["state"] == "finished"
    assert_close(older / "sweep" / "1", older / "short")


def test_a_fine_tuned_model_is_tested_and_tuned_again(older):
    more = ("data=page", "data.root=more", "data.ratio=[0.5,0.5,0.0]")
    ended = run_program(older / "again", "task=test", *more, "data.subset=all", "checkpoint=runs/finetuned")
    assert ended.code == 0, ended
    read, before = rows(older / "again" / "predictions.csv"), rows(older / "finetuned" / "predictions.csv")
    assert before.keys() <= read.keys()
    assert sum(read[line]["prediction"] == before[line]["prediction"] for line in before) > 0.8 * len(before)
    tuned = run_program(
        older / "tuned",
        *PAGES,
        "pretrained=runs/finetuned",
        "resize=union",
        "trainer.max_steps=2",
        "trainer.validations=1",
    )
    assert tuned.code == 0, tuned


def test_a_model_with_a_class_of_ones_own_is_tested_and_its_run_goes_on_where_it_is_trusted(older, monkeypatch):
    # Not that of another test, and for no other test: what the test imports goes with it.
    monkeypatch.setitem(sys.modules, "shallow", sys)
    monkeypatch.delitem(sys.modules, "shallow")
    monkeypatch.syspath_prepend(WRITTEN / "mine")
    tested = ("task=test", *PAGES, "data.subset=all", "checkpoint=runs/shallow")
    refused = run_program(older / "refused", *tested)
    assert refused.code == 1, refused
    assert "trust=[shallow]" in refused.output
    ended = run_program(older / "again", *tested, "trust=[shallow]")
    assert ended.code == 0, ended
    assert "trust=[shallow]" in run_program(older / "shallow", "resume=runs/shallow").output
    resumed = run_program(older / "shallow", "resume=runs/shallow", "trust=[shallow]")
    assert resumed.code == 0, resumed
    assert "step 12/12" in resumed.output
