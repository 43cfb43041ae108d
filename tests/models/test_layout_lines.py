"""Lines are found in maps that were drawn from them: whatever stands on the page comes back."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uncial.data.pages.maps import MapPlan, draw_maps
from uncial.data.pages.shapes import LineShape, PageShapes, measure_heights
from uncial.models.layout.fragments import LineMaps
from uncial.models.layout.lines import FindSettings, find_lines
from uncial.models.layout.outlines import outline_lines

INTERLINE = 10.0
PLAN = MapPlan()


def line(*points, up=0.7, down=0.3) -> LineShape:
    """A line through points in interlines, as high as said in interlines."""
    return LineShape(np.array(points, dtype=np.float64) * INTERLINE, up * INTERLINE, down * INTERLINE)


def find(lines, width=40.0, height=30.0, **how) -> list[LineShape]:
    size = (width * INTERLINE, height * INTERLINE)
    values = np.nan_to_num(draw_maps(PageShapes(size, INTERLINE, tuple(lines)), PLAN).values)
    return find_lines(LineMaps(*values[:7], interline=INTERLINE), FindSettings(**how))


def dense(baseline: np.ndarray) -> np.ndarray:
    steps = [start + np.linspace(0, 1, 50)[:, None] * (end - start) for start, end in pairwise(baseline)]
    return np.concatenate(steps)


def distance(points: np.ndarray, others: np.ndarray) -> float:
    return float(np.sqrt(((points[:, None] - others[None]) ** 2).sum(axis=2)).min(axis=1).max())


def assert_same(found, truth, across=0.15, ends=0.5):
    """Every line is found once, from its beginning to its end, and nothing else."""
    assert len(found) == len(truth)
    left = list(found)
    for one in truth:
        nearest = min(left, key=lambda other: distance(dense(one.baseline), dense(other.baseline)))
        left.remove(nearest)
        assert np.abs(nearest.baseline[0] - one.baseline[0]).max() < ends * INTERLINE
        assert np.abs(nearest.baseline[-1] - one.baseline[-1]).max() < ends * INTERLINE
        inner = dense(one.baseline)[3:-3]
        assert distance(inner, dense(nearest.baseline)) < (across + 0.1) * INTERLINE
        assert nearest.up == pytest.approx(one.up, rel=0.1)
        assert nearest.down == pytest.approx(one.down, rel=0.1)


def test_two_columns_with_a_gutter_of_one_interline():
    truth = [line((x, y), (x + 15, y)) for x in (2, 18) for y in range(2, 28)]
    assert_same(find(truth), truth)


def test_a_line_with_a_wide_gap_is_one_and_two_lines_with_one_are_two():
    one, two = line((2, 5), (30, 5)), [line((2, 9), (13, 9)), line((17, 9), (30, 9))]
    assert_same(find([one, *two]), [one, *two])


def test_a_gap_is_joined_where_the_settings_say_so():
    size = (40 * INTERLINE, 10 * INTERLINE)
    values = np.nan_to_num(draw_maps(PageShapes(size, INTERLINE, (line((2, 5), (30, 5)),)), PLAN).values)
    values[PLAN.place("ridge"), :, 140:170] = 0
    maps = LineMaps(*values[:7], interline=INTERLINE)
    assert len(find_lines(maps, FindSettings(max_gap=2))) == 2
    assert len(find_lines(maps, FindSettings(max_gap=5))) == 1


def test_a_page_number_of_one_character_is_a_line():
    truth = [line((19.6, 2), (20.4, 2)), *(line((5, y), (35, y)) for y in (5, 6, 7))]
    assert_same(find(truth), truth)


@pytest.mark.parametrize("degrees", [0, 15, 45, 90, 135, 180, 270])
def test_turned_lines_run_as_they_are_written(degrees):
    along = np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])
    across = np.array([-along[1], along[0]])
    middle = np.array([20.0, 20.0])
    truth = [line(middle - 8 * along + n * across, middle + 8 * along + n * across) for n in range(-6, 7)]
    assert_same(find(truth, 40, 40), truth)


def test_curved_lines():
    x = np.linspace(3, 37, 40)
    truth = [line(*np.stack([x, y + 2 * np.sin(x / 6)], axis=1)) for y in range(5, 26)]
    assert_same(find(truth), truth)


def test_a_line_that_bends_round_a_seal():
    angles = np.linspace(np.pi, 2 * np.pi, 40)
    truth = [line(*np.stack([20 + 12 * np.cos(angles), 20 + 12 * np.sin(angles)], axis=1))]
    assert_same(find(truth), truth, across=0.25)


def test_cells_of_a_table():
    truth = [line((x, y), (x + 3.5, y)) for x in range(2, 35, 5) for y in np.arange(2, 28, 0.8)]
    assert_same(find(truth), truth)


def test_a_page_without_lines_has_none():
    assert find([]) == []


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 3),
    st.integers(1, 12),
    st.floats(0.8, 2.5),
    st.floats(-8, 8),
    st.randoms(use_true_random=False),
)
def test_columns_of_any_number_distance_and_slant(columns, rows, spacing, degrees, random):
    slope = np.tan(np.radians(degrees))
    width = 30 / columns
    truth = []
    for column in range(columns):
        for row in range(rows):
            start, length = 3 + column * (width + 1.5), width * random.uniform(0.3, 1.0)
            y = 6 + row * spacing
            truth.append(line((start, y + slope * start), (start + length, y + slope * (start + length))))
    low = min(one.baseline[:, 1].min() for one in truth) / INTERLINE
    moved = [line(*(one.baseline / INTERLINE + [0, 3 - min(low, 3)])) for one in truth]
    height = max(one.baseline[:, 1].max() for one in moved) / INTERLINE + 3
    assert_same(find(moved, 42, height), moved)


def test_polygons_reach_as_high_as_was_found_and_do_not_overlap():
    lines = [line((2, y), (30, y), up=0.9, down=0.5) for y in range(3, 9)]
    polygons = outline_lines(lines, INTERLINE)
    first, last = polygons[0], polygons[-1]
    assert first[:, 1].min() == pytest.approx((3 - 0.9) * INTERLINE, abs=0.5)
    assert last[:, 1].max() == pytest.approx((8 + 0.5) * INTERLINE, abs=0.5)
    for above, below in pairwise(polygons):
        assert above[:, 1].max() <= below[:, 1].min() + 1e-6


@pytest.mark.parametrize("degrees", [0, 30, 90, 180, 200])
def test_the_polygon_of_a_turned_line_has_its_ascenders_on_the_same_side(degrees):
    along = np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])
    middle = np.array([15.0, 15.0])
    one = line(middle - 5 * along, middle + 5 * along, up=1.0, down=0.25)
    [polygon] = outline_lines([one], INTERLINE)
    up, down = measure_heights(one.baseline, polygon)
    assert up == pytest.approx(one.up, rel=0.05)
    assert down == pytest.approx(one.down, rel=0.05)


DEGENERATE = [
    LineShape(np.array([[50.0, 50.0], [50.0, 50.0]])),
    LineShape(np.array([[50.0, 50.0], [50.2, 50.0]]), 3.0, 2.0),
    LineShape(np.array([[10.0, 50.0], [90.0, 50.0], [10.0, 50.1], [90.0, 50.2]]), 5.0, 2.0),
    LineShape(np.array([[10.0, 10.0], [10.0, 90.0], [90.0, 90.0], [90.0, 10.0], [11.0, 10.0]]), 5.0, 2.0),
    LineShape(np.array([[-50.0, -20.0], [900.0, 40.0]]), -1.0, 0.0),
    LineShape(np.array([[10.0, 50.0], [90.0, 50.0]]), float("nan"), float("inf")),
]


def test_no_line_stays_without_a_polygon():
    polygons = outline_lines(DEGENERATE, INTERLINE)
    assert len(polygons) == len(DEGENERATE)
    for polygon in polygons:
        assert len(polygon) > 3
        assert np.isfinite(polygon).all()
        assert np.ptp(polygon, axis=0).min() > 0
