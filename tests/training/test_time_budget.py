"""What a time budget is turned into, and a run that repeats it."""

import json
import shutil
from itertools import count
from types import SimpleNamespace

import lightning as L
import numpy as np
import pytest
import torch
from scripted_training import Batch, Line, Rates, Scripted, bare_trainer, train_scripted
from torch.utils.data import DataLoader

from uncial.data.lines.sampler import EvaluationSampler
from uncial.runs.files import RunFolder
from uncial.training.module import TrainingModule
from uncial.training.schedulers import length, schedules
from uncial.training.schedulers.plan import LengthConfig

BUDGET = LengthConfig(budget=60.0, validations=9)


@pytest.mark.parametrize("warmup", [{"warmup_fraction": 0.5}, {"warmup_steps": 0}, {"warmup_steps": 8}])
def test_a_repetition_has_the_rates_and_validations_of_the_run(warmup, tmp_path, monkeypatch):
    """Those of the steps too that were made before the length was known."""
    seconds = count()
    monkeypatch.setattr(length, "time", SimpleNamespace(monotonic=lambda: next(seconds)))
    schedule = schedules.linear(final=0.0, period=None, unit="step", **warmup)

    def train(name):
        return train_scripted(tmp_path / name, schedule, BUDGET, [0.5] * 99, measured_steps=8)

    first = train("first")
    total = int((tmp_path / "first" / RunFolder.steps).read_text())
    kept = json.loads((tmp_path / "first" / RunFolder.measured_budget).read_text())
    assert 20 < total == kept["steps"] == len(first.of_steps) == first.validated[-1]
    assert kept["known_after"] == 8 < first.validated[0]
    assert len(kept["totals"]) > 1, "validations take time that the first steps do not tell of"
    assert first.of_steps[-1] < 0.1 < max(first.of_steps)
    (tmp_path / "again").mkdir()
    for name in (RunFolder.steps, RunFolder.measured_budget):
        shutil.copy(tmp_path / "first" / name, tmp_path / "again" / name)
    again = train("again")
    assert (again.of_steps, again.validated) == (first.of_steps, first.validated)


@pytest.fixture
def clock(monkeypatch):
    """The seconds that a training believes to have passed, which the test turns on."""
    seconds = [100.0]
    monkeypatch.setattr(length, "time", SimpleNamespace(monotonic=lambda: seconds[0]))
    return seconds


def train_timed(folder, clock, wanted, seconds, callbacks=(), validation=None, checkpoint=None, **settings):
    """Epochs of ten steps; `seconds` says how long a batch takes, from whether it is one of the training and itself."""

    class Timed(Line):
        def loss(self, batch):
            clock[0] += seconds(self.training, batch)
            return super().loss(batch)

    run_length = length.RunLength(wanted, 10, 10, 5, folder / RunFolder.steps)
    optimizer = lambda groups: torch.optim.SGD(groups, lr=1.0)  # noqa: E731
    schedule = schedules.linear(final=0.0, period=None, unit="step")
    module = TrainingModule(Timed(), Scripted([0.5] * 99), optimizer, schedule, run_length, seed=1)
    trainer = bare_trainer(folder, [run_length, *callbacks], **{"num_sanity_val_steps": 1, **settings})
    training = DataLoader([Batch()] * 10, batch_size=None)
    trainer.fit(module, training, validation or DataLoader([Batch()], batch_size=None), ckpt_path=checkpoint)
    return trainer.global_step


def test_lines_that_are_wider_than_others_do_not_break_the_budget(tmp_path, clock):
    """A step takes a second, a line in a validation a second for a thousand pixels of width: 25 s a validation."""
    widths = np.array([100] * 50 + [200] * 50 + [2000] * 5)

    class Lines:
        def __getitems__(self, picks):
            return SimpleNamespace(indices=[pick.position for pick in picks], loss_weight=1.0, infeasible=())

    def seconds(is_training, batch):
        return 1.0 if is_training else widths[list(batch.indices)].sum() / 1000

    validation = DataLoader(Lines(), batch_sampler=EvaluationSampler(widths, 100, 64), collate_fn=lambda batch: batch)
    start, wanted = clock[0], LengthConfig(budget=500.0, validations=3)
    train_timed(tmp_path, clock, wanted, seconds, validation=validation, num_sanity_val_steps=8)
    assert clock[0] - start == pytest.approx(500, rel=0.05)


@pytest.mark.parametrize("speed", [lambda second: 1.0, lambda second: 1.4 if second > 150 else 1.0, lambda second: 0.7])
@pytest.mark.parametrize("distance", [{}, {"every_epochs": 4.0}])
def test_a_budget_is_kept_where_steps_become_slower_or_faster_than_those_that_were_measured(
    speed, distance, tmp_path, clock
):
    start, rates = clock[0], Rates()

    def seconds(is_training, batch):
        return speed(clock[0] - start) if is_training and clock[0] - start > 12 else 1.0

    train_timed(tmp_path, clock, LengthConfig(budget=500.0, validations=10, **distance), seconds, [rates])
    assert clock[0] - start == pytest.approx(500, rel=0.015)
    assert rates.validated[-1] == len(rates.of_steps) == int((tmp_path / RunFolder.steps).read_text())
    assert np.diff(rates.validated).min() > 3, "no validation just before the one that ends the run"
    assert rates.of_steps[-1] < 0.02, "the rate comes to its end with the run"


def test_a_run_goes_on_with_the_budget_that_is_left(tmp_path, clock):
    """And with the numbers of steps that were known when it was interrupted."""

    class Interrupted(L.Callback):
        def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
            if trainer.global_step == 33:
                trainer.save_checkpoint(tmp_path / "left.ckpt")
                trainer.should_stop = True

    def train(callback, checkpoint=None):
        wanted = LengthConfig(budget=100.0, validations=5)
        seconds = lambda is_training, batch: float(is_training)  # noqa: E731
        return train_timed(tmp_path, clock, wanted, seconds, [callback], checkpoint=checkpoint)

    assert train(Interrupted()) < 50
    clock[0] += 1000.0
    rates = Rates()
    assert train(rates, tmp_path / "left.ckpt") == pytest.approx(100, abs=2)
    assert rates.of_steps[0] == pytest.approx(1 - 33 / 100, abs=0.02)
    assert rates.of_steps[-1] < 0.02
