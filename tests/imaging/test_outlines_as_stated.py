"""Outlines that say less than they seem to: without area, back and forth, of two points, of a closed ring."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uncial.document import TextLine
from uncial.imaging.extraction import ExtractionSettings, extract
from uncial.imaging.line_curves import fit_line_curve
from uncial.imaging.line_geometry import derive_baseline, measure_thickness, put_in_order, resolve_geometry

BASELINE = ((90.0, 210.0), (510.0, 210.0))
SETTINGS = ExtractionSettings()


def line_of(polygon=(), baseline=(), **about):
    return TextLine("l", "p", tuple(map(tuple, polygon)), tuple(map(tuple, baseline)), **about)


@pytest.mark.parametrize(
    "polygon",
    [
        [(100, 200), (300, 200), (500, 200), (300, 200)],
        [(300, 150), (300, 200), (300, 260), (300, 180)],
        [(100, 150), (200, 200), (300, 250), (200, 200)],
        [(100, 200), (500, 200), (500, 200.02), (100, 200.02)],
        [(100, 100), (101, 100), (101, 110), (100, 110)],
    ],
    ids=["along a row", "along a column", "slanted", "of a fiftieth of a pixel", "of ten square pixels"],
)
def test_a_polygon_without_area_leaves_the_baseline(polygon):
    """Whichever way it lies on the page: the line is cut along its baseline as if no polygon were stated."""
    page = np.full((420, 800), 200, np.uint8)
    found = resolve_geometry(line_of(polygon, BASELINE), 1e4)
    assert not len(found.polygon)
    assert found.baseline.tolist() == [list(point) for point in BASELINE]
    strip = extract(page, line_of(polygon, BASELINE), SETTINGS, spacing=40)
    assert np.array_equal(strip, extract(page, line_of((), BASELINE), SETTINGS, spacing=40))
    assert resolve_geometry(line_of(polygon), 1e4) is None


@pytest.mark.parametrize("turn", [False, True])
def test_a_figure_of_eight_is_no_polygon_without_area(turn):
    """Its halves cancel in the area, and are there all the same; how high it is its smallest rectangle says."""
    eight = np.array([(100, 180), (500, 220), (500, 180), (100, 220)], dtype=float)
    eight = eight[:, ::-1] if turn else eight
    found = resolve_geometry(line_of(eight), 1e4)
    assert np.array_equal(found.polygon, eight)
    assert measure_thickness(eight, eight[:2]) == pytest.approx(0.3 * 40, rel=0.1)


@pytest.mark.parametrize("angle", [0.0, 0.4, 1.2, 2.8, 4.0])
@pytest.mark.parametrize("order", [(0, 2, 1, 3, 5, 4, 6), (3, 4, 5, 6, 0, 1, 2), (0, 1, 2, 3, 4, 5, 6, 5)])
def test_points_back_and_forth_come_into_the_order_in_which_they_lead(angle, order):
    """From where most of them come from, in whichever direction the line runs; twice the same place counts once."""
    along = np.array([np.cos(angle), np.sin(angle)])
    points = 300 + np.arange(7)[:, None] * 50 * along
    found = put_in_order(points[list(order)])
    forth = points if (points[order[-1]] - points[order[0]]) @ along >= 0 else points[::-1]
    assert np.allclose(found, forth)


def test_points_that_bend_round_stay_as_they_are():
    ring = np.array([(np.cos(at), np.sin(at)) for at in np.linspace(0, 5.5, 12)]) * 100 + 200
    assert np.array_equal(put_in_order(ring), ring)
    for turned in (ring[:, ::-1], ring * (1, -1)):
        assert np.array_equal(put_in_order(turned), turned)


@pytest.mark.parametrize("turned", [False, True])
def test_a_ring_too_narrow_to_follow_is_cut_along_its_longest_extent(turned):
    """From end to end of it, whichever way it is drawn."""
    at = np.linspace(0, 2 * np.pi, 60)
    ring = np.stack([300 + 120 * np.cos(at), 200 + 4 * np.sin(at)], axis=1)[:-3]
    curve = fit_line_curve(ring[::-1] if turned else ring, 60, ring)
    assert curve.straight
    reach = ring[:, 0].min(), ring[:, 0].max()
    assert sorted(curve.points[:, 0]) == pytest.approx(reach, abs=3)


@settings(max_examples=40, deadline=None)
@given(st.floats(8, 40), st.floats(400, 900), st.integers(0, 250), st.floats(20, 60), st.integers(5, 20))
def test_a_mirrored_line_has_the_mirrored_curve(amplitude, wavelength, beyond, height, count):
    """Both ends are treated alike, also where the polygon goes on beyond the baseline."""
    x = np.linspace(200, 800, count)
    baseline = np.stack([x, 300 + amplitude * np.sin(2 * np.pi * (x - 200) / wavelength)], axis=1)
    low, high = baseline[:, 1].min() - height, baseline[:, 1].max() + 10
    polygon = np.array([(200 - beyond, low), (800 + beyond, low), (800 + beyond, high), (200 - beyond, high)])
    mirror = np.array([-1.0, 1.0]), np.array([1000.0, 0.0])
    curve = fit_line_curve(baseline, height, polygon)
    other = fit_line_curve((baseline * mirror[0] + mirror[1])[::-1], height, (polygon * mirror[0] + mirror[1])[::-1])
    assert len(curve.along) == len(other.along)
    assert np.allclose(other.points[::-1] * mirror[0] + mirror[1], curve.points, atol=1e-6)
    assert np.allclose(other.normals[::-1] * mirror[0], curve.normals, atol=1e-6)


@pytest.mark.parametrize("amplitude", [0.0, 25.0])
def test_a_band_is_as_long_as_its_baseline(amplitude):
    """Without a polygon nothing goes on beyond the ends."""
    x = np.arange(100, 1100.25, 0.25)
    curve = np.stack([x, 250 + amplitude * np.sin(2 * np.pi * (x - 100) / 700)], axis=1)
    length = np.hypot(*np.diff(curve, axis=0).T).sum()
    strip = extract(np.full((500, 1240), 200, np.uint8), line_of((), curve[::200]), SETTINGS, spacing=60)
    assert strip.shape[1] == pytest.approx(length, abs=3)
    assert strip.shape[0] == pytest.approx(66, abs=4 if amplitude else 2)


def test_a_ragged_polygon_has_a_steady_baseline():
    """Teeth as high as half the line are no course of the writing."""
    x = np.arange(100.0, 1101.0, 10.0)
    teeth = np.where(np.arange(len(x)) // 2 % 2, 20.0, 0.0)
    polygon = np.concatenate([np.stack([x, 160 + teeth], axis=1), np.array([(1100.0, 210.0), (100.0, 210.0)])])
    found = derive_baseline(polygon, line_of(polygon))
    assert np.ptp(found[:, 1]) < 5
    assert len(found) > 10


@pytest.mark.parametrize("box", [(300, 100, 500, 140), (0, 0, 60, 12), (731, 391, 799, 419)])
def test_the_strip_of_a_box_in_whole_pixels_holds_all_of_them(box):
    """The first and last row and column too, at the page's edge as well."""
    page = np.random.default_rng(1).integers(100, 220, (420, 800)).astype(np.uint8)
    left, top, right, bottom = box
    strip = extract(page, line_of(box=tuple(map(float, box))), SETTINGS)
    assert np.array_equal(strip, page[top : bottom + 1, left : right + 1])
    corners = ((left, top), (right, top), (right, bottom), (left, bottom))
    baseline = ((left, bottom - 4), (right, bottom - 4))
    assert np.array_equal(extract(page, line_of(corners, baseline), SETTINGS), strip)
