"""What a line is written on: which side of the grey values is paper, and how light it is along the line."""

from collections.abc import Callable

import cv2
import numpy as np

WHITE = 255
SAMPLED_ROWS = 16
"""Paper is judged by about so many rows of a line, which is enough and quick."""


def is_inverted(image: np.ndarray) -> bool:
    """Tell whether a line, uint8 (H, W) or (H, W, 3), is light writing on dark ground.

    It is where three quarters of the pixels lie nearer to the darkest than to the lightest.
    """
    sample = _rows(image)
    total = np.cumsum(cv2.calcHist([sample], [min(1, sample.ndim - 2)], None, [256], [0, 256]))
    dark, most, light = np.searchsorted(total, total[-1] * np.array((0.01, 0.75, 0.99)))
    return bool(most - dark < light - most)


def with_dark_ink(image: np.ndarray, vary: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Return `vary(image)` for a line as it is; light writing is turned dark for it, and back again."""
    return WHITE - vary(WHITE - image) if is_inverted(image) else vary(image)


def local_paper(image: np.ndarray) -> np.ndarray:
    """Return the paper's value in each column of a line, uint8 (W,) or (W, 3).

    In a column the paper is lighter than four fifths of the pixels, and no stretch as long as the line is high is all
    ink: the lightest column of it says what its paper is (all of this in reverse where writing is light). The values
    go over smoothly along the line.
    """
    inverted = is_inverted(image)
    sample = _rows(image)
    place = round((len(sample) - 1) * (0.2 if inverted else 0.8))
    levels = np.partition(sample, place, axis=0)[place]
    stretch = (image.shape[0] | 1, 1)
    extreme = (cv2.erode if inverted else cv2.dilate)(levels[None], np.ones(stretch[::-1], np.uint8))
    smooth = cv2.blur(extreme, stretch, borderType=cv2.BORDER_REPLICATE)
    return smooth.reshape(levels.shape)


def sheet_of_paper(image: np.ndarray) -> np.ndarray:
    """Return the line without its writing: its local paper in every row, uint8 of the same shape."""
    return np.array(np.broadcast_to(local_paper(image)[None], image.shape), order="C")


def darkness(image: np.ndarray) -> np.ndarray:
    """Return by how much a line of dark ink is darker than its paper, uint8 of the same shape."""
    return cv2.subtract(sheet_of_paper(image), image).reshape(image.shape)


def darkened(image: np.ndarray, by: np.ndarray) -> np.ndarray:
    """Return the line of dark ink with something under its writing that is darker than paper by `by`, uint8 of the same
    shape.
    """
    return cv2.min(image, cv2.subtract(sheet_of_paper(image), by)).reshape(image.shape)


def _rows(image: np.ndarray) -> np.ndarray:
    step = max(1, image.shape[0] // SAMPLED_ROWS)
    return image[step // 2 :: step]
