"""Ink on paper: how dark it lies where, and what the camera makes of it."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from uncial.data.synthetic.hand import Hand
from uncial.data.synthetic.options import DrawingOptions
from uncial.data.synthetic.pen import LineInk

Floats = NDArray[np.float32]


def spread_ink(
    height: int, width: int, lines: Sequence[LineInk], hand: Hand, fading: float, rng: np.random.Generator
) -> Floats:
    """The ink of all lines on one page (height, width), 0 bare to 1 black.

    It is paler as the pen runs dry, and darker at the strokes' edges.
    """
    page = np.zeros((height, width), np.float32)
    for line in lines:
        rows, columns = line.coverage.shape
        area = page[line.top : line.top + rows, line.left : line.left + columns]
        flow = hand.density * (1 - fading * _dryness(columns, rng))
        np.maximum(area, line.coverage * (flow / 255), out=area)
    pooled = page * (0.86 + 0.22 * (1 - cv2.GaussianBlur(page, (0, 0), 1.4)))
    return np.clip(pooled * _grain(height, width, rng), 0, 1)


def _dryness(columns: int, rng: np.random.Generator) -> Floats:
    """How dry the pen is along a line: it dries slowly, is dipped again, and its flow is never quite even."""
    period = rng.uniform(250, 700)
    since_dip = np.mod(np.arange(columns) + rng.uniform(0, period), period) / period
    knots = rng.standard_normal(columns // 40 + 4)
    uneven = np.interp(np.arange(columns), np.arange(len(knots)) * 40.0, knots)
    return np.clip(0.75 * since_dip**2 + 0.12 * uneven, 0, 0.9).astype(np.float32)


def _grain(height: int, width: int, rng: np.random.Generator) -> Floats:
    """The unevenness of ink in the paper's pores, around 0.95."""
    coarse = rng.standard_normal((height // 3 + 1, width // 3 + 1), dtype=np.float32)
    return np.asarray(
        0.95 + 0.07 * cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.float32
    )


def blend(paper: Floats, ink: Floats, colour: tuple[float, float, float]) -> Floats:
    """The sheet (height, width, 3) darkened by ink (height, width) of a colour, as a dye darkens what it lies on."""
    dye = 1 - np.array(colour, np.float32) / 255
    return np.asarray(paper * (1 - ink[:, :, None] * dye), dtype=np.float32)


def photograph(page: Floats, options: DrawingOptions, rng: np.random.Generator) -> NDArray[np.uint8]:
    """The page as an image file holds it: blurred and noisy as the options say, 8 bits.

    (height, width, 3) in colour, else (height, width).
    """
    sigma = float(rng.uniform(*options.blur))
    if sigma > 0.15:
        page = np.asarray(cv2.GaussianBlur(page, (0, 0), sigma), dtype=np.float32)
    if options.noise:
        page = page + rng.standard_normal(page.shape[:2], dtype=np.float32)[:, :, None] * options.noise
    pixels = np.clip(np.round(page), 0, 255).astype(np.uint8)
    return pixels if options.colour else np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
