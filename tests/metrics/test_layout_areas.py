"""IoU of polygons and of classes of pixels."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uncial.document import Page, Region, TextLine
from uncial.metrics.layout.areas import (
    BACKGROUND,
    compute_area,
    compute_iou,
    count_line_pixels,
    count_region_pixels,
    fill_polygon,
    match_ious,
    region_type,
    score_pixels,
)


def box(left, top, right, bottom):
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def page(*regions, width=100, height=100, lines=()):
    made = tuple(Region(str(number), kind, polygon) for number, (kind, polygon) in enumerate(regions))
    return Page("p", Path("p.xml"), width=width, height=height, regions=made, lines=tuple(lines))


SPIRAL = [(0, 0), (10, 0), (10, 10), (0, 10), (0, 0), (10, 0), (10, 10), (0, 10)]
EIGHT = [(0, 0), (10, 10), (10, 0), (0, 10)]
PENTAGRAM = [(math.sin(k * 4 * math.pi / 5), math.cos(k * 4 * math.pi / 5)) for k in range(5)]


def test_boxes_are_exact():
    assert compute_iou(box(0, 0, 10, 10), box(5, 0, 15, 10)) == 1 / 3
    assert compute_iou(box(0, 0, 10, 10), box(0, 0, 10, 5)) == 0.5
    assert compute_iou(box(0, 0, 10, 10), box(10, 0, 20, 10)) == 0
    assert compute_iou(box(0, 0, 10, 10), box(50, 50, 60, 60)) == 0


@pytest.mark.parametrize(
    ("polygon", "area"),
    [
        (box(0, 0, 3, 4), 12),
        (box(0, 0, 3, 4)[::-1], 12),
        ([(0, 0), (4, 0), (0, 3)], 6),
        (SPIRAL, 100),
        (EIGHT, 50),
        # The middle of a star is part of it: 10 triangles of a circle of radius 1.
        (PENTAGRAM, 10 * 0.5 * math.sin(math.pi / 5) * math.sin(math.pi / 10) / math.sin(7 * math.pi / 10)),
        ([(0, 0), (5, 5)], 0),
        ([(0, 0), (5, 5), (9, 9)], 0),
        ([], 0),
        ([(0, 0), (math.nan, 1), (4, 0), (0, 3)], 6),
    ],
)
def test_areas(polygon, area):
    assert compute_area(polygon) == pytest.approx(area, rel=1e-3)


def test_nothing_has_no_iou():
    assert compute_iou([], []) == compute_iou([(0, 0)], [(0, 0)]) == compute_iou([], box(0, 0, 1, 1)) == 0


numbers = st.one_of(st.floats(), st.floats(-1e9, 1e9), st.integers(-9, 9).map(float))
wild = st.lists(st.tuples(numbers, numbers), max_size=7)


@settings(max_examples=80, deadline=None)
@given(wild, wild)
def test_iou_is_a_fraction_whichever_comes_first(one, other):
    iou = compute_iou(one, other)
    assert 0 <= iou <= 1 + 1e-9
    assert compute_iou(other, one) == pytest.approx(iou, abs=1e-9)


small = st.lists(st.tuples(st.integers(0, 200), st.integers(0, 200)), min_size=3, max_size=8)


@settings(max_examples=60, deadline=None)
@given(small, st.integers(-1000, 1000), st.integers(-1000, 1000))
def test_a_polygon_is_itself_wherever_it_lies(polygon, dx, dy):
    moved = [(x + dx, y + dy) for x, y in polygon]
    assert compute_iou(polygon, polygon) == (1 if compute_area(polygon) > 0 else 0)
    assert compute_area(moved) == pytest.approx(compute_area(polygon), abs=1e-6)
    assert compute_area([(y, x) for x, y in polygon]) == pytest.approx(compute_area(polygon), rel=2e-3, abs=1)


def test_iou_is_shapely_s():
    shapely = pytest.importorskip("shapely")
    random = np.random.default_rng(1)
    for _ in range(100):
        x = np.sort(random.uniform(0, 500, 20))
        middle = 10 * np.sin(x / 90)
        pair = [
            np.concatenate([np.c_[x, middle - up], np.c_[x, middle + 9][::-1]]) + random.uniform(-9, 9, 2)
            for up in random.uniform(9, 20, (2, 20))
        ]
        one, other = (shapely.Polygon(polygon) for polygon in pair)
        if one.is_valid and other.is_valid:
            exact = one.intersection(other).area / one.union(other).area
            assert compute_iou(*pair) == pytest.approx(exact, abs=1e-3)


def test_pairs_that_cannot_overlap_enough_are_not_measured():
    ious = match_ious([box(0, 0, 10, 10), box(9, 0, 19, 10), []], [box(0, 0, 10, 10), box(40, 0, 50, 10)])
    assert ious.tolist() == [[1, 0], [0, 0], [0, 0]]
    assert match_ious([], [box(0, 0, 1, 1)]).shape == (0, 1)
    assert match_ious([box(0, 0, 10, 10)], [box(0, 0, 10, 2)]).tolist() == [[0.2]]


def test_a_pixel_is_filled_where_its_middle_is_inside():
    mask = np.zeros((4, 6), dtype=bool)
    fill_polygon(mask, [(1, 1), (4.4, 1), (4.4, 2.6), (1, 2.6)])
    assert mask.astype(int).tolist() == [[0] * 6, [0, 1, 1, 1, 0, 0], [0, 1, 1, 1, 0, 0], [0] * 6]
    fill_polygon(mask, [(-50, 3), (90, 3), (90, 80), (-50, 80)])
    assert mask[3].all()
    assert not mask[0].any()
    before = mask.copy()
    fill_polygon(mask, [(-50, -50), (-40, -50), (-40, -40)])
    assert (mask == before).all()


def test_figures_of_classes_by_hand():
    """On a square page, of which the raster is 1024 pixels: the figures are those of the areas."""
    truth = page(("Main", box(0, 0, 50, 100)), ("Margin", box(50, 0, 100, 50)))
    found = page(("Main", box(0, 0, 25, 100)), ("Margin", box(50, 0, 100, 50)), ("Stamp", box(50, 50, 100, 100)))
    scores = score_pixels(count_region_pixels(truth, found))
    assert scores.iou == {"Main": 0.5, "Margin": 1, "Stamp": 0}
    assert scores.mean_iou == 0.5
    # Main: half of the page at 0.5; Margin: a quarter at 1; background: a quarter, of which nothing is shared.
    assert scores.weighted_iou == 0.5 * 0.5 + 0.25 * 1 + 0.25 * 0
    assert scores.accuracy == 0.5


def test_overlapping_regions_count_for_each_of_their_classes():
    truth = page(("Main", box(0, 0, 100, 100)), ("Drop", box(0, 0, 25, 25)))
    scores = score_pixels(count_region_pixels(truth, truth))
    assert scores.iou == {"Main": 1, "Drop": 1}
    assert scores.accuracy == scores.weighted_iou == 1


def test_numbered_types_are_one_and_rare_ones_can_be_left_out():
    truth = page(*((f"Main#{number}", box(20 * number, 0, 20 * number + 10, 9)) for number in range(5)), (None, []))
    found = page(("Main", box(0, 0, 10, 9)), ("Stamp", box(0, 50, 10, 60)))
    counts = count_region_pixels(truth, found)
    assert counts.instances == {"Main": 5, "untyped": 0}
    assert score_pixels(counts).iou == pytest.approx({"Main": 0.2, "Stamp": 0}, abs=0.01)
    assert set(score_pixels(counts, min_instances=5).iou) == {"Main"}
    assert [region_type(name) for name in ("MainZone#12", "Note:a", "A#b", None)] == [
        "MainZone",
        "Note:a",
        "A#b",
        "untyped",
    ]


def test_counts_of_pages_add_up():
    one = count_region_pixels(page(("Main", box(0, 0, 50, 100))), page())
    other = count_region_pixels(page(), page(("Stamp", box(0, 0, 50, 50))))
    both = one + other
    assert both.truth["Main"] == one.truth["Main"]
    assert both.found["Stamp"] == other.found["Stamp"]
    assert both.truth[BACKGROUND] == one.truth[BACKGROUND] + other.truth[BACKGROUND]
    assert score_pixels(both).iou == {"Main": 0, "Stamp": 0}


def test_pages_without_size_or_regions():
    assert score_pixels(count_region_pixels(page(width=0, height=0), page(width=0, height=0))).accuracy == 1
    nan = page(("Main", ((math.nan, 1), (1, 1), (2, 2))), width=0, height=0)
    assert score_pixels(count_region_pixels(nan, nan)).mean_iou == 1


def test_line_pixels_are_one_class():
    lines = [TextLine("a", "p", polygon=box(0, 0, 100, 20)), TextLine("b", "p")]
    counts = count_line_pixels(page(lines=lines), page(lines=[TextLine("a", "p", polygon=box(0, 0, 50, 20))]))
    assert score_pixels(counts).iou == pytest.approx({"line": 0.5}, abs=0.005)
