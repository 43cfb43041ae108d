"""task=rerun and environment.json: what a run needs to be made again, and whether it comes out the same."""

import json
import shutil

import pytest
import torch
import yaml
from program import TINY, run_program
from safetensors.torch import load_file, save_file

from uncial.runs.environment import format_typed_command, list_differences
from uncial.tasks.rerun import compare_runs

KEY = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(scope="module")
def short(drawn, tmp_path_factory):
    """A training of two steps."""
    length = ("trainer.max_steps=2", "trainer.validations=1", "trainer.batch_width=1000")
    folder = tmp_path_factory.mktemp("short") / "run"
    ended = run_program(folder, "data=page", f"data.root={drawn / 'page'}", *TINY, *length)
    assert ended.code == 0, ended
    return ended


def test_the_environment_says_what_the_run_was_made_with(short):
    told = json.loads(short.read("environment.json"))
    assert "data=page" in told["command"]
    assert told["command"].startswith("python run.py ")
    assert told["seed"] == 1
    assert told["packages"]["torch"] == torch.__version__.partition("+")[0]
    assert told["device"] == {"name": "cpu", "devices": 1, "precision": "32-true", "threads": 1}
    assert set(told["data"]) == {"store", "train", "val"}
    assert told["python"]
    assert told["processor"]["cores"]


def test_the_command_is_written_without_secrets(monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    told = format_typed_command(["run.py", f"+hydra.job.env_set.WANDB_API_KEY={KEY}", "data.root=a b", f"notes={KEY}"])
    assert KEY not in told
    assert "'data.root=a b'" in told


def test_a_rerun_is_the_same_to_the_bit_and_is_a_run_like_the_first(short, run):
    ended = run("task=rerun", f"run={short.folder}", into="again")
    assert ended.code == 0, ended
    assert "The same to the bit" in ended.output
    assert json.loads(ended.read("rerun.json")) == {
        "run": str(short.folder),
        "same": True,
        "results": [],
        "environment": [],
    }
    assert ended.read("overrides.yaml") == short.read("overrides.yaml")
    first, second = (yaml.safe_load(one.read("config.yaml")) for one in (short, ended))
    assert {**first, "paths": None} == {**second, "paths": None}
    assert "task=rerun" in json.loads(ended.read("environment.json"))["command"]


def test_whatever_differs_is_named(short, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(short.folder, other)
    assert not compare_runs(short.folder, other).results
    weights = load_file(other / "best.safetensors")
    name = next(iter(weights))
    weights[name] = weights[name] + 0.5
    save_file(weights, other / "best.safetensors")
    metrics = short.metrics
    metrics["val"]["cer"] = 0.125
    metrics["train"]["seconds"] = 1e6
    (other / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")
    (other / "predictions.csv").write_text("page\n", encoding="utf-8")
    environment = json.loads((other / "environment.json").read_text(encoding="utf-8"))
    environment["packages"]["torch"] = "0.1"
    (other / "environment.json").write_text(json.dumps(environment), encoding="utf-8")
    found = compare_runs(short.folder, other)
    assert len(found.results) == 3
    assert "0.5" in found.results[0]
    assert "0.125" in found.results[1]
    assert found.results[2] == "predictions.csv differs"
    assert len(found.environment) == 1
    assert "torch" in found.environment[0]


def test_environments_that_are_the_same_differ_in_nothing(short):
    told = json.loads(short.read("environment.json"))
    assert not list(list_differences(told, {**told, "command": "another", "working_folder": "/"}))


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (("run=/does/not/exist",), "holds no config.yaml"),
        ((), "run has to be given"),
        (("run=SHORT", "optimizer.lr=1"), "would change the run"),
    ],
)
def test_what_cannot_be_repeated_ends_in_one_sentence(typed, told, short, run):
    ended = run("task=rerun", *(argument.replace("SHORT", str(short.folder)) for argument in typed), into="again")
    assert ended.code == 1
    assert told in ended.output
    assert len(ended.output.splitlines()) == 1


def test_a_result_that_differs_ends_with_exit_code_2(short, run, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(short.folder, other)
    (other / "predictions.csv").write_text("page\n", encoding="utf-8")
    ended = run("task=rerun", f"run={other}", into="again")
    assert ended.code == 2
    assert "predictions.csv differs" in ended.output
