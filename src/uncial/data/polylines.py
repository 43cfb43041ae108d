"""Geometry of polylines and polygons as (N, 2) float64 arrays of (x, y), y growing downwards."""

from collections.abc import Sequence

import cv2
import numpy as np

from uncial.formats.types import Point


def as_points(points: Sequence[Point] | np.ndarray, limit: float = np.inf) -> np.ndarray:
    """(N, 2) array without immediate repetitions, and without points that are not finite or beyond +-`limit`."""
    array = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    if not len(array):
        return array
    usable = np.isfinite(array) & (np.abs(array) <= limit)
    if not usable.all():
        array = array[usable.all(axis=1)]
    keep = np.ones(len(array), dtype=bool)
    keep[1:] = np.abs(np.diff(array, axis=0)).max(axis=1) > 1e-6
    return array[keep]


def lengths(points: np.ndarray) -> np.ndarray:
    """(N - 1,) lengths of the segments."""
    steps = np.diff(points, axis=0)
    return np.hypot(steps[:, 0], steps[:, 1])


def area(polygon: np.ndarray) -> float:
    """Area by the shoelace formula, in square pixels; parts of a self-crossing polygon may cancel."""
    return float(abs(cv2.contourArea(polygon.astype(np.float32).reshape(-1, 1, 2)))) if len(polygon) > 2 else 0.0


def densify(polygon: np.ndarray, step: float) -> np.ndarray:
    """The closed polygon with further points on its edges, none further than `step` from the next."""
    edges = np.roll(polygon, -1, axis=0) - polygon
    counts = np.maximum(1, np.ceil(np.hypot(edges[:, 0], edges[:, 1]) / step)).astype(int)
    total = int(counts.sum())
    if total == len(polygon):
        return polygon
    index = np.repeat(np.arange(len(polygon)), counts)
    first = np.repeat(np.cumsum(counts) - counts, counts)
    share = (np.arange(total) - first) / counts[index]
    return polygon[index] + edges[index] * share[:, None]


def arcs(points: np.ndarray, step: float) -> np.ndarray:
    """Resample a polyline about every `step`, bulging each segment as the circular arc through its neighbours
    would.

    A baseline clicked every hundred pixels cuts the corners of the curve that it follows. Each segment becomes a
    cubic Hermite curve whose end tangents leave the chord by half the turn at that point, less where the neighbour
    is the shorter one, and by at most 15 degrees: a kink stays a kink, a long straight piece stays straight.
    """
    chords = np.diff(points, axis=0)
    length = np.hypot(chords[:, 0], chords[:, 1])
    angle = np.arctan2(chords[:, 1], chords[:, 0])
    turns = (np.diff(angle) + np.pi) % (2 * np.pi) - np.pi
    half = np.clip(turns / 2, -0.26, 0.26) * (np.abs(turns) < 1.0)
    shorter = np.minimum(length[:-1], length[1:])
    leave, arrive = np.zeros(len(chords)), np.zeros(len(chords))
    arrive[:-1] = half * shorter / length[:-1]
    leave[1:] = -half * shorter / length[1:]
    # An end has no neighbour: go on with the bend of its only one.
    if len(chords) > 1:
        leave[0], arrive[-1] = -arrive[0], -leave[-1]
    total = np.concatenate([[0.0], np.cumsum(length)])
    at = np.linspace(0, total[-1], max(2, int(np.ceil(total[-1] / step)) + 1))
    segment = np.clip(np.searchsorted(total, at, side="right") - 1, 0, len(chords) - 1)
    u = (at - total[segment]) / length[segment]
    bulge = np.tan(leave)[segment] * u * (1 - u) ** 2 - np.tan(arrive)[segment] * u**2 * (1 - u)
    normal = np.stack([-chords[:, 1], chords[:, 0]], axis=1)
    return points[segment] + chords[segment] * u[:, None] + normal[segment] * bulge[:, None]


def smooth(values: np.ndarray, sigma: float) -> np.ndarray:
    """Smooth evenly spaced (N, 2) points with a Gaussian of `sigma` samples, applied twice over ("twicing", Tukey
    1977).

    2G - G*G has no second moment: it takes out what is short against sigma and leaves bends as they are, where one
    Gaussian would flatten them. The ends keep their place and direction (reflection through the end point).
    """
    once = _filter(values, sigma)
    return once + _filter(values - once, sigma)


def smooth_once(values: np.ndarray, sigma: float) -> np.ndarray:
    """Smooth evenly spaced (N,) values with a Gaussian of `sigma` samples; the ends keep their value and slope."""
    return _filter(values[:, None], sigma)[:, 0]


def _filter(values: np.ndarray, sigma: float) -> np.ndarray:
    radius = min(len(values) - 1, int(np.ceil(3 * sigma)))
    if radius < 1:
        return values
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    before = 2 * values[0] - values[radius:0:-1]
    after = 2 * values[-1] - values[-2 : -2 - radius : -1]
    padded = np.concatenate([before, values, after])
    return np.stack([np.convolve(column, kernel, mode="valid") for column in padded.T], axis=1)
