"""A page with far more lines than those of the training is looked at larger."""

import numpy as np
import pytest

from uncial.data.pages.shapes import LineShape
from uncial.models.layout.pages import Layout
from uncial.models.layout.scales import find_enlargement, measure_distance


def make_layout(rows: int, pitch: float, confidence: float = 0.9, columns: int = 1) -> Layout:
    lines = tuple(
        LineShape(np.array([[300.0 * column, pitch * row], [300.0 * column + 200, pitch * row + 2]]), 5, 2, confidence)
        for column in range(columns)
        for row in range(rows)
    )
    return Layout(lines, tuple(np.zeros((0, 2)) for _ in lines), (), pitch)


@pytest.mark.parametrize(
    ("layout", "expected"),
    [
        (make_layout(30, 10), None),
        (make_layout(30, 7), None),
        (make_layout(30, 25), None),
        (make_layout(30, 5), 2.0),
        (make_layout(35, 2.5, columns=4), 4.0),
        (make_layout(30, 10, confidence=0.4), 2.0),
        (make_layout(0, 10), 2.0),
        (make_layout(3, 2), None),
    ],
)
def test_a_page_is_shown_larger_where_its_lines_are_nearer_than_expected_or_hardly_seen(layout, expected):
    found = find_enlargement(layout, 10.0)
    assert found == (None if expected is None else pytest.approx(expected))


def test_lines_beside_one_another_and_steep_ones_say_nothing_of_the_distance():
    beside = make_layout(1, 10, columns=20)
    assert measure_distance(beside) is None
    steep = Layout(
        tuple(LineShape(line.baseline[:, ::-1], 5, 2, 0.9) for line in make_layout(30, 3).lines), (), (), 10.0
    )
    assert measure_distance(steep) is None
