"""How far off a point has to lie to be taken for a fault, and what lies off for good reason."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from uncial.document import Page, Region, TextLine
from uncial.imaging.extraction import describe_geometry_conflicts
from uncial.imaging.far_vertices import Surroundings, mend_baseline, mend_polygon
from uncial.imaging.page_geometry import resolve_lines

STEP = 60.0
AROUND = Surroundings(1200.0, 900.0, STEP, 850.0)
LINE = TextLine("l", "p")
BASELINE = np.array([(150.0, 270.0), (690.0, 270.0), (700.0, 270.0), (710.0, 270.0), (1000.0, 270.0)])
POLYGON = np.array([*((x, 232.0) for x in range(150, 1001, 170)), *((x, 284.0) for x in range(1000, 149, -170))], float)
NONE = np.empty((0, 2))


def line_at(number, left=150.0, right=1000.0, **about):
    y = 150 + STEP * number
    polygon = ((left, y - 38), (right, y - 38), (right, y + 14), (left, y + 14))
    return TextLine(f"l{number}", "p", polygon, ((left, y), (right, y)), text="a line", **about)


def page_of(*lines, **about):
    return Page("p", Path("p.xml"), width=1200, height=900, lines=lines, **about)


@pytest.mark.parametrize(("interlines", "is_far"), [(1.2, False), (1.9, True), (2.3, True), (4.0, True)])
def test_a_point_of_a_polygon_is_far_from_one_and_a_half_interlines_on(interlines, is_far):
    polygon = POLYGON.copy()
    polygon[2, 1] -= interlines * STEP
    found = mend_polygon(polygon, BASELINE, LINE, AROUND)
    assert [position for position, _ in found.far] == ([2] if is_far else [])


@pytest.mark.parametrize(("interlines", "is_far"), [(1.2, False), (1.9, True), (2.3, True)])
@pytest.mark.parametrize("polygon", [POLYGON, NONE], ids=["beside a polygon", "without one"])
def test_a_point_of_a_baseline_is_far_from_one_and_a_half_interlines_on(interlines, is_far, polygon):
    baseline = BASELINE.copy()
    baseline[2, 1] += interlines * STEP + (14 if len(polygon) else 0)
    found = mend_baseline(baseline, polygon, LINE, AROUND)
    assert [position for position, _ in found.far] == ([2] if is_far else [])
    assert np.array_equal(found.points, np.delete(baseline, 2, axis=0) if is_far else baseline)


def test_a_polygon_of_two_points_is_none():
    """What lies far from it is judged by the other points of the baseline."""
    baseline = BASELINE.copy()
    baseline[2, 1] += 3 * STEP
    scrap = np.array([(150.0, 232.0), (180.0, 284.0)])
    assert mend_baseline(baseline, scrap, LINE, AROUND).far == mend_baseline(baseline, NONE, LINE, AROUND).far
    assert mend_baseline(baseline, scrap, LINE, AROUND).far == ((2, None),)
    assert mend_baseline(BASELINE, scrap, LINE, AROUND).far == ()


def test_a_line_may_begin_far_before_the_place_at_which_a_hand_slipped():
    """The first point lies along the line, however far; the next ones go back a little."""
    baseline = np.array([(100.0, 0.0), (500.0, 0.0), (495.0, 20.0), (900.0, 0.0)])
    for points in (baseline, baseline[::-1], baseline[:, ::-1]):
        assert mend_baseline(points, NONE, LINE, AROUND).far == ()


@pytest.mark.parametrize("direction", [None, "ltr", "ttb", "btt"])
@pytest.mark.parametrize("position", range(4))
def test_the_corner_of_a_rectangle_is_found_by_where_the_line_leads(direction, position):
    """Of a rectangle of which one corner is far off, two corners may be the wrong one: the line then says which."""
    rectangle = np.array([(150.0, 232.0), (1000.0, 232.0), (1000.0, 284.0), (150.0, 284.0)])
    if direction in ("ttb", "btt"):
        rectangle = rectangle[:, ::-1]
    line = replace(LINE, direction=direction)
    around = Surroundings(1200.0, 1200.0, STEP, 850.0)
    spoilt = rectangle.copy()
    spoilt[position] += np.array([0.0, 400.0]) if direction in (None, "ltr") else np.array([400.0, 0.0])
    found = mend_polygon(spoilt, NONE, line, around)
    assert [place for place, _ in found.far] == [position]
    assert np.abs(found.points - rectangle).max() < 3


def test_lines_without_a_polygon_beside_one_that_is_too_long_harm_nothing():
    """A baseline that goes on into the next column, on a page where some line states no polygon, or two points."""
    left, right = line_at(2, 100, 300), replace(line_at(2, 400, 1100), id="other")
    odd = [replace(line_at(3), polygon=()), replace(line_at(4), polygon=((400.0, 390.0), (1100.0, 390.0)))]
    long = replace(left, baseline=((100.0, 270.0), (1100.0, 270.0)))
    page = page_of(line_at(0, 100, 300), line_at(1, 100, 300), long, right, *odd)
    assert resolve_lines(page)[2].cut_by is None


@pytest.mark.parametrize(("beside", "is_kept"), [(20.0, True), (45.0, False)])
def test_a_stretched_line_is_cut_at_its_region_and_a_slipped_hand_is_no_fault_of_it(beside, is_kept):
    """Up to half an interline beyond the region its points lie in it all the same."""
    region = Region("r", None, ((150.0, 60.0), (1000.0, 60.0), (1000.0, 500.0), (150.0, 500.0)))
    lines = [replace(line_at(n), polygon=(), region_id="r") for n in range(5)]
    ends = [(150.0 - beside, 270.0), (300.0, 270.0), (5000.0, 270.0), (5600.0, 270.0)]
    lines[2] = replace(lines[2], baseline=tuple(ends))
    found = resolve_lines(page_of(*lines, regions=(region,)))[2].line.baseline
    assert found[-1][0] == pytest.approx(1030.0 if is_kept else 1200.0)


def test_a_far_point_is_told_by_its_place_counted_from_one():
    lines = [line_at(n) for n in range(5)]
    polygon = list(lines[2].polygon)
    polygon[3] = (150.0, 880.0)
    lines[2] = replace(lines[2], polygon=tuple(polygon))
    [note] = describe_geometry_conflicts(resolve_lines(page_of(*lines)))
    assert note.line == "l2"
    assert note.reason.startswith("point 4 of 4 of its polygon (150, 880) lies far from the rest of the line and was ")
