"""How far apart the lines of a page are, by whatever it states of them."""

import numpy as np
import pytest

from uncial.document import TextLine
from uncial.imaging.bands import estimate_interline, estimate_line_spacing
from uncial.imaging.polylines import join_points


def interline_of(lines):
    return estimate_interline(
        lines, join_points([one.polygon for one in lines], 3), join_points([one.baseline for one in lines], 2)
    )


def line(number, baseline=(), polygon=(), box=None):
    return TextLine(f"l{number}", "p", tuple(polygon), tuple(baseline), box)


def rectangle(left, top, right, bottom):
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def level(y, left=0.0, right=100.0):
    return ((left, y), (right, y))


@pytest.mark.parametrize("turn", [lambda x, y: (x, y), lambda x, y: (y, x), lambda x, y: (x, y + 0.3 * x)])
def test_it_is_the_usual_distance_across_the_lines(turn):
    """The median; the lines may run in any direction, and between two far apart there may be a picture."""
    heights = [50.0, 90.0, 130.0, 400.0, 440.0]
    lines = [line(n, tuple(turn(x, y) for x, y in level(y))) for n, y in enumerate(heights)]
    across = 1 if turn(1, 0) != (1, 0.3) else 1 / np.hypot(1, 0.3)
    assert estimate_line_spacing(lines) == pytest.approx(40 * across, rel=1e-6)
    assert interline_of(lines) == pytest.approx(40 * across, rel=1e-6)


def test_lines_that_spread_are_measured_at_their_middles():
    """From the middle of each across it, whether the next line begins where it does or not."""
    below = ((0.0, 20.0), (60.0, 44.0), (100.0, 60.0))
    lines = [line(0, ((0.0, 0.0), (60.0, 0.0), (100.0, 0.0))), line(1, below)]
    across_first, across_second = 40.0, 40 / np.cos(np.arctan(0.4))
    assert estimate_line_spacing(lines) == pytest.approx((across_first + across_second) / 2)
    shifted = [line(0, level(0.0)), line(1, level(30.0, 40.0, 140.0))]
    assert estimate_line_spacing(shifted) == pytest.approx(30)


def test_a_line_that_begins_where_another_one_has_its_middle_passes_there():
    lines = [line(0, level(0.0, 0.0, 100.0)), line(1, level(30.0, 50.0, 150.0))]
    assert interline_of(lines) == pytest.approx(30)


def test_what_does_not_pass_does_not_tell():
    """Beside one another, in a right angle, the same line twice, or a single one."""
    for lines in (
        [line(0, level(0.0)), line(1, level(30.0, 200.0, 300.0))],
        [line(0, level(0.0)), line(1, ((50.0, 10.0), (50.0, 90.0)))],
        [line(0, level(0.0)), line(1, level(2.0))],
        [line(0, level(0.0))],
        [line(0, ((5.0, 5.0), (5.0, 5.0)))] * 2,
        [],
    ):
        assert estimate_line_spacing(lines) is None
        assert interline_of(lines) is None


@pytest.mark.parametrize(("distance", "expected"), [(10.0, 0.6 * 40), (30.0, 30.0), (90.0, 90.0), (300.0, 2.5 * 40)])
def test_it_is_believed_between_multiples_of_the_outlines_height(distance, expected):
    lines = [line(n, level(n * distance), rectangle(0, n * distance - 30, 100, n * distance + 10)) for n in range(3)]
    assert interline_of(lines) == pytest.approx(expected)


def test_of_one_line_it_is_the_height_of_its_outline():
    assert interline_of([line(0, level(0.0), rectangle(0, -30, 100, 10))]) == pytest.approx(40)
    assert interline_of([line(0, (), (), (0.0, 0.0, 100.0, 25.0))]) == pytest.approx(25)
    assert interline_of([line(0, (), (), (0.0, 0.0, 25.0, 100.0))]) == pytest.approx(25), "a column"
    assert interline_of([line(0, level(0.0), ((0, 0), (100, 0), (50, 0)))]) is None, "without area"
