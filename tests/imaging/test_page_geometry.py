"""Polygons, baselines and pages that contradict one another: what is cut, and what is said."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from contradicting_pages import draw_sheets, interline, moved, with_lines
from hypothesis import given, settings
from hypothesis import strategies as st

from uncial.data.store.compile import CompileSettings, _compute_digest
from uncial.document import ImageSource, Page, Region, TextLine
from uncial.imaging.extraction import ExtractionSettings, extract_page
from uncial.imaging.page_geometry import resolve_lines

WIDTH, HEIGHT, STEP = 1200, 900, 60.0


def line_at(number: int, left: float = 150.0, right: float = 1000.0, count: int = 9) -> TextLine:
    """A line with `count` points above and below."""
    y = 150 + STEP * number
    x = np.linspace(left, right, count)
    polygon = [*zip(x, np.full(count, y - 38), strict=True), *zip(x[::-1], np.full(count, y + 14), strict=True)]
    baseline = tuple((float(at), y) for at in np.linspace(left, right, 5))
    return TextLine(f"l{number}", "p", tuple((float(a), float(b)) for a, b in polygon), baseline, text="a line")


def page_of(*lines: TextLine, **about) -> Page:
    return Page("p", Path("p.xml"), width=WIDTH, height=HEIGHT, lines=lines, **about)


def sheet(count: int = 6) -> Page:
    return page_of(*(line_at(number) for number in range(count)))


def put(points, position, x=None, y=None):
    """The points with one coordinate or both of one of them replaced."""
    changed = list(points)
    old = changed[position]
    changed[position] = (old[0] if x is None else x, old[1] if y is None else y)
    return tuple(changed)


def sloped(points):
    return tuple((x, y + 0.1 * x) for x, y in points)


def bounds(points):
    array = np.array(points)
    return np.concatenate([array.min(axis=0), array.max(axis=0)])


def resolved_with(number: int = 2, page: Page | None = None, **changes):
    page = sheet() if page is None else page
    lines = list(page.lines)
    lines[number] = replace(lines[number], **changes)
    return resolve_lines(replace(page, lines=tuple(lines)))[number]


def test_what_contradicts_nothing_is_the_same_object():
    page = sheet()
    assert all(found.line is line for found, line in zip(resolve_lines(page), page.lines, strict=True))


@pytest.mark.parametrize(
    ("dx", "dy", "scale"), [(0, -STEP, 1), (0, STEP, 1), (700, 0, 1), (0, 0, 0.4), (0, -2.5 * STEP, 1), (0, 0, 2.0)]
)
@pytest.mark.parametrize("lines", [1, 6])
def test_a_baseline_outside_its_polygon_counts_alone(dx, dy, scale, lines):
    page = sheet(lines)
    number = min(2, lines - 1)
    found = resolved_with(number, page, polygon=moved(page.lines[number].polygon, dx, dy, scale))
    assert found.cut_by == "baseline"
    assert found.line.polygon == ()
    assert found.line.baseline == page.lines[number].baseline


def test_swapped_coordinates_and_another_lines_polygon_are_contradictions():
    page = sheet()
    assert resolved_with(polygon=tuple((y, x) for x, y in page.lines[2].polygon)).cut_by == "baseline"
    assert resolved_with(polygon=page.lines[4].polygon).cut_by == "baseline"


def around_baseline(above: float, below: float):
    y = line_at(2).baseline[0][1]
    return ((150.0, y - above), (1000.0, y - above), (1000.0, y + below), (150.0, y + below))


@pytest.mark.parametrize(
    "changes",
    [
        {"polygon": around_baseline(0, 40)},  # hangs from its baseline
        {"polygon": around_baseline(-10, 50)},
        {"polygon": around_baseline(20, 20)},  # baseline in the middle
        {"polygon": around_baseline(45, -10)},
        {"baseline": ((90.0, 270.0), (1060.0, 270.0))},  # beyond both ends
        {"baseline": ((150.0, 270.0),)},
        {"baseline": ((150.0, 700.0), (153.0, 700.0))},  # a scrap
        {"baseline": ()},
        {"polygon": ()},
        {"direction": "rtl", "baseline": tuple(reversed(line_at(2).baseline))},
    ],
)
def test_what_is_usual_elsewhere_is_no_contradiction(changes):
    assert resolved_with(**changes).cut_by is None
    assert not resolved_with(**changes).far


def test_a_bowed_polygon_over_a_baseline_of_two_clicks_is_no_contradiction():
    x = np.linspace(150, 1000, 20)
    y = 300 - 60 * np.sin((x - 150) / 850 * np.pi)
    polygon = (*zip(x, y - 30, strict=True), *zip(x[::-1], y[::-1] + 12, strict=True))
    assert resolved_with(polygon=polygon, baseline=((150.0, 300.0), (1000.0, 300.0))).cut_by is None


def test_a_baseline_through_its_own_polygon_and_on_into_the_next_column_is_only_too_long():
    left, right = line_at(2, 100, 300), replace(line_at(2, 400, 1100), id="other")
    page = page_of(*(line_at(number, 100, 300) for number in (0, 1)), left, right)
    found = resolved_with(2, page, baseline=((100.0, 270.0), (1100.0, 270.0)))
    assert found.cut_by is None


def test_a_baseline_off_the_page_leaves_the_polygon():
    found = resolved_with(baseline=((150.0, -400.0), (1000.0, -400.0)))
    assert found.cut_by == "polygon"
    assert found.line.polygon == line_at(2).polygon
    assert found.line.baseline == ()


def test_columns_of_vertical_writing_are_judged_alike():
    turned = [
        replace(
            line_at(number),
            polygon=tuple((y, x) for x, y in line_at(number).polygon),
            baseline=tuple((y, x * 0.8) for x, y in line_at(number).baseline),
            direction="ttb",
        )
        for number in range(5)
    ]
    page = replace(page_of(*turned), height=1200)
    assert all(found.cut_by is None for found in resolve_lines(page))
    assert resolved_with(1, page, polygon=moved(turned[1].polygon, dx=STEP)).cut_by == "baseline"


def test_a_box_that_contradicts_the_baseline_goes_too():
    box = (150.0, 150.0, 1000.0, 200.0)
    assert resolved_with(polygon=moved(line_at(2).polygon, 0, -STEP), box=box).line.box is None
    assert resolved_with(polygon=(), box=box).cut_by == "baseline"
    fits = (150.0, 230.0, 1000.0, 285.0)
    assert resolved_with(polygon=moved(line_at(2).polygon, 0, -STEP), box=fits).line.box == fits


def test_a_box_around_a_polygon_is_as_wrong_as_the_polygon():
    """ALTO states a box beside the polygon, which exporters take from it: that of a sloping line, or of one whose
    neighbour is close, holds the baseline although it is another line's."""
    page = page_of(
        *(
            replace(line_at(n), polygon=sloped(line_at(n).polygon), baseline=sloped(line_at(n).baseline))
            for n in range(6)
        )
    )
    above = moved(page.lines[2].polygon, 0, -STEP)
    found = resolved_with(2, page, polygon=above, box=tuple(bounds(above)))
    assert found.cut_by == "baseline"
    assert found.line.box is None


