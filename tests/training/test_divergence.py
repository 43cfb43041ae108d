"""A training that has diverged: it ends in one sentence, leaves what was best before, and is never the best itself."""

import os
from dataclasses import replace

import pytest
import torch
from drawn_layouts import read_csv
from program import TINY
from safetensors import safe_open
from safetensors.torch import save_file

import uncial
from uncial.errors import UserError
from uncial.problems.recognition.metric import RecognitionMetric
from uncial.training.callbacks.best_model import BestModel

SHORT = (
    "task=train",
    "data=page",
    *TINY,
    "data.ratio=[0.8,0.2,0]",
    "trainer.batch_width=500",
    "scheduler=constant",
    "scheduler.warmup_steps=1",
    "callbacks.samples=0",
)


@pytest.mark.parametrize("rate", ["1e9", "1e25"])
def test_outputs_that_overflow_in_a_validation_end_the_run(train, rate):
    ended = train("optimizer=sgd", f"optimizer.lr={rate}", "trainer.max_steps=3", "trainer.validations=3")
    assert ended.code == 1, ended
    last = ended.output.strip().splitlines()[-1]
    assert last.startswith("Error: The training has diverged: after 1 step ")
    assert "lower optimizer.lr" in last
    assert "Traceback" not in ended.output
    assert "No model was kept" in ended.output
    assert "resume=" not in ended.output, "it would diverge again"
    assert not (ended.folder / "best.safetensors").exists()
    assert not (ended.folder / "metrics.json").exists()


def test_what_was_best_before_stays_and_is_named(train, monkeypatch):
    asked = []
    compute = RecognitionMetric.compute

    def spoilt(self):
        asked.append(1)
        # The check before the training, and two validations.
        return replace(compute(self), num_invalid=4 if len(asked) == 3 else 0)

    monkeypatch.setattr(RecognitionMetric, "compute", spoilt)
    ended = train("trainer.max_steps=4", "trainer.validations=4", "callbacks.checkpoints.keep_best=3")
    assert ended.code == 1, ended
    assert "after 2 steps the model's outputs are NaN or Inf for 4 validation samples" in ended.output
    best = ended.folder / "best.safetensors"
    assert f"The best model is {best}" in ended.output
    assert f"pretrained={ended.folder}" in ended.output
    assert best.is_file()
    assert [path.name for path in (ended.folder / "checkpoints").iterdir()] == ["step_00000001.ckpt"]
    assert len([row for row in read_csv(ended.folder / "metrics.csv") if row["val/cer"]]) == 1


def test_a_score_that_is_not_finite_is_never_the_best():
    class Validated:
        is_global_zero = True
        sanity_checking = False
        val_check_batch = 1

        def __init__(self, score):
            self.callback_metrics = {"val/loss": torch.tensor(score)}

    saved = []
    best = BestModel("val/loss", "min", saved.append)
    for score in (float("nan"), float("-inf")):
        best.on_validation_end(Validated(score), None)
    assert not saved
    assert best.best is None
    best.on_validation_end(Validated(3.0), None)
    best.on_validation_end(Validated(float("-inf")), None)
    assert [scores["val/loss"] for scores in saved] == [3.0]


@pytest.fixture
def overflowing(trained, tmp_path):
    """A model with finite weights whose outputs are NaN."""
    with safe_open(trained.folder / "best.safetensors", "pt") as file:
        card, weights = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    weights = {
        name: value * 1e25 if name.startswith("backbone") and value.ndim == 4 else value
        for name, value in weights.items()
    }
    weights = {name: value * 1e30 if name == "decoder.output.weight" else value for name, value in weights.items()}
    weights |= {name: torch.full_like(value, 1e-38) for name, value in weights.items() if name.endswith("running_var")}
    save_file(weights, tmp_path / "model.safetensors", metadata=card)
    return tmp_path / "model.safetensors"


def test_a_model_that_has_diverged_is_told_of_by_every_reader(run, drawn, overflowing):
    data = ("data=page", f"data.root={drawn / 'page'}", "data.subset=all")
    reading = (f"predict.input={drawn / 'page'}", "predict.format=jsonl")
    for typed in (("task=test", *data), ("task=audit", *data), ("task=predict", *reading)):
        ended = run(*typed, f"checkpoint={overflowing}")
        assert ended.code == 1, ended
        assert "NaN or Inf" in ended.output.strip().splitlines()[-1], ended
        assert str(overflowing) in ended.output
        assert "Traceback" not in ended.output
    with pytest.raises(UserError, match="NaN or Inf"):
        uncial.load(overflowing, device="cpu")


def test_what_is_kept_may_be_read_by_whom_other_new_files_may(trained):
    modes = {path.name: path.stat().st_mode & 0o777 for path in trained.folder.iterdir() if path.is_file()}
    assert modes["best.safetensors"] == modes["config.yaml"] == modes["last.ckpt"]


def test_a_umask_counts(train):
    before = os.umask(0o027)
    try:
        ended = train("trainer.max_steps=1", "trainer.validations=1")
    finally:
        os.umask(before)
    assert ended.code == 0, ended
    assert (ended.folder / "best.safetensors").stat().st_mode & 0o777 == 0o640
