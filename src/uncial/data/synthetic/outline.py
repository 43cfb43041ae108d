"""Line polygons: an outline around a line's ink that keeps clear of its neighbours' ink."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from uncial.data.synthetic.baseline import Baseline
from uncial.data.synthetic.pen import LineInk
from uncial.document import Point

_INK = 20
_STEP = 4

Array = NDArray[np.float64]


def outlines(
    inks: Sequence[LineInk], baselines: Sequence[Baseline], height: int, width: int, body: float, margin: float
) -> list[tuple[Point, ...]]:
    """A polygon in whole pixels for each line, the lines standing one below the other in their order.

    It goes round the ink at `margin` pixels and takes in at least the band from `body` above the baseline to the
    baseline. Between two lines it runs half-way between their inks; where one line's ink reaches into the other's, each
    keeps its own.
    """
    extents = [_envelope(ink, width) for ink in inks]
    shapes = []
    for k, (ink, baseline) in enumerate(zip(inks, baselines, strict=True)):
        top, bottom = extents[k]
        above = extents[k - 1][1] if k else None
        below = extents[k + 1][0] if k + 1 < len(extents) else None
        first = max(0, int(min(ink.left, baseline.x[0]) - margin) // _STEP)
        last = min(len(top) - 1, int(max(ink.left + ink.coverage.shape[1], baseline.x[-1]) + margin) // _STEP)
        bins = np.arange(first, last + 1)
        course = np.interp(bins * _STEP + _STEP / 2, baseline.x, baseline.y)
        upper = _edge(top[bins], course - body, None if above is None else above[bins], margin)
        lower = -_edge(-bottom[bins], -course - 0.1 * body, None if below is None else -below[bins], margin)
        shapes.append(_polygon(bins, upper, lower, height, width))
    return shapes


def _envelope(ink: LineInk, width: int) -> tuple[Array, Array]:
    """The ink's highest and lowest row in every strip of `_STEP` columns and its neighbours; inf and -inf: no ink."""
    rows, columns = ink.coverage.shape
    dark = ink.coverage > _INK
    some = dark.any(axis=0)
    high = np.where(some, ink.top + dark.argmax(axis=0), np.inf)
    low = np.where(some, ink.top + rows - dark[::-1].argmax(axis=0), -np.inf)
    count = width // _STEP + 1
    top, bottom = np.full(count + 2, np.inf), np.full(count + 2, -np.inf)
    bins = np.clip((ink.left + np.arange(columns)) // _STEP, 0, count - 1) + 1
    np.minimum.at(top, bins, high)
    np.maximum.at(bottom, bins, low)
    return (
        np.minimum(np.minimum(top[:-2], top[1:-1]), top[2:]),
        np.maximum(np.maximum(bottom[:-2], bottom[1:-1]), bottom[2:]),
    )


def _edge(own: Array, band: Array, neighbour: Array | None, margin: float) -> Array:
    """The upper edge: `own` the ink's top, `band` what must lie inside, `neighbour` the bottom of the ink above."""
    wanted = np.minimum(own, band) - margin
    if neighbour is None:
        return wanted
    inside = np.minimum(own, np.maximum(band, neighbour))
    half_way = np.where(np.isfinite(neighbour), (np.maximum(neighbour, -1e9) + inside) / 2, -np.inf)
    return np.where(neighbour < inside, np.maximum(wanted, half_way), inside)


def _polygon(bins: NDArray[np.int64], upper: Array, lower: Array, height: int, width: int) -> tuple[Point, ...]:
    x = bins * _STEP + _STEP / 2
    x[0], x[-1] = bins[0] * _STEP, (bins[-1] + 1) * _STEP
    edge = np.concatenate([np.stack([x, np.floor(upper)], 1), np.stack([x, np.ceil(lower)], 1)[::-1]])
    edge = np.clip(np.round(edge), 0, [width - 1, height - 1]).astype(np.int32)
    fewer = cv2.approxPolyDP(edge[:, None], 0.7, True)[:, 0]
    return tuple((float(px), float(py)) for px, py in fewer)
