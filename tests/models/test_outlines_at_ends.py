"""Polygons of lines beside a neighbour that is a little shorter."""

import numpy as np
import pytest

from uncial.data.pages.shapes import LineShape
from uncial.models.layout.outlines import outline_lines

INTERLINE = 20.0


def line(left, right, bottom, up=25.0):
    return LineShape(np.array([[left, bottom], [right, bottom]], np.float64), up, 6.0)


def heights(polygon, bottom):
    return bottom - polygon[: len(polygon) // 2, 1]


@pytest.mark.parametrize("shorter", [0, 10, 18])
def test_a_polygon_does_not_spread_out_where_the_line_above_ends(shorter):
    above, below = outline_lines([line(shorter, 200 - shorter, 20), line(0, 200, 40)], INTERLINE)
    # The two divide the 20 pixels between their baselines all along.
    assert heights(below, 40) == pytest.approx(20 * 25 / 31)
    assert above[:, 1].max() <= 40 - 20 * 25 / 31 + 1e-6


def test_far_beyond_a_short_line_it_is_as_high_as_it_was_found():
    _, below = outline_lines([line(0, 100, 20), line(0, 200, 40)], INTERLINE)
    assert heights(below, 40)[-1] == pytest.approx(25)
    assert heights(below, 40)[0] == pytest.approx(20 * 25 / 31)


def test_a_line_of_the_next_column_does_not_cut_the_end_off():
    """It begins close to the end of this one, two pixels higher."""
    first, _ = outline_lines([line(0, 100, 40), line(112, 212, 38)], INTERLINE)
    assert heights(first, 40) == pytest.approx(25)
