"""Confidences against what came true, and the temperatures that bring them together."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from uncial.document import Transcription
from uncial.metrics.calibration import (
    Temperatures,
    apply_calibration,
    apply_temperature,
    fit_temperature,
    fit_temperatures,
    measure_calibration,
    measure_reliability,
)
from uncial.metrics.lines import LineOrigin, evaluate_line

fractions = st.floats(0, 1)


def test_the_expected_calibration_error_by_hand():
    found = measure_reliability([0.95, 0.95, 0.95, 0.95, 0.5, 0.5, 1.0, 0.0], [1, 1, 1, 0, 0, 0, 1, 0])
    assert [(one.count, one.accuracy) for one in found.bins] == [(1, 0.0), (2, 0.0), (5, 0.8)]
    assert found.ece == pytest.approx((1 * 0 + 2 * 0.5 + 5 * (4.8 / 5 - 0.8)) / 8)
    assert measure_reliability([], []) is None


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_the_temperature_of_confidences_that_are_off_is_found(temperature):
    random = np.random.default_rng(3)
    logits = random.normal(1, 2, 20_000)
    right = random.random(20_000) < expit(logits / temperature)
    assert fit_temperature(expit(logits), right.astype(float)) == pytest.approx(temperature, rel=0.06)
    better = [apply_temperature(one, temperature) for one in expit(logits).tolist()]
    assert measure_reliability(better, right).ece < 0.02


def test_nothing_is_learned_from_what_is_all_right():
    assert fit_temperature(np.array([0.9, 0.8]), np.array([1.0, 1.0])) == 1.0
    assert fit_temperature(np.array([]), np.array([])) == 1.0


@given(fractions, fractions, st.floats(0.1, 10))
def test_a_temperature_keeps_fractions_and_their_order(one, other, temperature):
    low, high = sorted((one, other))
    assert 0 <= apply_temperature(low, temperature) <= apply_temperature(high, temperature) <= 1
    assert apply_temperature(low, 1.0) == low


def test_characters_are_right_where_the_alignment_says_so():
    line = evaluate_line(LineOrigin("p", "l"), "abcd", " abxdd", confidence=0.5, character_confidences=[0.1] * 6)
    assert line.prediction == "abxdd"
    found = measure_calibration([line])
    assert (found.characters.count, found.characters.accuracy) == (5, 3 / 5)
    assert found.lines.accuracy == 1 - 2 / 4
    changed = evaluate_line(LineOrigin("p", "l"), "a", "e\u0301", "nfc", 0.5, [0.1, 0.2])
    assert changed.character_confidences == (), "they no longer belong to the characters"
    assert measure_calibration([changed]).characters is None


def test_lines_and_characters_have_temperatures_of_their_own():
    lines = [
        evaluate_line(LineOrigin("p", str(number)), "ab", "ab" if number % 2 else "cd", "none", 0.99, [0.6, 0.4])
        for number in range(40)
    ]
    found = fit_temperatures(lines)
    assert found.lines > 5
    softened = apply_calibration(Transcription("ab", 0.99, (0.6, 0.4)), Temperatures(characters=1.0, lines=found.lines))
    assert softened.character_confidences == (0.6, 0.4)
    assert softened.confidence < 0.75
