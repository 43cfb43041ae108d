"""The paper behind the writing: a smooth estimate of it around one line."""

import cv2
import numpy as np

CELL = 8
"""Side of the squares, in pixels, over which the paper is averaged. Images of whole squares are averaged much
faster.
"""

DARKEST = 0.6
"""How dark, against the line's light parts, paper may be. What is darker all over is the table beside the page."""


def estimate_background(pixels: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Estimate the paper's colour at every pixel of (H, W[, 3]) uint8 `pixels` from those where `inside` (H, W) is
    255.

    Ink is parted from paper by its darkness against its surroundings (Otsu's threshold). The paper is averaged over
    small squares, the averages are smoothed with a wide window that also carries them to where there is no paper,
    and the result is drawn up again bilinearly. So a shadow along the line is followed; ink, neighbouring lines and
    the page's edge have no part in it. On a bilevel image the result is white. Returns the shape and type of
    `pixels`, all white where nothing is inside.
    """
    paper = find_paper(pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), inside)
    values, weight = _compute_sums(pixels, paper)
    total = float(weight.sum())
    if total == 0:
        return np.full_like(pixels, 255)
    rows, columns = weight.shape
    near = (min(9, columns | 1), min(9, rows | 1))
    near_weight, near_values = cv2.blur(weight, near), cv2.blur(values, near)
    # A little of the mean everywhere: it decides where no paper is near, and nowhere else.
    mean, pull = values.sum(axis=(0, 1)) / total, 0.002
    if values.ndim == 3:
        near_weight = near_weight[..., None]
    grid = (near_values + pull * mean) / (near_weight + pull)
    grid = cv2.blur(grid, (min(5, columns | 1), min(5, rows | 1)))
    return _draw_up(np.rint(np.clip(grid, 0, 255)).astype(np.uint8), inside)


def find_paper(grey: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Return the pixels of (H, W) `grey` that are paper, among those where `inside` is 255, as a mask of 0 and 255."""
    values, weight = _compute_sums(grey, inside)
    light = values / np.maximum(weight, 1e-6)
    light[weight < min(0.1, 0.5 * float(weight.max()))] = 0
    surroundings = cv2.dilate(light, np.ones((5, 5), np.uint8))
    known = surroundings[surroundings > 0]
    if not known.size:
        return inside
    lightest = float(np.partition(known, int(0.9 * (known.size - 1)))[int(0.9 * (known.size - 1))])
    surroundings = np.maximum(surroundings, DARKEST * lightest)
    darkness = cv2.subtract(_draw_up(np.rint(surroundings).astype(np.uint8), inside), grey)
    sample = darkness[inside != 0]
    threshold, dark = cv2.threshold(sample, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    darks = cv2.countNonZero(dark)
    if darks == 0 or darks == sample.size:
        return inside
    # Light writing on a dark ground, as on a negative: the ground is what there is most of.
    kind = cv2.THRESH_BINARY_INV if darks < 0.8 * sample.size else cv2.THRESH_BINARY
    _, ground = cv2.threshold(darkness, threshold, 255, kind)
    return cv2.bitwise_and(ground, inside)


def _compute_sums(pixels: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """In each square the mean of the masked pixels, the others counted as 0, and the masked share, as float32."""
    height, width = mask.shape
    size = (-(-width // CELL), -(-height // CELL))
    values = cv2.resize(cv2.copyTo(pixels, mask).astype(np.float32), size, interpolation=cv2.INTER_AREA)
    weight = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return values, weight * (1 / 255)


def _draw_up(grid: np.ndarray, like: np.ndarray) -> np.ndarray:
    return cv2.resize(grid, like.shape[::-1], interpolation=cv2.INTER_LINEAR)
