"""The ink on the image of a page: what is darker than the paper around it."""

import cv2
import numpy as np

WINDOW = 1.5
"""Side of the surroundings that a pixel is compared with, in interlines."""

SENSITIVITY = 0.2
"""How far below the mean of its surroundings a pixel has to be, from 0, where any darker one counts, to 1."""

LEAST_SPREAD = 0.08
"""Standard deviation of the surroundings, as a part of the page's span of brightness, below which there is no ink: the
grain of bare paper."""


def find_ink(pixels: np.ndarray, interline: float) -> np.ndarray:
    """Return where dark writing stands on the image of a page, (h, w) or (h, w, 3) RGB uint8, as (h, w) bool.

    A pixel is ink where it is darker than its surroundings by more than they vary, in the way of Wolf and Jolion
    (Extraction and Recognition of Artificial Text in Multimedia Documents, 2003): shadows, stains and writing that
    shines through from the other side are none. `interline` is how far apart the lines are in pixels.
    """
    grey = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    side = max(3, round(WINDOW * interline)) | 1
    values = grey.astype(np.float32)
    mean = cv2.blur(values, (side, side), borderType=cv2.BORDER_REPLICATE)
    squares = cv2.sqrBoxFilter(values, cv2.CV_32F, (side, side), borderType=cv2.BORDER_REPLICATE)
    spread = np.sqrt(np.maximum(squares - mean**2, 0))
    largest, darkest = max(float(spread.max()), 1e-6), float(values.min())
    limit = mean - SENSITIVITY * (1 - spread / largest) * (mean - darkest)
    span = float(np.percentile(grey, 99)) - darkest
    found: np.ndarray = (values < limit) & (spread > LEAST_SPREAD * span)
    return found
