"""Intervals of scores, beside what tests/metrics/test_error_control.py simulates."""

import numpy as np
import pytest

from uncial.metrics.intervals import Bootstrap, estimate_rate, estimate_share


def test_two_pages_that_differ_much_tell_of_no_others():
    """Student's t with one degree of freedom would reach from nothing to a thousandfold."""
    found = estimate_rate(np.array([[1.0, 20.0]]), np.array([300.0, 300.0]), Bootstrap())
    assert found.value == pytest.approx(21 / 600)
    assert found.interval is None
    assert "2 pages differ too much" in found.reason


@pytest.mark.parametrize("score", [estimate_rate, estimate_share])
def test_pages_with_the_very_same_score_do_not_make_it_certain(score):
    found = score(np.array([[2.0, 4.0]]), np.array([15.0, 30.0]), Bootstrap())
    assert found.value == pytest.approx(6 / 45)
    assert found.interval is None
    assert "2 pages have the same score" in found.reason
