"""Lines, or their words, as bands along the baseline: what detectors of words and lines learn to find."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from uncial.data.pages.shapes import LineShape, PageShapes
from uncial.models.layout.outlines import DEFAULT_DOWN, DEFAULT_UP

LEAST = 2.0
"""Pixels of length and height below which nothing can be drawn."""


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """What lies within `half` to either side of an axis (N >= 2, 2), which runs along the writing."""

    axis: np.ndarray
    half: float

    @property
    def length(self) -> float:
        return float(np.hypot(*np.diff(self.axis, axis=0).T).sum())

    def outline(self, more: float = 0.0) -> np.ndarray:
        """Return its polygon (2 N, 2), larger by `more` on all sides, or smaller where that is below 0."""
        axis = lengthen(self.axis, more)
        across = (self.half + more) * find_normals(axis)
        return np.concatenate([axis - across, (axis + across)[::-1]])


def list_bands(shapes: PageShapes) -> list[Band]:
    """Return the words of each line, and lines that are not divided into words as they are; those that are too small to
    be drawn are left out. Where nothing says how high a line is, it is as high as the others of the page."""
    heights = [(line.up, line.down) for line in shapes.lines if np.isfinite([line.up, line.down]).all()]
    usual = np.median(heights, axis=0) if heights else np.array([DEFAULT_UP, DEFAULT_DOWN]) * shapes.interline
    found = []
    for line in shapes.lines:
        up, down = (line.up, line.down) if np.isfinite([line.up, line.down]).all() else usual
        for baseline in _divide(line):
            middle = baseline - (up - down) / 2 * find_normals(baseline)
            band = Band(middle, max(float(up + down) / 2, 0.5))
            if band.length >= LEAST and band.half >= LEAST / 2:
                found.append(band)
    return found


def _divide(line: LineShape) -> Iterator[np.ndarray]:
    if not len(line.words):
        yield line.baseline
    for start, end in line.words:
        chord = end - start
        along = (line.baseline - start) @ chord / max(float(chord @ chord), 1e-9)
        yield np.concatenate([[start], line.baseline[(along > 0) & (along < 1)], [end]])


def find_normals(axis: np.ndarray) -> np.ndarray:
    """Return the unit vectors (N, 2) across a polyline (N, 2), to the right of its course: down, of upright writing."""
    steps = np.diff(axis, axis=0)
    steps = steps / np.maximum(np.hypot(*steps.T), 1e-9)[:, None]
    along = np.concatenate([steps[:1], steps[:-1] + steps[1:], steps[-1:]])
    along = along / np.maximum(np.hypot(*along.T), 1e-9)[:, None]
    return np.stack([-along[:, 1], along[:, 0]], axis=1)


def lengthen(axis: np.ndarray, more: float) -> np.ndarray:
    """Return a polyline that is longer by `more` at both ends; where that is below 0 shorter, with a tenth left at the
    least."""
    steps = np.hypot(*np.diff(axis, axis=0).T)
    whole = float(steps.sum())
    if more < 0:
        cut = min(-more, 0.45 * whole)
        places = np.r_[0.0, np.cumsum(steps)]
        kept = places[(places > cut) & (places < whole - cut)]
        at = np.r_[cut, kept, whole - cut]
        return np.stack([np.interp(at, places, axis[:, column]) for column in (0, 1)], axis=1)
    first, last = axis[0] - axis[1], axis[-1] - axis[-2]
    longer = axis.astype(np.float64, copy=True)
    longer[0] += more * first / max(float(np.hypot(*first)), 1e-9)
    longer[-1] += more * last / max(float(np.hypot(*last)), 1e-9)
    return longer


def add_ends(axis: np.ndarray, distance: float) -> np.ndarray:
    """Return an axis of points about a pixel apart with one more at both ends, `distance` beyond them."""
    reach = int(np.clip(round(2 * distance), 2, len(axis)))
    return np.concatenate([[_go_on(axis[reach - 1 :: -1], distance)], axis, [_go_on(axis[-reach:], distance)]])


def _go_on(points: np.ndarray, distance: float) -> np.ndarray:
    """Return the point that lies `distance` beyond the last of some points, of which no two alone say which way."""
    half = len(points) // 2
    way = points[half:].mean(axis=0) - points[:half].mean(axis=0)
    way = way / max(float(np.hypot(*way)), 1e-9)
    middle = points.mean(axis=0)
    end: np.ndarray = middle + (float((points[-1] - middle) @ way) + distance) * way
    return end
