"""Moving the pixels of a line, with its own paper wherever nothing is moved to."""

import cv2
import numpy as np

from uncial.data.augmentation.background import local_paper

LARGEST = 2**15 - 2
"""OpenCV's remap takes no image with more rows or columns."""


def resample(image: np.ndarray, map_x: np.ndarray, map_y: np.ndarray) -> np.ndarray:
    """Return the line, uint8 (H, W) or (H, W, 3), whose pixel (y, x) is that at (map_y, map_x), float32 (H, W) each.

    What comes from outside the image is the local paper.
    """
    paper = local_paper(image)
    if (paper == paper[0]).all():
        return _remapped(image, map_x, map_y, np.atleast_1d(paper[0]).tolist())
    # What differs from the paper is moved; where nothing comes from, nothing differs.
    moved = _remapped(image.astype(np.int16) - paper, map_x, map_y, [0] * 3)
    return np.clip(moved + paper, 0, 255).astype(np.uint8)


def _remapped(image: np.ndarray, map_x: np.ndarray, map_y: np.ndarray, border: list[int]) -> np.ndarray:
    """cv2.remap for images of any width, piece by piece where it is too wide for it."""
    width = image.shape[1]
    if width <= LARGEST:
        return _moved(image, map_x, map_y, border)
    pieces = []
    for start in range(0, width, LARGEST // 4):
        columns = slice(start, start + LARGEST // 4)
        left = int(np.clip(np.floor(map_x[:, columns].min()) - 1, 0, width - 1))
        right = int(np.clip(np.ceil(map_x[:, columns].max()) + 2, left + 1, min(width, left + LARGEST)))
        pieces.append(_moved(image[:, left:right], map_x[:, columns] - left, map_y[:, columns], border))
    return np.concatenate(pieces, axis=1)


def _moved(source: np.ndarray, map_x: np.ndarray, map_y: np.ndarray, border: list[int]) -> np.ndarray:
    moved = cv2.remap(source, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=border)
    return np.asarray(moved).reshape(map_x.shape + source.shape[2:])
