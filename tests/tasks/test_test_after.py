"""trainer.test_after: the best model is tested at the end of its training, in the same command."""

import csv
import json
from pathlib import Path

import pytest
from logged_steps import tensorboard_steps
from program import TINY
from toy_ink import write_configs

from uncial.problems.recognition.problem import LineRecognition

SHORT = ("trainer.max_steps=4", "trainer.validations=2", "trainer.batch_width=1000")
TESTED = "trainer.test_after=true"


def test_its_scores_are_those_of_the_task_and_stand_in_the_leaderboard(run, data):
    trained = run(*data, *TINY, *SHORT, TESTED, into="trained")
    assert trained.code == 0, trained
    again = run("task=test", f"checkpoint={trained.folder}", *data, into="again")
    assert again.code == 0, again
    times = {"seconds": 0}
    assert {**trained.metrics["test"], **times} == {**again.metrics["test"], **times}
    assert trained.metrics["val"]["lines"] != 0
    tested = {path.name for path in (trained.folder / "tested").iterdir()}
    assert tested >= {path.name for path in again.folder.iterdir()} - {"tensorboard", "log.txt"}
    assert "score it on the test part" not in trained.output
    assert "name: train" in trained.read("config.yaml")
    lines = [json.loads(line) for line in trained.read("lines.jsonl").splitlines()]
    assert len(lines) == trained.metrics["val"]["lines"]
    board = run("task=leaderboard", f"run={trained.folder}", into="board")
    (row,) = csv.DictReader(board.read("leaderboard.csv").splitlines())
    assert float(row["test/cer"]) == trained.metrics["test"]["cer"]
    assert "test CER" in board.output
    by_test = run("task=leaderboard", f"run={trained.folder}", "leaderboard.by=test/cer", into="by_test")
    assert by_test.code == 0, by_test


def test_without_it_nothing_is_tested(run, data):
    trained = run(*data, *TINY, *SHORT)
    assert "test" not in trained.metrics
    assert not (trained.folder / "tested").exists()
    assert "score it on the test part" in trained.output


def test_an_empty_test_part_is_told_before_the_training(run, drawn):
    typed = ("data=page", f"data.root={drawn / 'page'}", "data.ratio=[0.5,0.5,0.0]", *TINY, *SHORT, TESTED)
    ended = run(*typed)
    assert ended.code == 1
    assert "the test part is empty" in ended.output
    assert "step 1" not in ended.output
    assert not (ended.folder / "best.safetensors").exists()


def test_a_problem_of_ones_own_is_tested(run, data, tmp_path):
    write_configs(tmp_path / "own")
    own = ("--config-dir", str(tmp_path / "own"), "model=ink", *data, "optimizer=adam", "trainer.max_epochs=2")
    ended = run(*own, TESTED)
    assert ended.code == 0, ended
    assert 0 <= ended.metrics["test"]["missed"] <= 1
    assert "missed" in ended.metrics["val"]
    assert ended.metrics["model"]["parameters"] == 10 * 4 + 4 + 1
    assert ended.metrics["model"]["flops_of_sample"] is None
    assert "gives no example" in ended.metrics["model"]["flops_not_counted"]


def refuse(self, config):
    raise NotImplementedError


def test_a_problem_without_a_test_ends_in_a_sentence_and_can_be_finished_without(run, data, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(LineRecognition, "test", refuse)
        ended = run(*data, *TINY, *SHORT, TESTED)
    assert ended.code == 1
    assert "problem=recognition has no test" in ended.output.strip().splitlines()[-1]
    assert (ended.folder / "best.safetensors").is_file()
    assert not (ended.folder / "metrics.json").exists()
    finished = run(f"resume={ended.folder}", "trainer.test_after=false", into="ignored")
    assert finished.code == 0, finished
    assert "test" not in ended.metrics
    assert ended.metrics["val"]["lines"]


def interrupt(self, config):
    raise KeyboardInterrupt


def test_one_that_is_stopped_in_its_test_goes_on_with_it(run, data, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(LineRecognition, "test", interrupt)
        stopped = run(*data, *TINY, *SHORT, TESTED)
    assert stopped.code == 130
    assert f"resume={stopped.folder}" in stopped.output
    weights = (stopped.folder / "best.safetensors").read_bytes()
    board = run("task=leaderboard", f"run={stopped.folder}", into="board")
    assert "stopped" in board.output
    resumed = run(f"resume={stopped.folder}", into="ignored")
    assert resumed.code == 0, resumed
    assert stopped.metrics["test"]["lines"]
    assert (stopped.folder / "best.safetensors").read_bytes() == weights
    again = run(f"resume={stopped.folder}", into="ignored")
    assert again.code == 1
    assert "is finished" in again.output


def test_a_finished_run_can_be_tested_later(run, data):
    trained = run(*data, *TINY, *SHORT)
    before = trained.metrics
    resumed = run(f"resume={trained.folder}", TESTED, into="ignored")
    assert resumed.code == 0, resumed
    assert trained.metrics["val"] == before["val"]
    assert trained.metrics["test"]["lines"]


def test_in_a_sweep_each_job_is_tested_and_one_that_was_stopped_goes_on(run, data, tmp_path, monkeypatch):
    sweep = tmp_path / "sweep"
    typed = (*data, *TINY, *SHORT, TESTED, "optimizer.lr=1e-3,2e-3", f"hydra.sweep.dir={sweep}")
    whole = LineRecognition.test

    def fail_in_the_second(self, config):
        if Path(str(config.checkpoint)).name == "1":
            raise KeyboardInterrupt
        whole(self, config)

    with monkeypatch.context() as patched:
        patched.setattr(LineRecognition, "test", fail_in_the_second)
        assert run("-m", *typed).code == 130
    assert "test" in json.loads((sweep / "0" / "metrics.json").read_text())
    assert not (sweep / "1" / "metrics.json").exists()
    before = (sweep / "0" / "metrics.json").read_bytes()
    ended = run("-m", f"resume={sweep}")
    assert ended.code == 0, ended
    assert (sweep / "0" / "metrics.json").read_bytes() == before
    assert "test" in json.loads((sweep / "1" / "metrics.json").read_text())
    board = run("task=leaderboard", f"run={sweep}", into="board")
    assert [row["state"] for row in csv.DictReader(board.read("leaderboard.csv").splitlines())] == ["finished"] * 2


def test_dashboards_are_told_of_it_in_the_same_run(run, data, monkeypatch):
    pytest.importorskip("wandb", reason="wandb is not installed")
    monkeypatch.setenv("WANDB_MODE", "offline")
    ended = run(*data, *TINY, *SHORT, TESTED, "logger=wandb", "logger.tensorboard=true")
    assert ended.code == 0, ended
    assert tensorboard_steps(ended.folder, "test/cer") == [4]
    names = {path.name.rpartition("-")[2] for path in (ended.folder / "wandb").glob("offline-run-*")}
    assert len(names) == 1
    assert not (ended.folder / "tested" / "wandb").exists()
    assert "test/cer" not in ended.read("metrics.csv")
