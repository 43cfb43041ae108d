"""Lines on the page: the curves that they are written along, the ink that covers the page, and polygons around it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from uncial.data.synthetic.writing import PenPath
from uncial.document import Point

Array = NDArray[np.float64]


class Course(Protocol):
    """What a line is written along."""

    def at(self, s: Array, height: Array) -> tuple[Array, Array]:
        """Page coordinates of the points at arc length `s` and `height` pixels above the course."""


@dataclass(frozen=True)
class Baseline:
    """A curve y(x) sampled at every pixel from `x[0]`, in page pixels, y downwards.

    `length` is that along the curve from its left end.
    """

    x: Array
    y: Array
    length: Array
    slope: Array

    def at(self, s: Array, height: Array) -> tuple[Array, Array]:
        """Page coordinates of the points at arc length `s` and `height` pixels above the curve, along its normal.

        Beyond its ends the curve goes on straight.
        """
        x, y, slope = (np.interp(s, self.length, v) for v in (self.x, self.y, self.slope))
        beyond = s - np.clip(s, self.length[0], self.length[-1])
        norm = np.sqrt(1 + slope**2)
        return x + (beyond + height * slope) / norm, y + (beyond * slope - height) / norm

    def coordinates(self, x: Array, y: Array) -> tuple[Array, Array]:
        """Return the inverse of `at`: arc length and height of page points, by fixed-point iteration on the foot
        point."""
        foot = x
        for _ in range(3):
            curve, slope = np.interp(foot, self.x, self.y), np.interp(foot, self.x, self.slope)
            height = (curve - y) / np.sqrt(1 + slope**2)
            foot = x - height * slope / np.sqrt(1 + slope**2)
        curve, slope = np.interp(foot, self.x, self.y), np.interp(foot, self.x, self.slope)
        outside = foot - np.clip(foot, self.x[0], self.x[-1])
        return np.interp(foot, self.x, self.length) + outside, (curve - y + outside * slope) * np.sqrt(1 + slope**2)

    def until(self, length: float) -> "Baseline":
        """Return the curve's first part, of that arc length."""
        n = int(np.clip(np.searchsorted(self.length, length) + 1, 2, len(self.x)))
        return Baseline(self.x[:n], self.y[:n], self.length[:n], self.slope[:n])

    def points(self, step: float = 24.0) -> tuple[tuple[float, float], ...]:
        """Return the curve as a polyline with a point about every `step` pixels and at both ends."""
        n = max(2, round((self.x[-1] - self.x[0]) / step) + 1)
        chosen = np.round(np.linspace(0, len(self.x) - 1, n)).astype(int)
        return tuple((float(self.x[i]), float(self.y[i])) for i in chosen)


def make_baseline(x: Array, y: Array) -> Baseline:
    """Return the curve through points one pixel apart in x."""
    slope = np.gradient(y, x)
    steps = np.hypot(np.diff(x), np.diff(y))
    return Baseline(x, y, np.concatenate([[0.0], np.cumsum(steps)]), slope)


def draw_baseline(
    start: tuple[float, float], width: float, slope: float, bow: float, waves: tuple[float, ...] = ()
) -> Baseline:
    """Return a baseline of `width` pixels from `start`: a straight line of `slope`, bowed, and with waves.

    `bow` is the height of the arc in pixels over the whole width (positive: the middle lies higher than the ends).
    `waves` are (amplitude in pixels, wavelength in pixels, phase in radians), one after the other.
    """
    u = np.arange(max(int(np.ceil(width)), 2) + 1, dtype=np.float64)
    y = start[1] + slope * u - bow * 4 * (u / width) * (1 - u / width)
    for amplitude, wavelength, phase in zip(*[iter(waves)] * 3, strict=True):
        y += amplitude * (np.sin(2 * np.pi * u / wavelength + phase) - np.sin(phase))
    return make_baseline(start[0] + u, y)


_FINE = 3
_SHIFT = 4

MIN_STROKE = 2 / _FINE
"""Pixels: no stroke is drawn thinner."""


@dataclass(frozen=True)
class LineInk:
    """The ink of one line: `coverage` (h, w) uint8, 255 where full, its top left corner at (left, top) of the page."""

    left: int
    top: int
    coverage: NDArray[np.uint8]


def ink_line(path: PenPath, baseline: Course, scale: float, weight: float = 1.0) -> LineInk:
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


_INK = 20
_STEP = 4


def trace_outlines(
    inks: Sequence[LineInk], baselines: Sequence[Baseline], height: int, width: int, body: float, margin: float
) -> list[tuple[Point, ...]]:
    """Return a polygon in whole pixels for each line, the lines standing one below the other in their order.

    It goes round the ink at `margin` pixels and takes in at least the band from `body` above the baseline to the
    baseline. Between two lines it runs half-way between their inks; where one line's ink reaches into the other's, each
    keeps its own.
    """
    extents = [_find_envelope(ink, width) for ink in inks]
    shapes = []
    for k, (ink, baseline) in enumerate(zip(inks, baselines, strict=True)):
        top, bottom = extents[k]
        above = extents[k - 1][1] if k else None
        below = extents[k + 1][0] if k + 1 < len(extents) else None
        first = max(0, int(min(ink.left, baseline.x[0]) - margin) // _STEP)
        last = min(len(top) - 1, int(max(ink.left + ink.coverage.shape[1], baseline.x[-1]) + margin) // _STEP)
        bins = np.arange(first, last + 1)
        course = np.interp(bins * _STEP + _STEP / 2, baseline.x, baseline.y)
        upper = _find_edge(top[bins], course - body, None if above is None else above[bins], margin)
        lower = -_find_edge(-bottom[bins], -course - 0.1 * body, None if below is None else -below[bins], margin)
        shapes.append(_make_polygon(bins, upper, lower, height, width))
    return shapes


def _find_envelope(ink: LineInk, width: int) -> tuple[Array, Array]:
    """Return the ink's highest and lowest row in every strip of `_STEP` columns and its neighbours; inf and -inf: no
    ink."""
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


def _find_edge(own: Array, band: Array, neighbour: Array | None, margin: float) -> Array:
    """Return the upper edge: `own` the ink's top, `band` what must lie inside, `neighbour` the bottom of the ink
    above."""
    wanted = np.minimum(own, band) - margin
    if neighbour is None:
        return wanted
    inside = np.minimum(own, np.maximum(band, neighbour))
    half_way = np.where(np.isfinite(neighbour), (np.maximum(neighbour, -1e9) + inside) / 2, -np.inf)
    return np.where(neighbour < inside, np.maximum(wanted, half_way), inside)


def _make_polygon(bins: NDArray[np.int64], upper: Array, lower: Array, height: int, width: int) -> tuple[Point, ...]:
    x = bins * _STEP + _STEP / 2
    x[0], x[-1] = bins[0] * _STEP, (bins[-1] + 1) * _STEP
    edge = np.concatenate([np.stack([x, np.floor(upper)], 1), np.stack([x, np.ceil(lower)], 1)[::-1]])
    edge = np.clip(np.round(edge), 0, [width - 1, height - 1]).astype(np.int32)
    fewer = cv2.approxPolyDP(edge[:, None], 0.7, True)[:, 0]
    return tuple((float(px), float(py)) for px, py in fewer)
