"""Geometry of polylines and polygons as (N, 2) float64 arrays of (x, y), y growing downwards; many in one array."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import cv2
import numpy as np

from uncial.document import Point


def to_points(points: Sequence[Point] | np.ndarray, limit: float = np.inf) -> np.ndarray:
    """(N, 2) array without immediate repetitions, and without points that are not finite or beyond +-`limit`."""
    array = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    if not len(array):
        return array
    usable = np.isfinite(array) & (np.abs(array) <= limit)
    if not usable.all():
        array = array[usable.all(axis=1)]
    moved = np.abs(array[1:] - array[:-1]).max(axis=1) > 1e-6
    return array if moved.all() else array[np.concatenate([[True], moved])]


def measure_lengths(points: np.ndarray) -> np.ndarray:
    """(N - 1,) lengths of the segments."""
    steps = np.diff(points, axis=0)
    return np.hypot(steps[:, 0], steps[:, 1])


def compute_area(polygon: np.ndarray) -> float:
    """Area by the shoelace formula, in square pixels; parts of a self-crossing polygon may cancel."""
    return float(abs(cv2.contourArea(polygon.astype(np.float32).reshape(-1, 1, 2)))) if len(polygon) > 2 else 0.0


def densify(polygon: np.ndarray, step: float) -> np.ndarray:
    """Return the closed polygon with further points on its edges, none further than `step` from the next."""
    edges = np.roll(polygon, -1, axis=0) - polygon
    counts = np.maximum(1, np.ceil(np.hypot(edges[:, 0], edges[:, 1]) / step)).astype(int)
    total = int(counts.sum())
    if total == len(polygon):
        return polygon
    index = np.repeat(np.arange(len(polygon)), counts)
    first = np.repeat(np.cumsum(counts) - counts, counts)
    share = (np.arange(total) - first) / counts[index]
    return polygon[index] + edges[index] * share[:, None]


def compute_arcs(points: np.ndarray, step: float) -> np.ndarray:
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


def find_points_along(line: np.ndarray, count: int) -> np.ndarray:
    """(count, 2): the middles of `count` pieces of equal length of a polyline of two or more points."""
    total = np.concatenate([[0.0], np.cumsum(measure_lengths(line))])
    at = (np.arange(count) + 0.5) * (total[-1] / count)
    return np.stack([np.interp(at, total, line[:, axis]) for axis in (0, 1)], axis=1)


def clip_polygon(polygon: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return the part of a polygon (N, 2) between the corners `low` and `high`, (2,) each, as (M, 2); without points
    where there is none (Sutherland and Hodgman 1974)."""
    for axis in (0, 1):
        for sign, edge in ((1.0, low[axis]), (-1.0, -high[axis])):
            inside = sign * polygon[:, axis] - edge
            after, inside_after = np.roll(polygon, -1, axis=0), np.roll(inside, -1)
            crosses = (inside >= 0) != (inside_after >= 0)
            share = np.where(crosses, inside / np.where(crosses, inside - inside_after, 1.0), 0.0)
            pairs = np.stack([polygon, polygon + share[:, None] * (after - polygon)], axis=1)
            polygon = pairs.reshape(-1, 2)[np.stack([inside >= 0, crosses], axis=1).ravel()]
    return polygon


def clip_line(line: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return a polyline (K, 2) from where it first lies between the corners `low` and `high`, (2,) each, to where it
    last does, as (M, 2); without points where it never does (Liang and Barsky 1984)."""
    start, step = line[:-1], np.diff(line, axis=0)
    first, last = np.zeros(len(step)), np.ones(len(step))
    for axis in (0, 1):
        moves = step[:, axis] != 0
        divisor = np.where(moves, step[:, axis], 1.0)
        to_low, to_high = (low[axis] - start[:, axis]) / divisor, (high[axis] - start[:, axis]) / divisor
        beside = (start[:, axis] < low[axis]) | (start[:, axis] > high[axis])
        first = np.where(moves, np.maximum(first, np.minimum(to_low, to_high)), np.where(beside, 2.0, first))
        last = np.where(moves, np.minimum(last, np.maximum(to_low, to_high)), last)
    seen = np.flatnonzero(first < last)
    if not len(seen):
        return line[:0]
    begins, ends = seen[0], seen[-1]
    enters, leaves = start[begins] + first[begins] * step[begins], start[ends] + last[ends] * step[ends]
    return np.concatenate([[enters], line[begins + 1 : ends + 1], [leaves]])


LIMIT = 1e7
"""Pixels to which greater coordinates, and those that are no numbers, are set: they are far off in any case, and what
is computed with them stays exact."""


@dataclass(frozen=True, slots=True)
class Ragged:
    """`points` (P, 2) are those of all lists, one list after the other; `starts` (N + 1,) where each begins and ends.
    No list is empty; `owners` (N,) are their positions among those given.
    """

    points: np.ndarray
    starts: np.ndarray
    owners: np.ndarray

    @property
    def counts(self) -> np.ndarray:
        """(N,): points of each list."""
        return np.diff(self.starts)

    def least(self, values: np.ndarray) -> np.ndarray:
        """(N, …): the least of `values` (P, …) in each list."""
        return np.minimum.reduceat(values, self.starts[:-1], axis=0)

    def most(self, values: np.ndarray) -> np.ndarray:
        """(N, …): the greatest of `values` (P, …) in each list."""
        return np.maximum.reduceat(values, self.starts[:-1], axis=0)

    def areas(self) -> np.ndarray:
        """(N,): the area of each list as a closed polygon, by the shoelace formula."""
        after = np.arange(1, len(self.points) + 1)
        after[self.starts[1:] - 1] = self.starts[:-1]
        # From the first point of each polygon, so that large coordinates do not cost digits.
        own = self.points - np.repeat(self.points[self.starts[:-1]], self.counts, axis=0)
        crossed = own[:, 0] * own[after, 1] - own[after, 0] * own[:, 1]
        return np.abs(np.add.reduceat(crossed, self.starts[:-1])) / 2


def join_points(lists: Sequence[Sequence[Point]], least: int) -> Ragged:
    """Return the lists of `least` points or more in one array, no coordinate beyond +-`LIMIT`."""
    owners = [number for number, points in enumerate(lists) if len(points) >= least]
    counts = [len(lists[number]) for number in owners]
    values = chain.from_iterable(chain.from_iterable(lists[number] for number in owners))
    points = _limit(np.fromiter(values, np.float64, 2 * sum(counts)).reshape(-1, 2))
    return Ragged(points, np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]), np.array(owners, dtype=np.int64))


def to_numbers(points: Sequence[Point]) -> np.ndarray:
    """(N, 2): all of the points, no coordinate beyond +-`LIMIT`."""
    return _limit(np.array(points, dtype=np.float64).reshape(-1, 2))


def to_tuples(points: np.ndarray) -> tuple[Point, ...]:
    """Points (N, 2) as lines have them."""
    return tuple(map(tuple, points.tolist()))


def _limit(points: np.ndarray) -> np.ndarray:
    return np.clip(np.nan_to_num(points, nan=LIMIT, posinf=LIMIT, neginf=-LIMIT), -LIMIT, LIMIT)
