"""What a time budget is turned into, and a run that repeats it."""

import json
import shutil
from itertools import count
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scripted_training import Batch, Line, Scripted, bare_trainer, train_scripted
from torch.utils.data import DataLoader

from uncial.data.sampler import EvaluationSampler
from uncial.training import length, schedules
from uncial.training.module import TrainingModule
from uncial.training.plan import Wanted

BUDGET = Wanted(budget=60.0, validations=9)


@pytest.mark.parametrize("warmup", [{"warmup_fraction": 0.5}, {"warmup_steps": 0}, {"warmup_steps": 8}])
def test_a_repetition_has_the_rates_and_validations_of_the_run(warmup, tmp_path, monkeypatch):
    """Those of the steps too that were made before the length was known."""
    seconds = count()
    monkeypatch.setattr(length, "time", SimpleNamespace(monotonic=lambda: next(seconds)))
    schedule = schedules.linear(final=0.0, period=None, unit="step", **warmup)

    def train(name):
        return train_scripted(tmp_path / name, schedule, BUDGET, [0.5] * 9, measured_steps=8)

    first = train("first")
    total = int((tmp_path / "first" / length.STEPS).read_text())
    kept = json.loads((tmp_path / "first" / length.MEASURED).read_text())
    assert 20 < total == kept["steps"] == len(first.of_steps) == first.validated[-1]
    assert kept["known_after"] == 8 < first.validated[0]
    assert first.of_steps[-1] < 0.1 < max(first.of_steps)
    (tmp_path / "again").mkdir()
    for name in (length.STEPS, length.MEASURED):
        shutil.copy(tmp_path / "first" / name, tmp_path / "again" / name)
    again = train("again")
    assert (again.of_steps, again.validated) == (first.of_steps, first.validated)


def test_lines_that_are_wider_than_others_do_not_break_the_budget(tmp_path, monkeypatch):
    """A step takes a second, a line in a validation a second for a thousand pixels of width: 25 s a validation."""
    clock = [0.0]
    monkeypatch.setattr(length, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    widths = np.array([100] * 50 + [200] * 50 + [2000] * 5)
    sampler = EvaluationSampler(widths, 100, 64)

    class Lines:
        def __getitems__(self, picks):
            return SimpleNamespace(indices=[pick.position for pick in picks])

    class Timed(Line):
        def loss(self, batch):
            clock[0] += 1.0 if self.training else widths[list(batch.indices)].sum() / 1000
            return super().loss(batch)

    run_length = length.RunLength(Wanted(budget=500.0, validations=3), 10, 10, 5, tmp_path / length.STEPS)
    optimizer = lambda groups: torch.optim.SGD(groups, lr=1.0)  # noqa: E731
    module = TrainingModule(Timed(), Scripted([0.5] * 9), optimizer, lambda step, plan: 1.0, run_length, seed=1)
    trainer = bare_trainer(tmp_path, [run_length], num_sanity_val_steps=8)
    validation = DataLoader(Lines(), batch_sampler=sampler, collate_fn=lambda batch: batch)
    trainer.fit(module, DataLoader([Batch()] * 10, batch_size=None), validation)
    assert clock[0] == pytest.approx(500, rel=0.05)
