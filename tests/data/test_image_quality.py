"""What line images are measured to be like follows what is done to them."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from drawn_layouts import cut_lines, draw_pages
from program import run_program

from uncial.data.checks.image_quality import measure_line, measure_quality
from uncial.data.store.store import Store
from uncial.document import Page, TextLine

CONTRAST, SHARPNESS, NOISE, INK = range(4)


@pytest.fixture(scope="module")
def strips():
    return [line.image if line.image.ndim == 2 else line.image[:, :, 0] for line in cut_lines(draw_pages(4))]


def measured(strips, change=lambda strip: strip):
    """The medians of the measures over all lines."""
    return np.nanmedian([measure_line(change(strip)) for strip in strips], axis=0)


def with_noise(strip, deviation):
    random = np.random.default_rng(1)
    return np.clip(strip + random.normal(0, deviation, strip.shape), 0, 255).astype(np.uint8)


def test_noise_is_measured_as_noise_and_hardly_as_anything_else(strips):
    clean, noisy, noisier = (measured(strips, lambda strip, by=by: with_noise(strip, by)) for by in (0, 10, 30))
    assert clean[NOISE] < 0.5 * noisy[NOISE] < 0.3 * noisier[NOISE] * 1.2
    for what in (CONTRAST, SHARPNESS, INK):
        assert noisy[what] == pytest.approx(clean[what], rel=0.2)


def test_a_blurred_line_is_less_sharp(strips):
    sharp, soft, softer = (
        measured(strips, lambda strip, by=by: cv2.GaussianBlur(strip, (0, 0), by * strip.shape[0]))
        for by in (0.001, 0.02, 0.05)
    )
    assert softer[SHARPNESS] < 0.8 * soft[SHARPNESS] < 0.8 * sharp[SHARPNESS]


def test_faint_ink_is_less_contrast_and_as_sharp(strips):
    full, faint = measured(strips), measured(strips, lambda strip: (255 - (255 - strip) // 2).astype(np.uint8))
    assert faint[CONTRAST] == pytest.approx(full[CONTRAST] / 2, rel=0.1)
    assert faint[SHARPNESS] == pytest.approx(full[SHARPNESS], rel=0.1)
    assert faint[INK] == pytest.approx(full[INK], rel=0.1)


def test_a_broad_pen_is_more_ink(strips):
    assert measured(strips, lambda strip: cv2.erode(strip, np.ones((5, 5))))[INK] > 1.3 * measured(strips)[INK]


@pytest.mark.parametrize(
    "change", [lambda strip: 255 - strip, lambda strip: np.dstack([strip] * 3)], ids=["light", "colour"]
)
def test_light_ink_and_colours_are_measured_alike(strips, change):
    assert measured(strips, change) == pytest.approx(measured(strips), rel=0.02, abs=0.1)


@pytest.mark.parametrize("shape", [(1, 1), (40, 300), (3, 2000), (300, 3)])
@pytest.mark.parametrize("value", [0, 255])
def test_an_empty_line_has_no_strokes_to_measure(shape, value):
    contrast, sharpness, _, ink = measure_line(np.full(shape, value, np.uint8))
    assert contrast == 0
    assert np.isnan([sharpness, ink]).all()


def test_a_line_that_was_scaled_down_is_as_high_as_on_its_page(drawn, tmp_path):
    ended = run_program(
        tmp_path / "run", "task=compile", "data=page", f"data.root={drawn / 'page'}", "data.subset=all",
        "data.max_height=20",
    )  # fmt: skip
    assert ended.code == 0, ended
    [path] = (tmp_path / "store").glob("*.arrow")
    store = Store(path)
    rows = np.array([5, 2, 7])
    height, width = store.sizes()[5]
    assert height == 20
    line = TextLine(store.value(5, "line"), "p", baseline=((0, 0), (3.0 * width, 0)))
    page = Page(store.value(5, "page"), Path("x.xml"), lines=(line,))
    found = measure_quality(store, rows, [page])
    assert found.height.tolist() == [60, *store.sizes()[[2, 7], 0]]
    assert found.contrast[1] == measure_line(store.strip(2))[CONTRAST]
