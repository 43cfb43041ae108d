"""A problem that reads no text goes through all that trains: a model's defaults choose it, nothing is registered."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from program import TINY
from toy_ink import write_configs

SHORT = ("trainer.max_epochs=4", "trainer.validations=2", "scheduler=constant", "optimizer=adam", "optimizer.lr=0.05")


@pytest.fixture
def own(tmp_path):
    write_configs(tmp_path / "own")
    return ("--config-dir", str(tmp_path / "own"))


def test_a_segmenter_is_trained_and_tested(run, own, data):
    trained = run(*own, "model=ink", *data, *SHORT, into="trained")
    assert trained.code == 0, trained
    assert trained.metrics["val"]["missed"] < 0.2
    saved = yaml.safe_load(trained.read("config.yaml"))
    assert saved["problem"]["_target_"] == "toy_ink.InkProblem"
    test = (*own, "task=test", f"checkpoint={trained.folder}", *data, "data.subset=val")
    refused = run(*test, into="refused")
    assert refused.code == 1
    assert "trust=[toy_ink]" in refused.output
    tested = run(*test, "trust=[toy_ink]", into="tested")
    assert tested.code == 0, tested
    assert tested.metrics["test"] == trained.metrics["val"]


def test_it_is_resumed_to_the_bit(run, own, data):
    kept = ("callbacks.checkpoints.every_epochs=1", "callbacks.checkpoints.keep_last=9")
    whole = run(*own, "model=ink", *data, *SHORT, *kept, into="whole")
    assert whole.code == 0, whole
    before = whole.metrics["val"], (whole.folder / "best.safetensors").read_bytes()
    states = sorted((whole.folder / "checkpoints").glob("*.ckpt"))
    shutil.copy(states[1], whole.folder / "last.ckpt")
    (whole.folder / "metrics.json").unlink()
    resumed = run(*own, f"resume={whole.folder}", "trust=[toy_ink]", into="ignored")
    assert resumed.code == 0, resumed
    assert "after step" in resumed.output or "from step" in resumed.output, resumed
    assert (whole.metrics["val"], (whole.folder / "best.safetensors").read_bytes()) == before


def test_a_sweep_over_models_of_two_problems(run, own, data, tmp_path):
    sweep = (f"hydra.sweep.dir={tmp_path / 'sweep'}", "model=ink,crnn", "trainer.max_steps=2", "trainer.validations=1")
    ended = run("-m", *own, *data, *sweep)
    assert ended.code == 0, ended
    scores = [json.loads((tmp_path / f"sweep/{job}/metrics.json").read_text())["val"] for job in (0, 1)]
    assert "missed" in scores[0]
    assert "cer" in scores[1]


def test_wandb_is_told_of_it(run, own, data, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")
    trained = run(*own, "model=ink", *data, *SHORT, "logger=wandb", into="trained")
    assert trained.code == 0, trained
    (file,) = trained.folder.glob("wandb/offline-run-*/*.wandb")
    reader = [str(Path(sys.executable).parent / "wandb"), "leet", "inspect", "--json", str(file)]
    told = subprocess.run(reader, capture_output=True, text=True, check=True).stdout
    assert "best/missed" in told or '"missed"' in told


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (("model=crnn", "problem=ink"), "model=crnn and problem=ink do not fit each other"),
        (("model=ink", "problem=recognition"), "model=ink and problem=recognition do not fit each other"),
        (("model=ink", "augmentation=strong"), "problem=ink does not read augmentation"),
        (("model=ink", "resize=union"), "problem=ink does not read resize"),
        (("model=ink", "trainer.gradient_clip_by=sum"), "trainer.gradient_clip_by"),
    ],
)
def test_what_does_not_fit_it_ends_before_data_are_read(run, own, typed, told):
    ended = run(*own, *typed, "data=page", "data.root=/nowhere")
    assert ended.code == 1, ended
    assert told in ended.output
    assert "/nowhere" not in ended.output.replace("data.root=/nowhere", "")


def test_what_is_typed_has_the_last_word_on_the_problem(run, own, data):
    chosen = run(
        *own, "model=crnn", "problem=recognition", *data, *TINY, "trainer.max_steps=1", "trainer.validations=1"
    )
    assert chosen.code == 0, chosen
    assert yaml.safe_load(chosen.read("config.yaml"))["problem"]["name"] == "recognition"


def test_a_file_of_another_kind_is_no_recogniser(run, own, data, tmp_path):
    trained = run(*own, "model=ink", *data, *SHORT, into="trained")
    predicted = run("task=predict", f"checkpoint={trained.folder}", "trust=[toy_ink]", f"predict.input={tmp_path}")
    assert predicted.code == 1
    assert "cannot apply a model of the problem InkProblem" in predicted.output