FAR = [
    {"x": -1323.0},
    {"x": 5000.0},
    {"y": -900.0},
    {"y": 3000.0},
    {"x": 2147483647.0},
    {"y": 20.0},
    {"x": 0.0, "y": 0.0},
]


@pytest.mark.parametrize("far", FAR)
@pytest.mark.parametrize("position", [0, 4, 8, 9, 17])
@pytest.mark.parametrize("baseline", [True, False])
def test_one_far_point_of_a_polygon_changes_next_to_nothing(far, position, baseline):
    line = line_at(4)
    changes = {} if baseline else {"baseline": ()}
    found = resolved_with(4, polygon=put(line.polygon, position, **far), **changes)
    assert [(vertex.outline, vertex.position, vertex.count) for vertex in found.far] == [("polygon", position, 18)]
    assert found.cut_by is None
    assert np.abs(bounds(found.line.polygon) - bounds(line.polygon)).max() < (3 if baseline else 12)


@pytest.mark.parametrize("position", range(4))
@pytest.mark.parametrize("far", FAR[:5])
@pytest.mark.parametrize("baseline", [True, False])
def test_the_corner_of_a_rectangle_is_set_back(position, far, baseline):
    rectangle = ((150.0, 352.0), (1000.0, 352.0), (1000.0, 404.0), (150.0, 404.0))
    changes = {} if baseline else {"baseline": ()}
    found = resolved_with(4, polygon=put(rectangle, position, **far), **changes)
    assert np.abs(np.array(found.line.polygon) - np.array(rectangle)).max() < 3
    assert found.far[0].moved_to == pytest.approx(rectangle[position], abs=3)


