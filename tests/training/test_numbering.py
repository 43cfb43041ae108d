"""One numbering of steps: files, dashboards, checkpoints and messages call a step by how many are done after it."""

import csv
import json
import math
import re
import shutil
from pathlib import Path

import pytest
from logged_steps import logged_steps, read_csv, tensorboard_steps, wandb_steps
from program import TINY

from uncial.runs.tensorboard_events import cut_events

SHORT = ("trainer.max_steps=4", "trainer.validations=2", "trainer.batch_width=1000", "trainer.log_every=2")
KEPT = ("callbacks.checkpoints.every_steps=2", "callbacks.checkpoints.keep_last=9")


@pytest.mark.parametrize("accumulated", [1, 2])
def test_all_call_a_step_alike(run, drawn, monkeypatch, accumulated):
    pytest.importorskip("wandb", reason="wandb is not installed")
    monkeypatch.setenv("WANDB_MODE", "offline")
    typed = (*TINY, *SHORT, *KEPT, f"trainer.accumulate={accumulated}", "logger=wandb", "logger.tensorboard=true")
    ended = run("data=page", f"data.root={drawn / 'page'}", *typed)
    assert ended.code == 0, ended
    assert ended.metrics["train"]["steps"] == 4
    for column in ("train/loss", "lr", "val/cer"):
        assert logged_steps(ended.folder, column) == [2, 4], column
        assert tensorboard_steps(ended.folder, column) == [2, 4], column
        assert wandb_steps(ended.folder, column) == [2, 4], column
    assert tensorboard_steps(ended.folder, "lines_per_second") == [2, 4]
    assert [int(found) for found in re.findall(r"step (\d+): val", ended.output)] == [2, 4]
    assert "step 4/4" in ended.output
    kept = sorted(int(path.stem.removeprefix("step_")) for path in (ended.folder / "checkpoints").glob("*.ckpt"))
    assert kept == [2, 4]
    assert {row["epoch"] for row in read_csv(ended.folder / "metrics.csv")} <= {"0", "1"}


def as_of_an_earlier_version(folder: Path) -> None:
    """The files of a run as they were when the first step was logged as step 0."""
    environment = json.loads((folder / "environment.json").read_text(encoding="utf-8"))
    del environment["first_step"]
    (folder / "environment.json").write_text(json.dumps(environment), encoding="utf-8")
    rows = read_csv(folder / "metrics.csv")
    with (folder / "metrics.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows([{**row, "step": int(row["step"]) - 1} for row in rows])
    cut_events(folder, math.inf, -1)


def test_a_run_that_counted_from_0_is_renumbered_once_when_it_goes_on(run, drawn):
    typed = (*TINY, *SHORT, *KEPT, "logger.tensorboard=true")
    whole = run("data=page", f"data.root={drawn / 'page'}", *typed, into="whole")
    assert whole.code == 0, whole
    table = whole.read("metrics.csv")
    shutil.copy(whole.folder / "checkpoints" / "step_00000002.ckpt", whole.folder / "last.ckpt")
    (whole.folder / "metrics.json").unlink()
    as_of_an_earlier_version(whole.folder)
    resumed = run(f"resume={whole.folder}", "logger.tensorboard=true", into="ignored")
    assert resumed.code == 0, resumed
    assert whole.read("metrics.csv") == table
    assert sorted(tensorboard_steps(whole.folder, "val/cer")) == [2, 4]
    assert json.loads(whole.read("environment.json"))["first_step"] == 1


def test_a_rerun_of_a_run_that_counted_from_0_is_the_same(run, drawn):
    first = run("data=page", f"data.root={drawn / 'page'}", *TINY, *SHORT, into="first")
    as_of_an_earlier_version(first.folder)
    again = run("task=rerun", f"run={first.folder}", into="again")
    assert again.code == 0, again
    assert logged_steps(again.folder, "val/cer") == [2, 4]
    rows = first.read("metrics.csv").splitlines()
    (first.folder / "metrics.csv").write_text("\n".join([*rows[:-1], rows[-1].replace(",3,", ",2,")]) + "\n")
    other = run("task=rerun", f"run={first.folder}", into="other")
    assert other.code == 2, other
    assert "metrics.csv differs" in other.output
