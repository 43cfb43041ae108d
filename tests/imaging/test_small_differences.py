"""What a line keeps and what it loses where little decides: at large initials, at ends of baselines, in low strips."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from uncial.document import Page, TextLine
from uncial.imaging.background import estimate_background
from uncial.imaging.extraction import _measure_contrast
from uncial.imaging.far_vertices import Surroundings, mend_baseline, mend_polygon
from uncial.imaging.line_geometry import resolve_geometry
from uncial.imaging.page_geometry import resolve_lines

STEP = 60.0
AROUND = Surroundings(1200.0, 900.0, STEP, 850.0)
LINE = TextLine("l", "p")
NONE = np.empty((0, 2))


def line_at(number, **about):
    y = 150 + STEP * number
    polygon = ((150.0, y - 38), (1000.0, y - 38), (1000.0, y + 14), (150.0, y + 14))
    return TextLine(f"l{number}", "p", polygon, ((150.0, y), (1000.0, y)), text="a line", **about)


def page_of(*lines, **about):
    return Page("p", Path("p.xml"), width=1200, height=900, lines=lines, **about)


def test_a_shadow_along_a_line_of_two_squares_height_is_followed():
    """The ink is darker than the shadow, which therefore is paper."""
    pixels = np.full((16, 640), 200, np.uint8)
    pixels[8:] = 230
    for column in range(20, 640, 40):
        pixels[4:12, column : column + 3] = 20
    paper = estimate_background(pixels, np.full(pixels.shape, 255, np.uint8)).astype(int)
    assert (paper[-1] - paper[0]).min() >= 3


def test_a_large_initial_before_a_line_is_no_spike():
    """Over two interlines high, and as sharp as a roof."""
    outline = np.array([(150, 100), (330, 232), (1000, 232), (1000, 284), (150, 284)], float)
    assert mend_polygon(outline, NONE, LINE, AROUND).far == ()
    spiked = outline.copy()
    spiked[0, 1] = -200.0
    assert [position for position, _ in mend_polygon(spiked, NONE, LINE, AROUND).far] == [0]


@pytest.mark.parametrize("turned_round", [False, True])
def test_an_end_of_a_baseline_that_turns_off_is_left_out(turned_round):
    """There is no polygon to tell that it is far."""
    baseline = np.array([(140.0, 570.0), (150.0, 270.0), (400.0, 270.0), (700.0, 270.0), (1000.0, 270.0)])
    baseline = baseline[::-1] if turned_round else baseline
    far = 4 if turned_round else 0
    found = mend_baseline(baseline, NONE, LINE, AROUND)
    assert found.far == ((far, None),)
    assert np.array_equal(found.points, np.delete(baseline, far, axis=0))


@pytest.mark.parametrize("height", [0.5, 1.0])
def test_a_figure_of_eight_as_low_as_a_pixel_has_no_inside(height):
    eight = ((100.0, 200.0), (200.0, 200.0 + height), (100.0, 200.0 + height), (200.0, 200.0))
    found = resolve_geometry(replace(LINE, polygon=eight, baseline=((90.0, 210.0), (510.0, 210.0))), 1e4)
    assert not len(found.polygon)


def test_a_baseline_as_short_as_a_pixel_hides_no_corner_that_is_far():
    """It says nothing of where the line runs: the other corners do."""
    lines = [line_at(number) for number in range(5)]
    spoilt = (*lines[2].polygon[:2], (1000.0, 684.0), lines[2].polygon[3])
    lines[2] = replace(lines[2], polygon=spoilt, baseline=((150.0, 270.0), (151.0, 270.0)))
    found = resolve_lines(page_of(*lines))[2]
    assert [(one.outline, one.position) for one in found.far] == [("polygon", 2)]
    assert found.line.polygon[2] == pytest.approx((1000.0, 284.0), abs=3)


@pytest.mark.parametrize("shape", [(40, 250), (52, 795), (33, 341)])
def test_the_contrast_of_a_strip_is_that_of_its_fiftieth_part_furthest_from_the_paper(shape):
    strip = np.random.default_rng(1).integers(0, 256, shape).astype(np.uint8)
    off = sorted(np.abs(cv2.blur(strip, (3, 3)).ravel() - float(np.median(strip))), reverse=True)
    assert _measure_contrast(strip) == pytest.approx(np.mean(off[: strip.size // 50]), rel=1e-6)
