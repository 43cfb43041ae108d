"""trainer.test_after where a time limits the training, and on two devices; degraded images on two devices."""

import json

import cv2
import pytest
from drawn_layouts import read_csv
from program import TINY, Ended

from uncial.training.distributed import launch as processes

TWO = ("trainer.accelerator=cpu", "trainer.devices=2")
TESTED = "trainer.test_after=true"


@pytest.fixture
def forked(monkeypatch):
    """Processes that have all imports behind them."""
    cv2.setNumThreads(1)  # A pool of threads does not outlive a fork.
    monkeypatch.setattr(processes, "START", "fork")


def check_as_the_task_tests(run, trained: Ended, data) -> None:
    """The run is a finished one, with the scores that task=test gives its model."""
    assert trained.code == 0, trained
    again = run("task=test", f"checkpoint={trained.folder}", *data, into="again")
    assert again.code == 0, again
    assert trained.metrics["test"]["lines"] > 0
    assert {**trained.metrics["test"], "seconds": 0} == {**again.metrics["test"], "seconds": 0}
    assert trained.metrics["val"]["lines"] > 0
    tested = json.loads((trained.folder / "tested" / "metrics.json").read_text(encoding="utf-8"))
    assert tested["test"] == trained.metrics["test"]


@pytest.mark.parametrize("limit", ["time_budget", "max_time"])
def test_a_training_that_a_time_ends_is_tested(run, data, limit):
    length = (
        ("trainer.max_steps=100000", "trainer.validations=2") if limit == "max_time" else ("trainer.validations=2",)
    )
    trained = run(*data, *TINY, *length, f"trainer.{limit}=2", TESTED, "scheduler.warmup_steps=2", into="trained")
    assert 0 < trained.metrics["train"]["steps"] < 100_000
    check_as_the_task_tests(run, trained, data)


def test_two_devices_train_and_test(run, data, forked):
    typed = ("trainer.max_steps=4", "trainer.validations=2", "trainer.batch_width=1000")
    trained = run(*data, *TINY, *typed, *TWO, TESTED, into="trained")
    assert trained.metrics["run"]["devices"] == 2
    check_as_the_task_tests(run, trained, data)
    read = [json.loads(line) for line in (trained.folder / "tested" / "lines.jsonl").read_text().splitlines()]
    assert len({(line["page"], line["line"]) for line in read}) == len(read) == trained.metrics["test"]["lines"]


def test_degraded_lines_are_the_same_on_two_devices(run, trained, drawn, forked):
    typed = ("task=test", f"checkpoint={trained.folder}", "data=page", f"data.root={drawn / 'page'}", "data.subset=all")
    typed = (*typed, "test.augmentation=[noise,occlusion]", "metrics.resamples=200", "report.pictures=0")
    alone, both = run(*typed, into="alone"), run(*typed, *TWO, into="both")
    assert (alone.code, both.code) == (0, 0), (alone, both)
    for name in ("robustness_lines.csv", "robustness.json", "predictions.csv"):
        assert alone.read(name) == both.read(name)
    rows = read_csv(both.folder / "robustness_lines.csv")
    assert len(rows) == 36
    assert any(row["prediction clean"] != row["prediction noise strong"] for row in rows)
