"""Rasterising: from pen strokes along a baseline to the ink's coverage of the page."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from uncial.data.synthetic.baseline import Baseline
from uncial.data.synthetic.writing import PenPath

_FINE = 3
_SHIFT = 4


@dataclass(frozen=True)
class LineInk:
    """The ink of one line: `coverage` (h, w) uint8, 255 where full, its top left corner at (left, top) of the page."""

    left: int
    top: int
    coverage: NDArray[np.uint8]


def ink_line(path: PenPath, baseline: Baseline, scale: float, weight: float = 1.0) -> LineInk:
    """Draws the path along the baseline, `scale` pixels a font unit, its strokes `weight` times as wide.

    Drawn three times as large and reduced by area, so that widths and edges vary by fractions of a pixel.
    """
    if not len(path.start):
        return LineInk(0, 0, np.zeros((1, 1), np.uint8))
    points = np.concatenate([path.start, path.end]) * scale
    x, y = baseline.at(points[:, 0], points[:, 1])
    width = path.thickness * scale * weight
    margin = float(width.max()) + 2
    left, top = int(np.floor(x.min() - margin)), int(np.floor(y.min() - margin))
    columns, rows = int(np.ceil(x.max() + margin)) - left, int(np.ceil(y.max() + margin)) - top
    # Half a fine pixel off: OpenCV counts from pixel centres, coordinates on the page from pixel corners.
    fixed = (np.stack([x - left, y - top], 1) * _FINE - 0.5) * 2**_SHIFT
    segments = np.round(fixed).astype(np.int32).reshape(2, -1, 2).transpose(1, 0, 2)
    canvas = np.zeros((rows * _FINE, columns * _FINE), np.uint8)
    thickness = np.maximum(np.round(width * _FINE).astype(int), 2)
    for value in np.unique(thickness):
        chosen = np.ascontiguousarray(segments[thickness == value])
        cv2.polylines(canvas, list(chosen), False, 255, int(value), cv2.LINE_8, _SHIFT)
    coverage = cv2.resize(canvas, (columns, rows), interpolation=cv2.INTER_AREA)
    return LineInk(left, top, np.asarray(coverage, dtype=np.uint8))
