"""Baselines on drawn pages against what the public scorer of cBAD (in Java) said of them, recorded once."""

import pytest

from uncial.metrics.layout.baselines import score_baselines


def draw_page(number):
    """Lines in all directions, the found ones moved, left out and added; the same in every version of Python."""
    state = number

    def pick(low, high):
        nonlocal state
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        return low + (state >> 33) % (high - low + 1)

    def line():
        x, y = (pick(-100, 900), pick(-100, 900)) if pick(0, 9) else (pick(9900, 10200), pick(0, 300))
        width, height = ((300, 20), (20, 300), (150, 150), (6, 6), (500, 2))[pick(0, 4)]
        points = [(x + pick(-width, width), y + pick(-height, height)) for _ in range(pick(2, 5))]
        return [*points[:-1], points[-1 - pick(0, 1)]]

    truth = [line() for _ in range(pick(3, 12))]
    found = [[(x + pick(-8, 8), y + pick(-8, 8)) for x, y in one] for one in truth if pick(0, 4)]
    return truth, [*found, *(line() for _ in range(pick(0, 3)))]


OWN_TOLERANCES = [
    (0.9647448765, 0.8486393537),
    (0.0017857143, 0.0024154589),
    (0.5478871595, 0.5146167492),
    (0.8174558954, 0.739263567),
    (0.7142857143, 1.0),
    (0.4654243363, 0.7521444642),
    (0.5538700438, 0.6283990142),
    (0.845670879, 0.8765215918),
    (0.6666666667, 1.0),
    (0.645762977, 0.5011145651),
    (0.8, 0.8888888889),
    (1.0, 0.5),
    (0.6324923077, 0.79532),
    (0.8268242006, 0.8023081237),
    (0.7932631589, 0.803046896),
    (0.9981738487, 0.9994314465),
    (0.4002612245, 0.6676434109),
    (0.541636021, 0.5868010146),
    (0.875, 0.9628144852),
    (0.6993856838, 0.5968531469),
    (0.6666666667, 1.0),
    (0.8756998756, 0.7877723845),
    (0.75, 0.7223859646),
    (0.8569393542, 0.9995853598),
    (0.4291669452, 0.3633177157),
    (0.8333333333, 0.9090909091),
    (0.0595114857, 0.0593696059),
    (1.0, 0.75),
    (1.0, 0.3333333333),
    (0.8476305911, 0.6705815533),
    (0.7142854877, 0.8333333333),
    (0.7142857143, 1.0),
    (0.6741738265, 0.7232673272),
    (0.7735174839, 0.8731951482),
    (0.6693120326, 0.8644813192),
    (0.75, 1.0),
    (0.7238964361, 0.7981798559),
    (0.5593319646, 0.5174418909),
    (0.8926601942, 1.0),
    (0.7689577722, 0.8332053882),
]
"""Precision and recall of pages 1, 2, …, to ten digits."""

FIXED_TOLERANCES = [
    (0.9992707135, 0.8571383817),
    (0.4999631574, 0.7547145518),
    (0.9148614602, 0.8349299547),
    (0.813977442, 0.7442679231),
    (0.7123378823, 0.999947008),
    (0.6653358401, 1.0),
    (0.7272001522, 0.8037688139),
    (0.8568498376, 0.8724665671),
]
"""The same with tolerances of 10 to 30 pixels."""


@pytest.mark.parametrize("number", range(len(OWN_TOLERANCES)))
def test_each_line_has_its_own_tolerance(number):
    scores = score_baselines(*draw_page(number + 1))
    assert (scores.precision, scores.recall) == pytest.approx(OWN_TOLERANCES[number], abs=1e-9)


@pytest.mark.parametrize("number", range(len(FIXED_TOLERANCES)))
def test_tolerances_are_fixed(number):
    scores = score_baselines(*draw_page(number + 1), tolerances=range(10, 31))
    assert (scores.precision, scores.recall) == pytest.approx(FIXED_TOLERANCES[number], abs=1e-9)
