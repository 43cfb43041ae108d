"""Lines drawn with known ink on known curves, cut out again, and measured."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from uncial.data.settings import SourceSettings
from uncial.data.sources import xml
from uncial.document import ImageSource, Page, Region, TextLine
from uncial.errors import UnusableInput
from uncial.imaging.extraction import ExtractionSettings, extract, extract_page

PAPER, INK = 200, 40
ABOVE, BELOW = 34.0, 14.0
SETTINGS = ExtractionSettings()


def sine(amplitude: float, wavelength: float = 700.0, left: float = 100.0, right: float = 1100.0, y: float = 200.0):
    """Densely sampled points of a curve, (N, 2)."""
    x = np.arange(left, right + 0.25, 0.25)
    return np.stack([x, y + amplitude * np.sin(2 * np.pi * (x - left) / wavelength)], axis=1)


def normals_of(curve):
    tangent = np.gradient(curve, axis=0)
    tangent /= np.hypot(*tangent.T)[:, None]
    return np.stack([-tangent[:, 1], tangent[:, 0]], axis=1)


def arc_length(curve):
    return np.concatenate([[0], np.cumsum(np.hypot(*np.diff(curve, axis=0).T))])


def draw_line(page, curve, rule=True, every=60.0):
    """A thin rule on the curve itself, and on it a stem of 25 pixels at every `every` pixels of arc length."""
    fixed = lambda points: np.rint(np.asarray(points) * 16).astype(np.int32)  # noqa: E731
    if rule:
        cv2.polylines(page, [fixed(curve)], False, INK, 3, cv2.LINE_AA, shift=4)
    at = arc_length(curve)
    normals = normals_of(curve)
    for s in np.arange(30, at[-1] - 10, every):
        i = int(np.searchsorted(at, s))
        stem = fixed([curve[i], curve[i] - 25 * normals[i]])
        cv2.line(page, tuple(map(int, stem[0])), tuple(map(int, stem[1])), INK, 3, cv2.LINE_AA, shift=4)


def polygon_around(curve, above=ABOVE, below=BELOW, step=80):
    picked = np.append(np.arange(0, len(curve) - 1, step), len(curve) - 1)
    normals = normals_of(curve)
    return np.concatenate([curve[picked] - above * normals[picked], (curve[picked] + below * normals[picked])[::-1]])


def clicked(curve, distance=60):
    """Points as a person clicks them on the curve, about every `distance` pixels."""
    return curve[np.append(np.arange(0, len(curve) - 1, distance * 4), len(curve) - 1)]


def line_of(polygon=(), baseline=(), **about):
    return TextLine("l1", "p1", tuple(map(tuple, polygon)), tuple(map(tuple, baseline)), **about)


def blank(height=420, width=1240, level=PAPER):
    return np.full((height, width), level, np.uint8)


def baseline_rows(strip):
    """For each column with ink, but for two at either end, the lower edge of the rule, to a fraction of a pixel."""
    level = (PAPER + INK) / 2
    rows = []
    for column in strip[:, 2:-2].T.astype(float):
        dark = np.flatnonzero(column < level)
        if dark.size and dark[-1] + 1 < len(column):
            last = dark[-1]
            rows.append(last + (level - column[last]) / (column[last + 1] - column[last]))
    return np.array(rows)


def darkness(strip):
    return float(np.clip(PAPER - 30 - strip.astype(float), 0, None).sum())


@pytest.mark.parametrize("amplitude", [0, 3, 12, 25])
@pytest.mark.parametrize("distance", [25, 60, 100])
def test_a_curved_line_becomes_straight(amplitude, distance):
    curve = sine(amplitude)
    page = blank()
    draw_line(page, curve)
    strip = extract(page, line_of(polygon_around(curve), clicked(curve, distance)), SETTINGS)
    rows = baseline_rows(strip)
    assert len(rows) > 0.97 * arc_length(curve)[-1]
    assert np.abs(rows - np.median(rows)).max() <= 1.0


def test_an_unsteady_baseline_does_not_shake_the_letters():
    curve = sine(8)
    page = blank()
    draw_line(page, curve)
    baseline = clicked(curve, 12).copy()
    baseline[1:-1:2, 1] += 2.5
    baseline[2:-1:2, 1] -= 2.5
    rows = baseline_rows(extract(page, line_of(polygon_around(curve), baseline), SETTINGS))
    assert np.abs(rows - np.median(rows)).max() <= 1.0


@pytest.mark.parametrize("slope", [0.0, 0.1, -0.3])
def test_lengths_are_kept_along_and_across(slope):
    x = np.arange(100, 900.25, 0.25)
    curve = np.stack([x, 220 + slope * (x - 500)], axis=1)
    page = blank()
    draw_line(page, curve, rule=False, every=60)
    strip = extract(page, line_of(polygon_around(curve), clicked(curve)), SETTINGS)
    assert strip.shape[0] == pytest.approx(ABOVE + BELOW, abs=2)
    assert strip.shape[1] == pytest.approx(arc_length(curve)[-1], abs=3)
    ink = (PAPER - strip.astype(float)).sum(axis=0)
    stems = _centres(ink > 300)
    assert np.diff(stems) == pytest.approx(60, abs=1)
    rows = np.flatnonzero((strip < 120).any(axis=1))
    assert rows[-1] - rows[0] == pytest.approx(27, abs=2)


def _centres(mask):
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(int), [0]])))
    return (edges[::2] + edges[1::2] - 1) / 2


def test_arc_length_is_kept_on_a_curve():
    curve = sine(25)
    page = blank()
    draw_line(page, curve, rule=False)
    strip = extract(page, line_of(polygon_around(curve), clicked(curve)), SETTINGS)
    feet = (PAPER - strip[strip.shape[0] - 20 : strip.shape[0] - 14].astype(float)).sum(axis=0)
    assert np.diff(_centres(feet > 200)) == pytest.approx(60, abs=1.5)


def test_a_line_higher_than_the_limit_is_scaled_evenly():
    page = blank()
    curve = sine(5)
    draw_line(page, curve)
    line = line_of(polygon_around(curve), clicked(curve))
    whole = extract(page, line, SETTINGS)
    small = extract(page, line, ExtractionSettings(max_height=20))
    assert small.shape[0] == 20
    assert small.shape[1] / 20 == pytest.approx(whole.shape[1] / whole.shape[0], rel=0.01)


def test_no_ink_of_the_neighbours_and_no_edge_is_left():
    curve = sine(10)
    page = np.tile(np.linspace(150, 230, 1240), (420, 1)).astype(np.uint8)
    draw_line(page, curve + np.array([0, 44]))
    draw_line(page, curve - np.array([0, 48]))
    strip = extract(page, line_of(polygon_around(curve), clicked(curve)), SETTINGS).astype(float)
    expected = np.linspace(page[0, 100], page[0, 1100], strip.shape[1])
    assert np.abs(strip - expected).max() < 12


def test_beside_the_polygon_lies_the_paper_of_the_place_and_never_black():
    page = np.tile(np.linspace(110, 230, 1240), (420, 1)).astype(np.uint8)
    curve = sine(10)
    draw_line(page, curve)
    page[:, :95] = 0  # the dark table beside the page
    page[300:] = 0
    polygon = polygon_around(curve)
    polygon[3::4] += [0, -14]  # ragged, as segmenters draw them
    strip = extract(page, line_of(polygon, clicked(curve)), SETTINGS).astype(float)
    top = strip[:6]
    expected = np.linspace(page[0, 100], page[0, 1100], strip.shape[1])
    assert np.abs(top - expected).max() < 15


def test_a_bilevel_page_stays_white_beside_the_polygon():
    page = blank(level=255)
    curve = sine(10)
    draw_line(page, curve)
    page = np.where(page > 128, 255, 0).astype(np.uint8)
    polygon = polygon_around(curve)
    polygon[3::4] += [0, -14]
    strip = extract(page, line_of(polygon, clicked(curve)), SETTINGS)
    assert strip[:6].min() == 255


def test_colour_is_kept():
    page = np.full((420, 1240, 3), (230, 210, 160), np.uint8)
    curve = sine(10)
    cv2.polylines(page, [np.rint(curve).astype(np.int32)], False, (180, 20, 20), 3)
    strip = extract(page, line_of(polygon_around(curve), clicked(curve)), ExtractionSettings(channels=3))
    assert strip.shape[2] == 3
    assert np.abs(strip[0].astype(int) - (230, 210, 160)).max() <= 4
    darkest = strip[:, 300][strip[:, 300].sum(axis=1).argmin()].astype(int)
    assert np.abs(darkest - (180, 20, 20)).max() < 25


def turned_page(page, points, quarter_turns):
    """np.rot90 of the page, and where its points come to lie."""
    for _ in range(quarter_turns):
        points = np.stack([points[:, 1], page.shape[1] - 1 - points[:, 0]], axis=1)
        page = np.rot90(page)
    return np.ascontiguousarray(page), points


@pytest.mark.parametrize("quarter_turns", [1, 2, 3])
@pytest.mark.parametrize("reverse", [False, True])
def test_a_line_that_lies_turned_on_the_page_is_cut_upright(quarter_turns, reverse):
    curve = sine(10)
    page = blank()
    draw_line(page, curve)
    straight = extract(page, line_of(polygon_around(curve), clicked(curve)), SETTINGS)
    turned, baseline = turned_page(page, clicked(curve), quarter_turns)
    _, polygon = turned_page(page, polygon_around(curve), quarter_turns)
    if reverse and quarter_turns == 2:
        pytest.skip("drawn from left to right on the page: taken for a hanging baseline")
    strip = extract(turned, line_of(polygon, baseline[::-1] if reverse else baseline), SETTINGS)
    height, width = min(strip.shape[0], straight.shape[0]), min(strip.shape[1], straight.shape[1])
    assert abs(strip.shape[0] - straight.shape[0]) <= 2
    assert abs(strip.shape[1] - straight.shape[1]) <= 2
    assert np.corrcoef(*(cv2.blur(s[:height, :width], (7, 7)).ravel() for s in (strip, straight)))[0, 1] > 0.9


@pytest.mark.parametrize("direction", [None, "ltr", "rtl"])
def test_a_baseline_drawn_from_right_to_left_gives_the_same_strip(direction):
    curve = sine(10)
    page = blank()
    draw_line(page, curve)
    polygon, baseline = polygon_around(curve), clicked(curve)
    forth = extract(page, line_of(polygon, baseline, direction=direction), SETTINGS)
    back = extract(page, line_of(polygon, baseline[::-1], direction=direction), SETTINGS)
    assert np.array_equal(forth, back)


@pytest.mark.parametrize("about", [{"direction": "rtl"}, {"text": "שלום עולם"}])
def test_a_hanging_baseline_of_a_right_to_left_script_is_not_turned_over(about):
    curve = sine(0)
    page = blank()
    draw_line(page, curve, every=37)
    polygon = polygon_around(curve, above=6, below=40)
    for baseline in (clicked(curve - [0, 2]), clicked(curve - [0, 2])[::-1]):
        strip = extract(page, line_of(polygon, baseline, **about), SETTINGS)
        rule = np.flatnonzero((strip < 120).mean(axis=1) > 0.9)
        assert rule.max() < 10
        assert strip.shape[0] >= 46


@pytest.mark.parametrize("direction", ["ttb", "btt"])
def test_a_column_is_cut_along_its_stated_direction(direction):
    page = blank(900, 300)
    cv2.circle(page, (150, 130), 14, INK, -1)  # a dot at the top, a bar at the bottom
    cv2.rectangle(page, (135, 740), (165, 780), INK, -1)
    for line in (
        line_of(((120, 100), (180, 100), (180, 800), (120, 800)), ((150, 100), (150, 800)), direction=direction),
        line_of(((120, 100), (180, 100), (180, 800), (120, 800)), ((150, 800), (150, 100)), direction=direction),
        line_of(((120, 100), (180, 100), (180, 800), (120, 800)), direction=direction),
        line_of(box=(120.0, 100.0, 180.0, 800.0), direction=direction),
        line_of(direction=direction),
    ):
        whole = not (line.polygon or line.box)
        strip = extract(page[100:801, 120:181] if whole else page, line, SETTINGS)
        dark = (strip < 120).sum(axis=0)
        first, last = dark[:100].sum(), dark[-100:].sum()
        dot, bar = np.pi * 14**2, 31 * 41
        expected = (dot, bar) if direction == "ttb" else (bar, dot)
        assert (first, last) == pytest.approx(expected, rel=0.12)
        assert strip.shape[0] == pytest.approx(61, abs=2)


@pytest.mark.parametrize(("text", "first"), [("史記卷一", "dot"), ("ᠮᠣᠩᠭᠣᠯ", "dot"), ("recto", "bar"), (None, "bar")])
def test_the_script_of_a_column_without_baseline_tells_where_it_begins(text, first):
    page = blank(900, 300)
    cv2.circle(page, (150, 130), 14, INK, -1)  # a dot at the top, a bar at the bottom
    cv2.rectangle(page, (135, 740), (165, 780), INK, -1)
    column = line_of(((120, 100), (180, 100), (180, 800), (120, 800)), text=text)
    dark = (extract(page, column, SETTINGS) < 120).sum(axis=0)
    assert ("dot" if dark[:100].sum() < dark[-100:].sum() else "bar") == first


@pytest.mark.parametrize("amplitude", [0, 12])
def test_without_a_baseline_the_polygon_says_where_the_line_runs(amplitude):
    curve = sine(amplitude)
    page = blank()
    draw_line(page, curve)
    polygon = polygon_around(curve)
    told = extract(page, line_of(polygon, clicked(curve)), SETTINGS)
    for baseline in ((), ((300.0, 200.0),), ((300.0, 200.0),) * 3, ((300.0, 200.0), (302.0, 200.0)), ((np.nan, 1.0),)):
        strip = extract(page, line_of(polygon, baseline), SETTINGS)
        assert darkness(strip) == pytest.approx(darkness(told), rel=0.05)
        rows = baseline_rows(strip)
        assert np.abs(rows - np.median(rows)).max() <= 3.0


def test_without_a_polygon_the_spacing_of_the_page_says_how_high_the_line_is(tmp_path):
    curves = [sine(6, y=100 + 60 * i) for i in range(5)]
    page = blank()
    for curve in curves:
        draw_line(page, curve)
    cv2.imwrite(str(tmp_path / "page.png"), page)
    lines = tuple(replace(line_of((), clicked(curve)), id=str(i)) for i, curve in enumerate(curves))
    found = extract_page(Page("p", tmp_path / "p.xml", ImageSource(tmp_path / "page.png"), lines=lines), SETTINGS)
    alone = blank()
    draw_line(alone, curves[2])
    told = extract(alone, line_of(polygon_around(curves[2]), clicked(curves[2])), SETTINGS)
    for strip in found.strips[1:4]:
        assert darkness(strip) == pytest.approx(darkness(told), rel=0.06)


def test_without_a_polygon_or_neighbours_the_ink_says_how_high_the_line_is():
    page = blank()
    cv2.putText(page, "Hamburgefonstiv quickly", (100, 200), cv2.FONT_HERSHEY_COMPLEX, 2, INK, 3, cv2.LINE_AA)
    strip = extract(page, line_of((), ((100.0, 200.0), (960.0, 200.0))), SETTINGS)
    assert darkness(strip) == pytest.approx(darkness(page), rel=0.04)
    assert strip.shape[0] < 110


def test_the_box_serves_where_there_is_nothing_else_and_the_whole_image_where_there_is_not_even_that():
    page = blank()
    page[100:140, 300:500] = np.arange(200, dtype=np.uint8)
    boxed = extract(page, line_of(box=(300.0, 100.0, 500.0, 140.0)), SETTINGS)
    assert np.abs(boxed[:40, :200].astype(int) - page[100:140, 300:500]).max() <= 1
    assert np.array_equal(extract(page[:100], line_of(), SETTINGS), page[:100])
    assert extract(page, line_of(), SETTINGS).shape == (128, round(1240 * 128 / 420))


def test_a_line_of_a_page_that_states_no_place_is_refused_not_taken_for_the_whole_page(tmp_path):
    cv2.imwrite(str(tmp_path / "page.png"), blank())
    image = ImageSource(tmp_path / "page.png")
    placed = line_of(box=(300.0, 100.0, 500.0, 140.0))
    found = extract_page(Page("p", tmp_path / "p.xml", image, lines=(placed, line_of())), SETTINGS).strips
    assert isinstance(found[0], np.ndarray)
    assert "place on the page is unknown" in str(found[1])
    alone = Page("p", tmp_path / "p.xml", image, regions=(Region("r"),), lines=(line_of(),))
    assert isinstance(extract_page(alone, SETTINGS).strips[0], UnusableInput)
    line_image = Page("p", tmp_path / "page.png", image, lines=(line_of(),))
    assert isinstance(extract_page(line_image, SETTINGS).strips[0], np.ndarray)


@pytest.mark.parametrize("part", [slice(8, 12), slice(0, 9), slice(9, None)])
def test_a_baseline_shorter_than_its_polygon_loses_no_ink(part):
    curve = sine(6)
    page = blank()
    draw_line(page, curve)
    polygon, baseline = polygon_around(curve), clicked(curve)
    told = extract(page, line_of(polygon, baseline), SETTINGS)
    strip = extract(page, line_of(polygon, baseline[part]), SETTINGS)
    assert darkness(strip) == pytest.approx(darkness(told), rel=0.03)


def test_a_hook_at_the_end_of_a_baseline_does_not_bend_the_strip():
    curve = sine(0)
    page = blank()
    draw_line(page, curve)
    baseline = np.concatenate([clicked(curve)[:-3], [[1000, 200], [1004, 188]]])
    strip = extract(page, line_of(polygon_around(curve), baseline), SETTINGS)
    rows = baseline_rows(strip)
    assert len(rows) >= 995
    assert np.abs(rows[:880] - np.median(rows)).max() <= 1.0


@pytest.mark.parametrize(
    "order",
    [(0, 3, 1, 2, 4, 6, 5, 7), (0, 1, 2, 3, 4, 5, 6, 7, 6), (4, 5, 6, 7, 0, 1, 2, 3), (0, 0, 1, 1, 2, 3, 4, 5, 6, 7)],
)
def test_a_baseline_whose_points_go_back_and_forth_is_put_in_order(order):
    curve = sine(4)
    page = blank()
    draw_line(page, curve)
    baseline = curve[np.linspace(0, len(curve) - 1, 8).astype(int)]
    polygon = polygon_around(curve)
    told = extract(page, line_of(polygon, baseline), SETTINGS)
    strip = extract(page, line_of(polygon, baseline[list(order)]), SETTINGS)
    assert strip.shape == pytest.approx(told.shape, abs=3)
    assert darkness(strip) == pytest.approx(darkness(told), rel=0.05)


def test_writing_around_a_seal_is_unrolled():
    angle = np.linspace(-np.pi * 1.2, np.pi * 0.2, 4000)
    curve = np.stack([300 + 200 * np.cos(angle), 300 + 200 * np.sin(angle)], axis=1)
    page = blank(600, 600)
    draw_line(page, curve)
    strip = extract(page, line_of(polygon_around(curve), curve[::150]), SETTINGS)
    rows = baseline_rows(strip)
    assert len(rows) == pytest.approx(200 * 1.4 * np.pi, rel=0.02)
    assert np.abs(rows - np.median(rows))[10:-10].max() <= 1.5


def test_a_polygon_that_runs_out_into_empty_space_does_not_shrink_the_writing():
    curve = sine(0)
    page = blank()
    draw_line(page, curve)
    told = extract(page, line_of(polygon_around(curve), clicked(curve)), SETTINGS)
    flaring = [(100, 166), (1100, 166), (1100, 390), (900, 390), (600, 214), (100, 214)]
    strip = extract(page, line_of(flaring, clicked(curve)), SETTINGS)
    assert strip.shape[0] < 2 * told.shape[0]
    assert darkness(strip) == pytest.approx(darkness(told), rel=0.03)
    cv2.putText(page, "gloss", (950, 370), cv2.FONT_HERSHEY_SIMPLEX, 1, INK, 3)
    assert extract(page, line_of(flaring, clicked(curve)), replace(SETTINGS, max_height=300)).shape[0] > 190


def test_a_polygon_that_crosses_itself_is_filled():
    curve = sine(0)
    page = blank()
    draw_line(page, curve)
    loop = np.array([[100, 165], [700, 165], [700, 215], [500, 215], [500, 165], [1100, 165], [1100, 215], [100, 215]])
    eight = np.array([[100, 165], [1100, 235], [1100, 165], [100, 235]])
    strip = extract(page, line_of(loop, clicked(curve)), SETTINGS)
    assert (strip < 120).any(axis=0).mean() > 0.99
    assert extract(page, line_of(eight, clicked(curve)), SETTINGS).shape[1] >= 1000


def test_a_polygon_over_the_edge_of_the_page_ends_in_paper():
    curve = sine(0, left=-150)
    page = blank()
    draw_line(page, sine(0, left=2))
    strip = extract(page, line_of(polygon_around(curve), clicked(curve)), SETTINGS)
    assert strip[:, :140].min() > PAPER - 5
    assert strip[:, :140].max() < PAPER + 5


RECTANGLE = ((100.0, 100.0), (400.0, 100.0), (400.0, 150.0), (100.0, 150.0))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (line_of([(x + 3000, y) for x, y in RECTANGLE]), "outside"),
        (line_of([(x - 380, y) for x, y in RECTANGLE]), "outside"),
        (line_of([(100, 100), (400, 100), (250, 100)]), "no area"),
        (line_of([(100, 100), (400, 150)], [(100, 120)]), "no area"),
        (line_of([(100, 100), (103, 100), (103, 140), (100, 104)], [(100, 140)]), "pixels"),
        (line_of([(np.nan, 100), (np.nan, 100), (3, 3)]), "no area"),
        (line_of((), [(5000, 5000), (6000, 5000)]), "outside"),
        (line_of(box=(10.0, 10.0, 200.0, 12.0)), "only"),
        (line_of(box=(10.0, 10.0, 10.0, 10.0)), "no area"),
    ],
)
def test_a_line_that_cannot_be_cut_says_why(line, reason):
    with pytest.raises(UnusableInput, match=reason):
        extract(blank(), line, SETTINGS)


def test_the_box_of_a_slanted_line_is_not_cut_out_with_its_neighbours():
    x = np.arange(100, 1100.25, 0.25)
    curve = np.stack([x, 250 - 0.1 * (x - 600)], axis=1)
    page = blank()
    draw_line(page, curve)
    box = (100.0, 165.0, 1100.0, 315.0)
    strip = extract(page, line_of((), curve[[0, -1]], box=box), SETTINGS, spacing=60)
    assert strip.shape[0] == pytest.approx(66, abs=3)
    level = sine(0)
    draw_line(page := blank(), level)
    strip = extract(page, line_of((), level[[0, -1]], box=(100.0, 165.0, 1100.0, 215.0)), SETTINGS, spacing=60)
    assert strip.shape[0] == pytest.approx(51, abs=1)


@pytest.mark.parametrize("far", [1e5, 1e9, 1e300])
def test_a_point_far_off_the_page_costs_neither_memory_nor_the_line(far):
    curve = sine(6)
    page = blank()
    draw_line(page, curve)
    polygon, baseline = polygon_around(curve), clicked(curve)
    told = extract(page, line_of(polygon, baseline), SETTINGS)
    strip = extract(page, line_of(polygon, np.concatenate([baseline, [[far, 200.0]]])), SETTINGS)
    assert np.array_equal(strip, told)
    with pytest.raises(UnusableInput):
        extract(page, line_of((), [(-far, 200.0), (far, 200.0)]), SETTINGS)


def test_an_unusable_polygon_leaves_the_band_around_the_baseline():
    curve = sine(5)
    page = blank()
    draw_line(page, curve)
    strip = extract(page, line_of([(1, 1), (2, 2)], clicked(curve)), SETTINGS, spacing=60)
    assert strip.shape[0] == pytest.approx(66, abs=3)
    assert darkness(strip) == pytest.approx(darkness(page), rel=0.05)


numbers = st.floats(-200, 1500) | st.sampled_from([float("nan"), float("inf"), 1e9, -1e300, 0.0, 200.0])
points = st.lists(st.tuples(numbers, numbers), max_size=8).map(tuple)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    polygon=points,
    baseline=points,
    box=st.none() | st.tuples(numbers, numbers, numbers, numbers),
    direction=st.sampled_from([None, "ltr", "rtl", "ttb", "btt"]),
    spacing=st.none() | st.floats(5, 100),
)
def test_whatever_the_file_states_comes_a_strip_of_paper_or_a_reason(polygon, baseline, box, direction, spacing):
    page = np.full((300, 400), PAPER, np.uint8)
    line = TextLine("l", "p", polygon, baseline, box, direction=direction)
    try:
        strip = extract(page, line, SETTINGS, spacing)
    except UnusableInput:
        return
    assert_paper(strip)


def assert_paper(strip):
    assert strip.dtype == np.uint8
    assert 6 <= strip.shape[0] <= 128
    assert strip.shape[1] >= 3
    assert np.abs(strip.astype(int) - PAPER).max() <= 1


@settings(max_examples=60, deadline=None)
@given(
    left=st.floats(0, 250),
    top=st.floats(0, 200),
    width=st.floats(30, 150),
    height=st.floats(12, 100),
    direction=st.sampled_from([None, "ltr", "rtl", "ttb", "btt"]),
    stated=st.sampled_from(["polygon", "baseline", "box", "polygon and baseline"]),
)
def test_of_what_lies_on_the_page_a_strip_comes(left, top, width, height, direction, stated):
    page = np.full((300, 400), PAPER, np.uint8)
    right, bottom = left + width, top + height
    polygon = ((left, top), (right, top), (right, bottom), (left, bottom)) if "polygon" in stated else ()
    middle = top + 0.8 * height
    baseline = ((left, middle), (right, middle)) if "baseline" in stated else ()
    box = (left, top, right, bottom) if stated == "box" else None
    assert_paper(extract(page, TextLine("l", "p", polygon, baseline, box, direction=direction), SETTINGS, 40))


@settings(max_examples=60, deadline=None)
@given(
    amplitude=st.floats(0, 20),
    wavelength=st.floats(500, 1500),
    slope=st.floats(-0.4, 0.4),
    distance=st.integers(20, 70),
)
def test_any_gentle_curve_becomes_straight_within_a_pixel(amplitude, wavelength, slope, distance):
    x = np.arange(100, 900.25, 0.25)
    y = 300 + slope * (x - 500) + amplitude * np.sin(2 * np.pi * (x - 100) / wavelength)
    curve = np.stack([x, y], axis=1)
    page = blank(600, 1000)
    draw_line(page, curve)
    strip = extract(page, line_of(polygon_around(curve), clicked(curve, distance)), SETTINGS)
    rows = baseline_rows(strip)
    assert np.abs(rows - np.median(rows)).max() <= 1.0


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("pages", "darkest_edge"),
    [
        ("cremma-medieval/data/bnf_fr_1728/*2[0-9].xml", 60),
        ("cremma-mss-19/data/lettre-soeur-marie/*.xml", 90),
        ("kraken-resources/tests/resources/170025120000003,0074.xml", 40),
    ],
)
def test_lines_of_real_pages_are_wide_strips_without_dark_edges(real_data, pages, darkest_edge):
    reading = xml.read_xml(SourceSettings("xml", root=(str(real_data / pages),), exclude=("*.chocomufin.xml",)))
    assert reading.pages
    for page in reading.pages:
        strips = extract_page(page, SETTINGS).strips
        assert all(isinstance(strip, np.ndarray) for strip in strips)
        assert np.median([strip.shape[1] / strip.shape[0] for strip in strips]) > 3
        edges = [np.median(edge) for strip in strips for edge in (strip[0], strip[-1], strip[:, 0], strip[:, -1])]
        assert np.mean(np.array(edges) > darkest_edge) > 0.98
