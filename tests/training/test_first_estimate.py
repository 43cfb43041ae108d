"""The steps that a time budget allows, as they are first told: with the validations in it, before any was corrected."""

from types import SimpleNamespace

import pytest
import torch
from scripted_training import Batch, Line, Scripted, bare_trainer
from torch.utils.data import DataLoader

from uncial.runs.files import RunFolder
from uncial.training.module import TrainingModule
from uncial.training.schedulers import length, schedules
from uncial.training.schedulers.plan import LengthConfig

MEASURED = 5


@pytest.fixture
def first_estimate(tmp_path, monkeypatch):
    """The first number of steps of a training whose steps and validations take so many seconds, the first step
    `first`; the training is ended there."""
    clock = [100.0]
    monkeypatch.setattr(length, "time", SimpleNamespace(monotonic=lambda: clock[0]))

    def train(wanted, step, validation, first=None):
        class Timed(Line):
            def loss(self, batch):
                is_first = self.training and not train.steps
                train.steps += self.training
                clock[0] += (step if first is None or not is_first else first) if self.training else validation
                return super().loss(batch)

        train.steps = 0
        run_length = length.RunLength(wanted, 10, 10, MEASURED, tmp_path / RunFolder.steps)
        optimizer = lambda groups: torch.optim.SGD(groups, lr=1.0)  # noqa: E731
        module = TrainingModule(Timed(), Scripted([0.5] * 99), optimizer, schedules.constant(), run_length, seed=1)
        trainer = bare_trainer(tmp_path, [run_length], num_sanity_val_steps=1, limit_train_batches=10)
        monkeypatch.setattr(run_length, "_recalibrate", lambda trainer: None)
        loader = lambda count: DataLoader([Batch()] * count, batch_size=None)  # noqa: E731
        start = clock[0]
        trainer.fit(module, loader(10), loader(1))
        return run_length.totals[0], run_length.wanted.validations, clock[0] - start

    return train


@pytest.mark.parametrize(
    ("validation", "wanted", "planned"),
    [(0.0, 10, 10), (2.0, 10, 10), (10.0, 10, 3), (5.0, 10, 6), (40.0, 10, 3), (40.0, 2, 2), (5.0, 1, 1)],
)
def test_so_many_steps_and_validations_fill_the_budget(first_estimate, validation, wanted, planned):
    """And validations get their share of it: as many of them as fit, at least three, at most those that are wanted."""
    (known_after, total), validations, seconds = first_estimate(
        LengthConfig(budget=500.0, validations=wanted), 1.0, validation
    )
    assert known_after == MEASURED
    assert validations == planned
    # The check before the training is one validation more.
    assert total * 1.0 + (planned + 1) * validation == pytest.approx(500, abs=1.5)
    assert seconds == pytest.approx(500, abs=1.5)


@pytest.mark.parametrize(("validation", "distance"), [(0.0, 20), (5.0, 20), (20.0, 50)])
def test_validations_whose_distance_is_stated_are_in_it_too(first_estimate, validation, distance):
    (_, total), _, seconds = first_estimate(
        LengthConfig(budget=500.0, validations=3, every_steps=distance), 1.0, validation
    )
    assert total < 500 / (1 + validation / distance) + 1
    assert seconds == pytest.approx(500, abs=validation + 2)


def test_the_first_step_which_pays_for_what_later_ones_reuse_is_not_measured(first_estimate):
    (_, total), _, seconds = first_estimate(LengthConfig(budget=500.0, validations=3), 1.0, 4.0, first=30.0)
    assert seconds == pytest.approx(500, abs=1.5)
    assert total == pytest.approx(500 - 29 - 4 * 4, abs=1.5)
