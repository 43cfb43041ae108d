"""What a line image is like: contrast, sharpness, noise, ink and height, by which scores are told apart."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from uncial.data.checks.line_images import NO_CONTRAST
from uncial.data.checks.measures import measure_contrast, scale_line, subtract_paper
from uncial.data.store.store import Store
from uncial.document import Page, TextLine

HEIGHT = 48
"""Pixels of height to which line images are scaled, all but their height being measured there: grain and blur that a
model does not see at its own height are none."""

MIN_PAPER = 64
"""Pixels without ink from which their grain is measured."""

SCALED_DOWN = 1.05
"""How much longer than its strip a line is on its page from which the strip was scaled down."""

LAPLACIAN = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
"""What is left of noise by it has six times its standard deviation, and nothing is left of an even slope."""


@dataclass(frozen=True, slots=True)
class ImageQuality:
    """One entry a line image, each (n,) float64, NaN where it cannot be measured.

    `contrast` is how much darker than the paper the darkest strokes are, in grey levels. `sharpness` is how many
    percent of that step strokes make at their edges within a pixel of HEIGHT. `noise` is the standard deviation of the
    paper's grain in grey levels (Immerkær, Fast Noise Variance Estimation, 1996). `ink` is how many percent of the
    pixels, from the first to the last stroke, are ink. `height` is that of the line on its page, in pixels.
    """

    contrast: np.ndarray
    sharpness: np.ndarray
    noise: np.ndarray
    ink: np.ndarray
    height: np.ndarray


def measure_quality(
    store: Store, rows: np.ndarray, pages: Iterable[Page] = (), advance: Callable[[int], None] = lambda count: None
) -> ImageQuality:
    """Measure the line images of these rows of a store; `advance` is told of each one. `pages` say how large lines are
    that were scaled down for the store; without them a line is as high as its image.
    """
    found = np.full((len(rows), 4), math.nan)
    for place, row in enumerate(rows.tolist()):
        found[place] = measure_line(store.strip(row))
        advance(1)
    store.let_go()
    contrast, sharpness, noise, ink = found.T
    return ImageQuality(contrast, sharpness, noise, ink, _measure_heights(store, rows, pages))


def _measure_heights(store: Store, rows: np.ndarray, pages: Iterable[Page]) -> np.ndarray:
    lengths = {(page.id, line.id): _measure_length(line) for page in pages for line in page.lines}
    heights, widths = store.sizes()[rows].T.astype(np.float64)
    own = [lengths.get((store.value(row, "page"), store.value(row, "line")), 0.0) for row in rows.tolist()]
    scale = np.array(own, dtype=np.float64) / widths
    # A strip is somewhat shorter or longer than its polygon, whatever its scale.
    return heights * np.where(scale > SCALED_DOWN, scale, 1.0)


def _measure_length(line: TextLine) -> float:
    """Return how long a line is on its page in pixels, by its polygon, else its baseline or box; 0 where it has
    none."""
    if len(line.polygon) > 2:
        _, sides, _ = cv2.minAreaRect(np.array(line.polygon, np.float32))
        return float(max(sides))
    if len(line.baseline) > 1:
        return float(np.hypot(*np.diff(np.array(line.baseline, float), axis=0).T).sum())
    return 0.0 if line.box is None else max(line.box[2] - line.box[0], line.box[3] - line.box[1])


def measure_line(strip: np.ndarray) -> tuple[float, float, float, float]:
    """Return contrast, sharpness, noise and ink of a line image, uint8 (h, w) or (h, w, 3), as `ImageQuality` has
    them.
    """
    scaled = scale_line(strip, HEIGHT)
    # Smoothed, so that grain is taken neither for dark strokes nor for their edges.
    darkness = subtract_paper(cv2.GaussianBlur(scaled, (3, 3), 0))
    contrast = measure_contrast(darkness)
    noise = _measure_noise(scaled, darkness, contrast)
    if contrast < NO_CONTRAST:
        return contrast, math.nan, noise, math.nan
    is_ink = (darkness > 0.5 * contrast).astype(np.uint8)
    return contrast, 100 * _measure_sharpness(darkness, is_ink) / contrast, noise, 100 * _measure_ink(is_ink)


def _measure_sharpness(darkness: np.ndarray, is_ink: np.ndarray) -> float:
    """Return the steepness of the edges of strokes, in grey levels a pixel."""
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    edges = cv2.morphologyEx(is_ink, cv2.MORPH_GRADIENT, cross).astype(bool)
    across, down = (cv2.Sobel(darkness, cv2.CV_32F, *order, ksize=3, scale=1 / 8) for order in ((1, 0), (0, 1)))
    return float(np.median(np.hypot(across, down)[edges])) if edges.any() else math.nan


def _measure_noise(scaled: np.ndarray, darkness: np.ndarray, contrast: float) -> float:
    smooth = cv2.GaussianBlur(darkness, (0, 0), 1.5)
    paper = (smooth < max(0.25 * contrast, NO_CONTRAST)).astype(np.uint8)
    is_paper = cv2.erode(paper, np.ones((5, 5), np.uint8)) > 0
    if np.count_nonzero(is_paper) < MIN_PAPER:
        # Dense writing, or grain so coarse that no paper is left between its specks.
        is_paper = smooth < max(0.5 * contrast, NO_CONTRAST)
    if np.count_nonzero(is_paper) < MIN_PAPER:
        return math.nan
    left = np.abs(cv2.filter2D(scaled.astype(np.float32), cv2.CV_32F, LAPLACIAN))[is_paper]
    return float(math.sqrt(math.pi / 2) / 6 * left.mean())


def _measure_ink(is_ink: np.ndarray) -> float:
    inked = np.flatnonzero(is_ink.any(axis=0))
    return float(is_ink[:, inked[0] : inked[-1] + 1].mean()) if inked.size else math.nan
