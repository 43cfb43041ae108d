"""What a run that goes on must not forget or do twice, on a training of one number."""

import json
from dataclasses import dataclass

import pytest
import torch
from killing import differences
from scripted_training import Batch, Line, Rates, Snapshot, bare_trainer
from torch.utils.data import DataLoader

from uncial.files import replace_text_file
from uncial.metrics.contract import MetricResult
from uncial.runs.files import RunFolder
from uncial.runs.state import restore_stashed, stash_best_model
from uncial.training.callbacks.best_model import BestModel
from uncial.training.callbacks.early_stopping import EarlyStopping, MaxTime
from uncial.training.checkpointing.callback import Checkpoints
from uncial.training.checkpointing.retention import CheckpointPolicy
from uncial.training.distributed.signals import StopRequest
from uncial.training.module import TrainingModule
from uncial.training.schedulers import schedules
from uncial.training.schedulers.length import RunLength
from uncial.training.schedulers.plan import LengthConfig, StepPlan

BATCHES = 3
"""Of an epoch."""


@dataclass
class Distance:
    """The score is how far the model's number is from what it should be; or always the same."""

    line: Line
    constant: float | None = None

    def reset(self):
        pass

    def update(self, batch, predictions):
        pass

    def aggregate(self, processes):
        pass

    def compute(self):
        return MetricResult({"cer": float((self.line.rise - 1).abs()) if self.constant is None else self.constant})


class UpAfter(MaxTime):
    """The time is up after so many batches of this session."""

    def __init__(self, batches: int) -> None:
        super().__init__("00:00:00:01")
        self.left = batches

    def time_elapsed(self, *_):
        return 0.0 if self.left > 0 else 2.0

    def on_train_batch_end(self, trainer, *rest):
        self.left -= 1
        super().on_train_batch_end(trainer, *rest)


def go(folder, wanted, *more, constant=None, schedule=None, keeping=None, accumulate=1):
    """One session of the run in the folder, to its end or until one of `more` callbacks ends it."""
    folder.mkdir(exist_ok=True)
    restore_stashed(folder)
    line, rates, last = Line(), Rates(), folder / "last.ckpt"
    length = RunLength(wanted, BATCHES, BATCHES, 0, RunFolder(folder).steps)
    optimizer = lambda groups: torch.optim.SGD(groups, lr=0.01)  # noqa: E731
    schedule = schedule or schedules.constant()
    module = TrainingModule(line, Distance(line, constant), optimizer, schedule, length, seed=1)

    def save(scores):
        with replace_text_file(folder / "best.txt") as file:
            json.dump(scores, file)

    best = BestModel("val/cer", "min", save, lambda: stash_best_model(folder, ["best.txt"]))
    describe = lambda scores: json.dumps(scores)  # noqa: E731
    states = Checkpoints(folder, keeping or CheckpointPolicy(), "val/cer", "min", describe, {}, StopRequest())
    trainer = bare_trainer(
        folder, [states, length, best, rates, *more], num_sanity_val_steps=1, accumulate_grad_batches=accumulate
    )
    loader = lambda batches: DataLoader([Batch()] * batches, batch_size=None)  # noqa: E731
    trainer.fit(module, loader(BATCHES), loader(1), ckpt_path=last if last.is_file() else None, weights_only=True)
    return rates


def state_in(folder):
    state = torch.load(folder / "last.ckpt", weights_only=True)
    for name in ("time", "seconds"):
        del state["uncial_run"][name]
    return state


def patience():
    return EarlyStopping("val/cer", "min", 1, 0.0, 1)


@pytest.mark.parametrize("step", [4, 7])
def test_the_best_copies_of_a_killed_run_are_those_of_one_that_was_not(tmp_path, step):
    """The state after a validation is written before it is known to be kept."""
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    how = {"keeping": CheckpointPolicy(keep_best=1, every_steps=5, keep_last=1)}
    go(whole, LengthConfig(steps=9, validations=3), Snapshot(step, whole, killed), **how)
    go(killed, LengthConfig(steps=9, validations=3), **how)
    assert not differences(state_in(whole), state_in(killed))
    names = [sorted(path.name for path in (folder / "checkpoints").iterdir()) for folder in (whole, killed)]
    assert names == [["step_00000005.ckpt", "step_00000009.ckpt"]] * 2


def test_a_missing_copy_is_made_when_a_finished_run_is_gone_on_with(tmp_path):
    how = {"keeping": CheckpointPolicy(keep_best=1)}
    go(tmp_path, LengthConfig(steps=3), **how)
    (copy,) = (tmp_path / "checkpoints").iterdir()
    copy.unlink()
    assert not go(tmp_path, LengthConfig(steps=3), **how).of_steps
    assert copy.is_file()


def test_a_run_ended_by_patience_makes_no_step_more_unless_it_is_made_longer(tmp_path):
    """As one that was killed while its report was drawn."""
    first = go(tmp_path, LengthConfig(steps=12, validations=4), patience(), constant=0.5)
    assert first.validated == [3, 6]
    before = state_in(tmp_path)
    again = go(tmp_path, LengthConfig(steps=12, validations=4), patience(), constant=0.5)
    assert again.of_steps == again.validated == []
    assert not differences(before, state_in(tmp_path))
    longer = go(tmp_path, LengthConfig(steps=24, validations=8), patience(), constant=0.5)
    assert longer.validated == [9]


def test_a_run_that_is_made_longer_has_the_longer_runs_rate_from_its_first_step_on(tmp_path):
    schedule = schedules.linear(final=0.0, period=None, unit="step")
    go(tmp_path, LengthConfig(steps=3), schedule=schedule)
    longer = go(tmp_path, LengthConfig(steps=12), schedule=schedule)
    plan = StepPlan(12, BATCHES, 12.0, 1.0)
    assert longer.of_steps == pytest.approx([0.01 * schedule(step, plan) for step in range(3, 12)])


@pytest.mark.parametrize(("batches", "accumulate"), [(2, 1), (3, 1), (1, 2), (4, 2)])
def test_a_run_stopped_by_its_longest_time_goes_on_as_if_it_had_not_been(tmp_path, batches, accumulate):
    """Neither half a step nor the validation that was made because the time was up is part of it."""
    whole, stopped, wanted = tmp_path / "whole", tmp_path / "stopped", LengthConfig(steps=7, validations=2)
    go(whole, wanted, accumulate=accumulate)
    rates = go(stopped, wanted, UpAfter(batches), accumulate=accumulate)
    made = {(2, 1): 2, (3, 1): 3, (1, 2): 1, (4, 2): 3}[batches, accumulate]
    assert (len(rates.of_steps), rates.validated[-1]) == (made, made)
    is_at = float(state_in(stopped)["state_dict"]["model.rise"])
    assert json.loads((stopped / "best.txt").read_text())["val/cer"] == pytest.approx(1 - is_at, abs=1e-6)
    for _ in range(20):
        if state_in(stopped)["uncial_run"]["finished"]:
            break
        go(stopped, wanted, UpAfter(batches), accumulate=accumulate)
    assert not differences(state_in(whole), state_in(stopped))
    assert (whole / "best.txt").read_bytes() == (stopped / "best.txt").read_bytes()
