"""leaderboard.by: another figure to rank by, with the better end of it first, and what none of the runs has."""

import csv
import json
from pathlib import Path

import pytest
import yaml
from program import quoted

FIGURES = {
    "val/line_accuracy": {"best": 0.9, "middle": 0.5, "worst": 0.1},
    "val/wer": {"best": 0.2, "middle": 0.4, "worst": 0.6},
    "val/cer": {"best": 0.1, "middle": 0.2, "worst": 0.3},
    "test/word_accuracy": {"best": 0.8, "middle": 0.7, "worst": 0.6},
    "train/seconds": {"best": 10.0, "middle": 20.0, "worst": 30.0},
}


@pytest.fixture
def runs(tmp_path) -> Path:
    for number, name in enumerate(("middle", "worst", "best")):
        folder = tmp_path / "runs" / name
        folder.mkdir(parents=True)
        model = {"monitor": "val/cer", "mode": "min", "name": "crnn"}
        config = {"task": {"name": "train"}, "seed": 1, "model": model, "optimizer": {"lr": number}}
        (folder / "config.yaml").write_text(yaml.dump(config))
        (folder / "overrides.yaml").write_text(yaml.dump([f"optimizer.lr={number}"]))
        metrics: dict[str, dict[str, float]] = {}
        for figure, values in FIGURES.items():
            part, _, key = figure.partition("/")
            metrics.setdefault(part, {})[key] = values[name]
        (folder / "metrics.json").write_text(json.dumps({**metrics, "run": {"device": "cpu", "has_changes": False}}))
    return tmp_path / "runs"


def ranked(run, runs, *typed):
    ended = run("task=leaderboard", f"run={quoted(runs)}", *typed)
    assert ended.code == 0, ended
    return [Path(row["run"]).name for row in csv.DictReader(ended.read("leaderboard.csv").splitlines())]


@pytest.mark.parametrize("by", FIGURES)
def test_the_better_end_stands_first(run, runs, by):
    assert ranked(run, runs, f"leaderboard.by={by}") == ["best", "middle", "worst"]


def test_what_was_typed_goes_before_the_name(run, runs):
    order = ranked(run, runs, "leaderboard.by=val/line_accuracy", "leaderboard.mode=min")
    assert order == ["worst", "middle", "best"]


@pytest.mark.parametrize("by", ["val/accuracy", "cer", "val", "run/device", "run/has_changes"])
def test_a_figure_that_no_run_has_ends_in_a_sentence_with_those_that_there_are(run, runs, by):
    ended = run("task=leaderboard", f"run={quoted(runs)}", f"leaderboard.by={by}")
    assert ended.code == 1
    last = ended.output.strip().splitlines()[-1]
    assert f"leaderboard.by={by}" in last
    assert "val/line_accuracy, val/wer, val/cer" in last
    assert "run/" not in last.partition(";")[2]
    assert not (ended.folder / "leaderboard.csv").exists()
