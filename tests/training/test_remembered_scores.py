"""What a run that goes on still knows: the best score, how long it has waited, what it reported and skipped."""

import json
import shutil

import lightning as L
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scored_sessions import LeftByKill, train_session

from uncial.errors import UserError
from uncial.training.callbacks.early_stopping import EarlyStopping, Pruning
from uncial.training.callbacks.nonfinite import SkipNonFiniteSteps
from uncial.training.schedulers.plan import LengthConfig
from uncial.training.schedulers.plateau import Plateau

VALIDATIONS = 6
EACH_STEP = LengthConfig(steps=VALIDATIONS, every_steps=1)
SCORES = st.lists(st.sampled_from([0.2, 0.3, 0.4, 0.5]), min_size=VALIDATIONS, max_size=VALIDATIONS)


def by_step(scores, of_check=0.0):
    """Scores by the step that they follow; that of the check before the training must not count."""
    return {0: of_check, **dict(enumerate(scores, start=1))}


def kept_in(folder):
    return json.loads((folder / "best.json").read_text())


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(SCORES, st.integers(2, VALIDATIONS), st.sampled_from(["min", "max"]))
def test_the_best_model_is_that_of_the_first_best_score_of_all_sessions(tmp_path, scores, kill, mode):
    shutil.rmtree(tmp_path)
    tmp_path.mkdir()
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    found = by_step(scores, of_check=0.0 if mode == "min" else 1.0)
    train_session(whole, found, EACH_STEP, LeftByKill(kill, whole, killed), mode=mode)
    train_session(killed, found, EACH_STEP, mode=mode)
    best = min(scores) if mode == "min" else max(scores)
    expected = {"step": scores.index(best) + 1, "cer": best}
    assert (kept_in(whole), kept_in(killed)) == (expected, expected)


@pytest.mark.parametrize("kill", [2, 4, 5])
def test_patience_goes_on_counting_where_it_was(tmp_path, kill):
    """The best comes first, and the sixth validation is the fifth without a better one."""
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    scores = by_step([0.2, 0.5, 0.4, 0.3, 0.25, 0.24, *[0.23] * 20])
    wanted = LengthConfig(steps=26, every_steps=1)
    patience = lambda: EarlyStopping("val/cer", "min", 5, 0.0, 0)  # noqa: E731
    first = train_session(whole, scores, wanted, LeftByKill(kill, whole, killed), patience())
    second = train_session(killed, scores, wanted, patience())
    assert first.validated[-1] == second.validated[-1] == 6


@pytest.mark.parametrize("kill", [3, 5, 7])
def test_a_rate_that_has_fallen_stays_low_and_falls_when_it_would_have(tmp_path, kill):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    scores = by_step([0.2, *[0.5] * 9])
    wanted = LengthConfig(steps=10, every_steps=1)

    def schedule():
        keys = {"gamma": 0.5, "patience": 2, "min_delta": 0.0, "cooldown": 1, "final": 0.01}
        return Plateau(**keys, monitor="val/cer", mode="min")

    first = train_session(whole, scores, wanted, LeftByKill(kill, whole, killed), schedule=schedule())
    second = train_session(killed, scores, wanted, schedule=schedule())
    assert len(set(first.of_steps)) == 4, "it falls three times"
    assert second.of_steps == first.of_steps[-len(second.of_steps) :]
    assert 10 - kill <= len(second.of_steps) < 10


def test_a_search_is_told_each_validation_once_by_its_number(tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    scores = by_step([0.5, 0.4, 0.3, 0.2, 0.1, 0.1])
    told = {whole: [], killed: []}
    pruning = lambda folder: Pruning("val/cer", lambda *one: told[folder].append(one) or False)  # noqa: E731
    train_session(whole, scores, EACH_STEP, LeftByKill(3, whole, killed), pruning(whole))
    train_session(killed, scores, EACH_STEP, pruning(killed))
    assert told[whole] == list(enumerate([0.5, 0.4, 0.3, 0.2, 0.1, 0.1]))
    assert told[killed] == told[whole][-len(told[killed]) :]
    assert 3 <= len(told[killed]) < 6


def test_a_trial_that_was_ended_early_stays_ended(tmp_path):
    """As one that was killed while its report was drawn."""
    scores = by_step([0.5] * VALIDATIONS)
    pruning = lambda: Pruning("val/cer", lambda number, score: number == 2)  # noqa: E731
    assert train_session(tmp_path, scores, EACH_STEP, pruning()).validated == [1, 2, 3]
    assert train_session(tmp_path, scores, LengthConfig(steps=12, every_steps=1), pruning()).of_steps == []


class SpoilGradients(L.Callback):
    def on_after_backward(self, trainer, pl_module):
        for parameter in pl_module.parameters():
            parameter.grad.fill_(torch.nan)


@pytest.mark.parametrize("kill", [3, 12])
def test_steps_that_are_skipped_in_a_row_are_counted_over_sessions(tmp_path, kill):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    scores, wanted = by_step([0.5] * 60), LengthConfig(steps=60, every_steps=1)
    for folder, also in ((whole, [LeftByKill(kill, whole, killed)]), (killed, [])):
        with pytest.raises(UserError, match="After 19 steps the gradient has been NaN or Inf for 20 steps in a row"):
            train_session(folder, scores, wanted, SkipNonFiniteSteps(str), SpoilGradients(), *also)