@pytest.mark.parametrize("pair", [(0, 17), (0, 1), (3, 12), (8, 9)])
def test_two_far_points(pair):
    line = line_at(3)
    polygon = put(put(line.polygon, pair[0], x=-1323.0), pair[1], x=5000.0)
    found = resolved_with(3, polygon=polygon)
    assert len(found.far) == 2
    assert np.abs(bounds(found.line.polygon) - bounds(line.polygon)).max() < 3


@pytest.mark.parametrize("position", [0, 2, 4])
@pytest.mark.parametrize("far", FAR)
def test_a_far_point_of_a_baseline_is_left_out(position, far):
    found = resolved_with(4, baseline=put(line_at(4).baseline, position, **far))
    y = [point[1] for point in found.line.baseline]
    assert max(y) - min(y) < 1
    assert found.cut_by is None
    if "y" in far or abs(far["x"]) > WIDTH:
        assert [(vertex.outline, vertex.position) for vertex in found.far] == [("baseline", position)]
    assert found.line.polygon == line_at(4).polygon


def test_a_point_far_off_in_polygon_and_baseline_alike():
    line = line_at(3)
    found = resolved_with(3, polygon=put(line.polygon, 0, x=-1323.0), baseline=put(line.baseline, 0, x=-1323.0))
    assert {vertex.outline for vertex in found.far} == {"polygon", "baseline"}
    assert bounds(found.line.polygon) == pytest.approx(bounds(line.polygon), abs=3)


def test_a_baseline_without_polygon_ends_at_the_page_or_its_region():
    lines = [replace(line_at(number), polygon=(), region_id="r") for number in range(5)]
    region = Region("r", None, ((120.0, 60.0), (1030.0, 60.0), (1030.0, 460.0), (120.0, 460.0)))
    stretched = put(lines[2].baseline, 0, x=-1323.0)
    found = resolved_with(2, page_of(*lines), baseline=stretched)
    assert bounds(found.line.baseline)[0] == 0
    found = resolved_with(2, page_of(*lines, regions=(region,)), baseline=stretched)
    assert 85 <= bounds(found.line.baseline)[0] <= 150


@pytest.mark.parametrize(
    "polygon",
    [
        # A large initial, a tall letter, and a polygon that runs out into the space beside a column.
        ((150.0, 232.0), (1000.0, 232.0), (1000.0, 284.0), (260.0, 284.0), (260.0, 470.0), (150.0, 470.0)),
        ((150.0, 150.0), (200.0, 232.0), (1000.0, 232.0), (1000.0, 284.0), (150.0, 284.0)),
        ((150.0, 232.0), (1000.0, 232.0), (1000.0, 460.0), (900.0, 460.0), (600.0, 284.0), (150.0, 284.0)),
    ],
)
def test_what_belongs_to_the_line_stays(polygon):
    assert resolved_with(polygon=polygon).line.polygon == polygon


