"""The paper behind the writing: a smooth estimate of it around one line."""

import cv2
import numpy as np

CELL = 8
"""Side of the squares, in pixels, over which the paper is averaged."""


def local_background(pixels: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Estimate the paper's colour at every pixel of (H, W[, 3]) uint8 `pixels` from those where `inside` (H, W)
    uint8 is 255.

    Otsu's threshold on the inside pixels parts ink from paper; the paper is averaged over small squares, the
    averages are smoothed with a wide window that also carries them to where there is no paper, and the result is
    drawn up again bilinearly. So a stain or a shadow along the line is followed, and ink, neighbouring lines and
    the page's edge have no part in it. On a bilevel image the result is white. Returns the shape and type of
    `pixels`; all white where nothing is inside.
    """
    paper = _paper(pixels, inside)
    height, width = inside.shape
    small = (-(-width // CELL), -(-height // CELL))
    weight = cv2.resize(paper, small, interpolation=cv2.INTER_AREA).astype(np.float32)
    values = cv2.resize(cv2.copyTo(pixels, paper), small, interpolation=cv2.INTER_AREA).astype(np.float32)
    total = float(weight.sum())
    if total == 0:
        return np.full_like(pixels, 255)
    near = (min(9, small[0] | 1), min(9, small[1] | 1))
    near_weight, near_values = cv2.blur(weight, near), cv2.blur(values, near)
    mean = values.sum(axis=(0, 1)) / total
    # A little of the mean everywhere: it decides where no paper is near, and nowhere else.
    pull = 0.5
    if values.ndim == 3:
        near_weight = near_weight[..., None]
    grid = (near_values + pull * mean) / (near_weight + pull) * 255.0
    grid = cv2.blur(np.clip(grid, 0, 255), (min(5, small[0] | 1), min(5, small[1] | 1)))
    return cv2.resize(np.rint(grid).astype(np.uint8), (width, height), interpolation=cv2.INTER_LINEAR)


def _paper(pixels: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """The inside pixels that are paper, as a mask of 0 and 255."""
    grey = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    sample = grey[inside != 0]
    if not sample.size:
        return inside
    threshold, light = cv2.threshold(sample, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    lights = cv2.countNonZero(light)
    if lights == 0 or lights == sample.size:
        return inside
    # Light writing on a dark ground, as on a negative: the ground is what there is most of.
    kind = cv2.THRESH_BINARY if lights > 0.2 * sample.size else cv2.THRESH_BINARY_INV
    _, ground = cv2.threshold(grey, threshold, 255, kind)
    return cv2.bitwise_and(ground, inside)
