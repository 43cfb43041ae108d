"""When trainer.patience ends a run: after so many validations without a better score, not before its least epochs."""

import re

import pytest
from program import TINY
from scored_sessions import train_session

from uncial.training.callbacks.early_stopping import EarlyStopping
from uncial.training.schedulers.plan import LengthConfig

STEPS = 24
BATCHES = 4
"""Of an epoch."""


def last_step(folder, scores, patience, min_delta=0.0, min_epochs=0.0, mode="min", accumulate=1):
    """The step after which a run ends that validates after each one, the best score standing in for the check before
    the training and the last one for all further validations."""
    best = min(scores) if mode == "min" else max(scores)
    found = {step: scores[min(step, len(scores)) - 1] if step else best for step in range(STEPS + 1)}
    stopping = EarlyStopping("val/cer", mode, patience, min_delta, min_epochs)
    wanted = LengthConfig(steps=STEPS, every_steps=1)
    rates = train_session(folder, found, wanted, stopping, batches=BATCHES, mode=mode, accumulate=accumulate)
    assert rates.validated[-1] == len(rates.of_steps)
    return rates.validated[-1]


@pytest.mark.parametrize(
    ("scores", "patience", "end"),
    [
        ([0.5], 1, 2),
        ([0.5], 3, 4),
        ([0.5, 0.6, 0.4, 0.6], 2, 5),
        ([0.5, 0.4, 0.3, 0.2], 1, 5),
        ([0.5], None, STEPS),
        ([float("nan")], 2, 2),
    ],
)
def test_it_ends_after_so_many_validations_without_a_better_score(tmp_path, scores, patience, end):
    assert last_step(tmp_path, scores, patience) == end


def test_of_a_score_that_is_to_rise_the_higher_is_the_better_one(tmp_path):
    assert last_step(tmp_path, [0.1, 0.2, 0.3, 0.2], 2, mode="max") == 5


@pytest.mark.parametrize(("min_delta", "end"), [(0.0, 9), (0.05, 7), (0.2, 4)])
def test_gains_that_are_smaller_than_the_least_one_do_not_count(tmp_path, min_delta, end):
    """Of steps of 0.02 three together are more than 0.05."""
    scores = [0.50, 0.48, 0.46, 0.44, 0.43, 0.42]
    assert last_step(tmp_path, scores, 3, min_delta) == end


@pytest.mark.parametrize(
    ("min_epochs", "accumulate", "end"),
    [(0, 1, 2), (1, 1, 4), (3, 1, 12), (2.5, 1, 10), (3, 2, 6), (3, 3, 6), (100, 1, STEPS)],
)
def test_it_does_not_end_before_its_least_epochs(tmp_path, min_epochs, accumulate, end):
    """Of four batches, or of so many steps as make of those; what was waited before counts."""
    assert last_step(tmp_path, [0.5], 1, min_epochs=min_epochs, accumulate=accumulate) == end


@pytest.mark.parametrize(("min_epochs", "end"), [(4, 4), (1, 2)])
def test_the_keys_of_a_run_say_so(run, drawn, min_epochs, end):
    """No validation can be so much better than the first."""
    ended = run(
        "task=train",
        "data=page",
        f"data.root={drawn / 'page'}",
        *TINY,
        "trainer.batch_width=1000",
        "trainer.min_delta=9",
        "callbacks.samples=0",
        "report.pictures=0",
        "trainer.patience=1",
        "trainer.max_epochs=6",
        "trainer.validate_every_epochs=1",
        f"trainer.min_epochs={min_epochs}",
    )
    assert ended.code == 0, ended
    [epochs] = re.findall(r"Stopped after step \d+, ([\d.]+) epochs", ended.output)
    assert float(epochs) == end