def test_a_line_that_goes_over_the_edge_is_clipped_and_a_small_overhang_stays():
    over = moved(line_at(2).polygon, dx=350), moved(line_at(2).baseline, dx=350)
    found = resolved_with(polygon=over[0], baseline=over[1])
    assert not found.far
    assert bounds(found.line.polygon)[2] == pytest.approx(WIDTH)
    assert 0.1 < found.outside < 0.5
    little = moved(line_at(2).polygon, dx=215), moved(line_at(2).baseline, dx=215)
    assert resolved_with(polygon=little[0], baseline=little[1]).line.polygon == little[0]


@settings(max_examples=40, deadline=None)
@given(
    position=st.integers(0, 17),
    angle=st.floats(0, 2 * np.pi),
    distance=st.floats(6, 60),
    factor=st.sampled_from([0.25, 0.5, 2.0, 3.0]),
)
def test_the_scale_of_an_image_decides_nothing(position, angle, distance, factor):
    line = line_at(3)
    x, y = line.polygon[position]
    polygon = put(line.polygon, position, x + distance * STEP * np.cos(angle), y + distance * STEP * np.sin(angle))
    page = sheet()
    lines = (*page.lines[:3], replace(line, polygon=polygon), *page.lines[4:])
    larger = [
        replace(one, polygon=moved(one.polygon, scale=factor), baseline=moved(one.baseline, scale=factor))
        for one in lines
    ]
    one = resolve_lines(replace(page, lines=lines))[3]
    other = resolve_lines(replace(page, lines=tuple(larger), width=int(WIDTH * factor), height=int(HEIGHT * factor)))[3]
    assert [vertex.position for vertex in one.far] == [vertex.position for vertex in other.far]
    assert bounds(one.line.polygon) * factor == pytest.approx(bounds(other.line.polygon), abs=factor)


numbers = st.floats(-3000, 6000) | st.sampled_from([float("nan"), float("inf"), 1e300, -1e9, 0.0])
points = st.lists(st.tuples(numbers, numbers), max_size=7).map(tuple)


@settings(max_examples=150, deadline=None)
@given(polygon=points, baseline=points, box=st.none() | st.tuples(numbers, numbers, numbers, numbers))
def test_whatever_is_stated_the_other_lines_stay_as_they_are(polygon, baseline, box):
    page = sheet()
    line = replace(page.lines[3], polygon=polygon, baseline=baseline, box=box)
    found = resolve_lines(replace(page, lines=(*page.lines[:3], line, *page.lines[4:])))
    assert all(found[number].line is page.lines[number] for number in (0, 1, 2, 4, 5))


def test_only_a_line_that_is_affected_makes_another_store(tmp_path):
    """The digest of sound data is that of stores that were compiled before there were any such rules."""
    drawn = draw_sheets()[0].page
    bad = with_lines(drawn, lambda line: replace(line, polygon=moved(line.polygon, 0, -interline(drawn))))

    def digests(page):
        rules = _compute_digest([page], {}, CompileSettings(tmp_path))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                "uncial.data.store.compile.resolve_lines",
                lambda page, lines: [type("Found", (), {"line": line})() for line in lines],
            )
            return rules, _compute_digest([page], {}, CompileSettings(tmp_path))

    with_rules, without = digests(drawn)
    assert with_rules == without
    with_rules, without = digests(bad)
    assert with_rules != without


def test_a_baseline_along_which_nothing_is_written_leaves_the_polygon(tmp_path):
    image = np.full((HEIGHT, WIDTH), 210, np.uint8)
    cv2.putText(image, "Hamburgefonstiv quickly", (160, 270), cv2.FONT_HERSHEY_COMPLEX, 1.6, 30, 3)
    cv2.imwrite(str(tmp_path / "p.png"), image)
    line = replace(line_at(2), baseline=((150.0, 700.0), (1000.0, 700.0)))
    page = replace(page_of(line), image=ImageSource(tmp_path / "p.png"))
    found = extract_page(page, ExtractionSettings())
    assert (found.strips[0] < 100).any()
    assert [note.kind for note in found.geometry] == ["baseline_outside_polygon"]
    assert "by their polygons" in found.geometry[0].reason
