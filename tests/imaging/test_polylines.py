"""Polylines and polygons: clipped, resampled, smoothed, and measured many at once."""

import cv2
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from uncial.imaging.polylines import (
    clip_line,
    clip_polygon,
    compute_arcs,
    compute_area,
    densify,
    find_points_along,
    join_points,
    measure_lengths,
    smooth,
    smooth_once,
)

COORDINATES = st.tuples(st.integers(-50, 150), st.integers(-50, 150)).map(lambda at: (float(at[0]), float(at[1])))
LOW, HIGH = np.array([0.0, 10.0]), np.array([100.0, 80.0])


@settings(deadline=None)
@given(st.lists(COORDINATES, min_size=2, max_size=6))
def test_a_line_is_clipped_where_it_first_enters_and_last_leaves(points):
    """Against the same line walked in small steps."""
    line = np.array(points)
    assume((measure_lengths(line) > 0).all())
    found = clip_line(line, LOW, HIGH)
    pieces = [line[i] + np.linspace(0, 1, 2001)[:, None] * (line[i + 1] - line[i]) for i in range(len(line) - 1)]
    walked = np.concatenate(pieces)
    inside = np.flatnonzero(((walked >= LOW) & (walked <= HIGH)).all(axis=1))
    if len(inside) < 2:
        return
    assert found[0] == pytest.approx(walked[inside[0]], abs=0.3)
    assert found[-1] == pytest.approx(walked[inside[-1]], abs=0.3)
    between = line[inside[0] // 2001 + 1 : inside[-1] // 2001 + 1]
    assert np.allclose(found[1:-1], between) or len(found) - 2 != len(between)
    assert measure_lengths(found).sum() == pytest.approx(
        measure_lengths(walked[inside[0] : inside[-1] + 1]).sum(), abs=1
    )


def test_a_line_that_never_comes_in_has_no_points():
    for line in ([(-10, 0), (-10, 90)], [(0, 5), (100, 5)], [(-20, 50), (-1, 50)]):
        assert not len(clip_line(np.array(line, dtype=float), LOW, HIGH))


@settings(deadline=None)
@given(st.lists(COORDINATES, min_size=3, max_size=8))
def test_a_polygon_is_clipped_to_what_lies_between_the_corners(points):
    """A convex one, whose intersection OpenCV computes too."""
    polygon = cv2.convexHull(np.array(points, np.float32))[:, 0].astype(float)
    assume(compute_area(polygon) > 10)
    found = clip_polygon(polygon, LOW, HIGH)
    if len(found):
        assert (found >= LOW - 1e-9).all()
        assert (found <= HIGH + 1e-9).all()
    corners = np.array([LOW, (HIGH[0], LOW[1]), HIGH, (LOW[0], HIGH[1])], np.float32)
    area, _ = cv2.intersectConvexConvex(polygon.astype(np.float32), corners)
    assert compute_area(found) == pytest.approx(area, abs=0.1)


@pytest.mark.parametrize("bend", [0.002, -0.002])
@pytest.mark.parametrize("count", [4, 5, 9])
def test_points_clicked_on_an_arc_come_back_onto_it(bend, count):
    """Between any two of them, at both ends too: the corners that clicks cut off are given back."""
    radius = 1 / bend
    angle = np.linspace(-0.6, 0.6, count)
    clicked = np.stack([radius * np.sin(angle), radius * (1 - np.cos(angle))], axis=1)
    found = compute_arcs(clicked, 5.0)
    off = np.abs(np.hypot(found[:, 0], found[:, 1] - radius) - abs(radius))
    cut = abs(radius) * (1 - np.cos(0.6 / (count - 1)))
    assert off.max() < 0.15 * cut, "of what the chords cut off"
    steps = measure_lengths(found)
    assert steps.max() < 5.6
    assert np.allclose(found[[0, -1]], clicked[[0, -1]])


def test_a_kink_and_a_long_straight_piece_stay():
    line = np.array([(0.0, 0.0), (300.0, 0.0), (300.0, 200.0)])
    found = compute_arcs(line, 5.0)
    assert np.minimum(np.abs(found[:, 1]), np.abs(found[:, 0] - 300)).max() < 1e-9, "turned by a right angle"
    bent = np.array([(0.0, 0.0), (500.0, 0.0), (520.0, 4.0), (540.0, 12.0)])
    found = compute_arcs(bent, 5.0)
    assert np.abs(found[found[:, 0] < 500, 1]).max() < 3, "a long piece beside short ones"


@settings(deadline=None)
@given(st.floats(-3, 3), st.floats(-50, 50), st.integers(3, 60), st.floats(0.5, 8))
def test_what_is_straight_stays_as_it_is_however_it_is_smoothed(slope, start, count, sigma):
    x = np.arange(count, dtype=float)
    line = np.stack([x, start + slope * x], axis=1)
    assert np.allclose(smooth(line, sigma), line, atol=1e-6)
    assert np.allclose(smooth_once(line[:, 1], sigma), line[:, 1], atol=1e-6)


def test_waves_go_and_bends_stay():
    at = np.arange(400, dtype=float)
    bend, wave = 40 * np.sin(at / 80), 3 * np.sin(at * 2)
    found = smooth(np.stack([at, bend + wave], axis=1), 6.0)[:, 1]
    assert np.abs(found - bend)[20:-20].max() < 0.2


@settings(deadline=None)
@given(st.lists(COORDINATES, min_size=3, max_size=7), st.floats(1, 40))
def test_a_denser_polygon_is_the_same_one(points, step):
    polygon = np.array(points)
    found = densify(polygon, step)
    closed = np.concatenate([found, found[:1]])
    assert measure_lengths(closed).max() <= step + 1e-9 or len(found) == len(polygon)
    assert measure_lengths(closed).sum() == pytest.approx(measure_lengths(np.concatenate([polygon, polygon[:1]])).sum())
    assert compute_area(found) == pytest.approx(compute_area(polygon), abs=1e-2 * max(1.0, compute_area(polygon)))


def test_points_along_are_the_middles_of_equal_pieces():
    line = np.array([(0.0, 0.0), (10.0, 0.0), (10.0, 30.0)])
    assert find_points_along(line, 4).tolist() == [[5, 0], [10, 5], [10, 15], [10, 25]]


@given(st.lists(st.lists(COORDINATES, max_size=6), max_size=5), st.integers(1, 3))
def test_many_lists_are_measured_as_each_alone(lists, least):
    found = join_points(lists, least)
    kept = [number for number, points in enumerate(lists) if len(points) >= least]
    assert found.owners.tolist() == kept
    assert found.counts.tolist() == [len(lists[number]) for number in kept]
    if not kept:
        return
    for own, number in enumerate(kept):
        points = np.array(lists[number])
        assert found.least(found.points)[own].tolist() == points.min(axis=0).tolist()
        assert found.most(found.points)[own].tolist() == points.max(axis=0).tolist()
        assert found.areas()[own] == pytest.approx(compute_area(points) if len(points) > 2 else 0.0, abs=1e-6)
