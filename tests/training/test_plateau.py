"""The rate that falls when the score stands still: when it falls, and how far."""

import pytest
from scripted_training import train_scripted

from uncial.training.schedulers.plan import LengthConfig
from uncial.training.schedulers.plateau import Plateau


def rates_with(scores, folder, **keys):
    """The rate of each step, of which every second one is followed by a validation."""
    given = {"gamma": 0.5, "patience": 2, "min_delta": 0.0, "cooldown": 0, "final": 0.1, **keys}
    schedule = Plateau(**given, monitor="val/cer", mode="min")
    wanted = LengthConfig(steps=2 * len(scores), every_steps=2)
    return pytest.approx(train_scripted(folder, schedule, wanted, scores).of_steps)


def test_the_step_behind_the_last_awaited_validation_has_the_lower_rate(tmp_path):
    """The best comes first, so that the third and the fifth lower the rate for the steps behind them, to its least."""
    assert rates_with([0.5, 0.6, 0.5, 0.7, 0.5, 0.8, 0.5, 0.8, 0.8, 0.8], tmp_path) == [
        *[1.0] * 6,
        *[0.5] * 4,
        *[0.25] * 4,
        *[0.125] * 4,
        *[0.1] * 2,
    ]


def test_small_gains_and_validations_after_a_fall_do_not_count(tmp_path):
    scores = [0.5, 0.49, 0.48, 0.47, 0.46, 0.38, 0.1, 0.1]
    assert rates_with(scores, tmp_path, min_delta=0.1, cooldown=1, patience=1) == [*[1.0] * 4, *[0.5] * 4, *[0.25] * 8]
