"""last.ckpt never holds a model that has broken down, and a foreign callback's checkpoint holds the averaged one."""

import lightning as L
import pytest
import torch
from program import TINY
from scored_sessions import train_session
from scripted_training import Batch, Line, Scripted, bare_trainer
from torch.utils.data import DataLoader

from uncial.runs.files import RunFolder
from uncial.training.callbacks.ema import EMA
from uncial.training.module import TrainingModule
from uncial.training.schedulers import schedules
from uncial.training.schedulers.length import RunLength
from uncial.training.schedulers.plan import LengthConfig


class Spoil(L.Callback):
    """Breaks the model after a step, and mends it after another."""

    def __init__(self, broken_from: int, broken_to: int, where: str) -> None:
        self.first, self.last, self.where = broken_from, broken_to, where

    def on_fit_start(self, trainer, pl_module):
        pl_module.model.register_buffer("statistic", torch.zeros(2))

    def on_train_batch_end(self, trainer, pl_module, *_):
        tensor = pl_module.model.rise if self.where == "weight" else pl_module.model.statistic
        value = {self.first: float("nan"), self.last: 3.0}.get(trainer.global_step)
        if value is not None:
            with torch.no_grad():
                tensor.fill_(value)


class Watch(L.Callback):
    """The step of last.ckpt at the beginning of each step."""

    def __init__(self, folder) -> None:
        self.path, self.steps = RunFolder(folder).last_checkpoint, []

    def on_train_batch_start(self, *_):
        self.steps.append(torch.load(self.path, weights_only=True)["global_step"] if self.path.is_file() else 0)


@pytest.mark.parametrize("where", ["weight", "statistic"])
def test_the_last_checkpoint_stays_as_it_was_while_the_model_holds_no_numbers(tmp_path, where, caplog, monkeypatch):
    monkeypatch.setattr(TrainingModule, "on_validation_epoch_start", lambda self: self._start_scoring())
    watch, wanted = Watch(tmp_path), LengthConfig(steps=8, every_steps=1)
    scores = dict.fromkeys(range(9), 0.5)
    train_session(tmp_path, scores, wanted, Spoil(3, 6, where), watch)
    assert watch.steps == [0, 1, 2, 2, 2, 2, 6, 7], "that of step 2 stands while the model is broken"
    assert "last.ckpt stays as it was" in caplog.text
    assert torch.load(RunFolder(tmp_path).last_checkpoint, weights_only=True)["global_step"] == 8


def test_a_run_that_diverged_leaves_a_state_to_go_on_from(run, drawn):
    ended = run(
        "task=train",
        "data=page",
        f"data.root={drawn / 'page'}",
        *TINY,
        "trainer.batch_width=500",
        "trainer.max_steps=6",
        "trainer.validations=6",
        "+callbacks.more.spoil={_target_: breaking.BreakWeights, step: 3}",
        "callbacks.samples=0",
    )
    assert ended.code == 1, ended
    assert "has diverged" in ended.output
    state = torch.load(ended.folder / "last.ckpt", weights_only=True)
    assert state["global_step"] == 2
    assert all(bool(value.isfinite().all()) for value in state["state_dict"].values() if value.is_floating_point())


class SaveElsewhere(L.Callback):
    """Lightning's own way to a checkpoint, in the midst of a validation, at its end and after a step."""

    def __init__(self, folder) -> None:
        self.folder, self.weights = folder, {}

    def _save(self, trainer, pl_module, name):
        trainer.save_checkpoint(self.folder / f"{name}.ckpt")
        self.weights[name] = float(pl_module.model.rise.detach())

    def on_train_batch_end(self, trainer, pl_module, *_):
        self._save(trainer, pl_module, f"step_{trainer.global_step}")

    def on_validation_batch_end(self, trainer, pl_module, *_):
        self._save(trainer, pl_module, f"midst_{trainer.global_step}")

    def on_validation_end(self, trainer, pl_module):
        self._save(trainer, pl_module, f"end_{trainer.global_step}")


def test_a_foreign_callback_keeps_the_average_as_the_model_whenever_it_saves(tmp_path):
    """And the weights that are trained beside it, wherever those are at that moment."""
    decay, steps = 0.5, 4
    length = RunLength(LengthConfig(steps=steps, every_steps=1), 2, 2, 0, RunFolder(tmp_path).steps)
    optimizer = lambda groups: torch.optim.SGD(groups, lr=0.1)  # noqa: E731
    module = TrainingModule(Line(), Scripted([0.5] * 9), optimizer, schedules.constant(), length, seed=1)
    saving = SaveElsewhere(tmp_path)
    loader = lambda count: DataLoader([Batch()] * count, batch_size=None)  # noqa: E731
    bare_trainer(tmp_path, [length, saving, EMA(decay)], num_sanity_val_steps=0).fit(module, loader(2), loader(1))
    average = 0.0
    for step in range(1, steps + 1):
        before, trained = average, 0.1 * step  # The slope is -1.
        share = 0.0 if step == 1 else min(decay, step / (9 + step))
        average = share * average + (1 - share) * trained
        # The average takes up a step behind the callbacks that come before it.
        for moment, expected in (("step", before), ("midst", average), ("end", average)):
            state = torch.load(tmp_path / f"{moment}_{step}.ckpt", weights_only=True)
            assert float(state["state_dict"]["model.rise"]) == pytest.approx(expected)
            assert float(state["current_model_state"]["model.rise"]) == pytest.approx(trained)
            assert saving.weights[f"{moment}_{step}"] == pytest.approx(trained if moment == "step" else average)
    assert float(module.model.rise.detach()) == pytest.approx(0.1 * steps)
