"""Baselines as points, and how far lines are from each other: what the scores of baselines are computed from.

All of it follows the scorer of the competition to the order of its operations (see `baselines`).
"""

import math
from collections.abc import Sequence

import numpy as np

from uncial.document import Point

POINT_DISTANCE = 5
"""Pixels between the points of a thinned baseline."""
MIN_POINTS = 20
"""Points that a thinned baseline has at least, if it is that long."""
MAX_LINE_DISTANCE = 250.0
"""Pixels beyond which another line is not near."""
TOLERANCE_SHARE = 0.25
"""The tolerance over the distance to the nearest other line."""
MAX_COORDINATE = 100_000
"""Coordinates beyond are set to it: no page is so large."""
MAX_POINTS = 4_000
"""Points that are kept at most, of lines of more than 20,000 pixels: broken ones, which must not take all memory."""
BLOCK = 1_000_000
"""Distances that are held at once."""

Polyline = Sequence[Point] | np.ndarray


def trace_baseline(points: Polyline) -> np.ndarray:
    """Return the points at which a baseline is scored, (N, 2) whole numbers, about every fifth pixel of its dominant
    axis. Coordinates are rounded; points that are not finite are left out; without any there are none.
    """
    vertices = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    vertices = vertices[np.isfinite(vertices).all(axis=1)]
    vertices = _round(np.clip(vertices, -MAX_COORDINATE, MAX_COORDINATE))
    steps = np.abs(np.diff(vertices, axis=0)).max(axis=1, initial=0)
    # A repeated vertex adds no pixel.
    vertices = np.concatenate([vertices[:-1][steps > 0], vertices[-1:]])
    if len(vertices) < 2:
        return vertices
    ends = np.cumsum(steps[steps > 0])
    at = _thin(int(ends[-1]))
    segment = np.minimum(np.searchsorted(ends, at, side="right"), len(ends) - 1)
    start, change = vertices[segment], np.diff(vertices, axis=0)[segment]
    along = at - np.concatenate([[0], ends])[segment]
    dominant = (np.abs(change[:, 1]) > np.abs(change[:, 0])).astype(int)
    rows = np.arange(len(at))
    moved = along * np.sign(change[rows, dominant])
    traced = start.copy()
    traced[rows, dominant] += moved
    aside = 1 - dominant
    traced[rows, aside] = _round(start[rows, aside] + moved * change[rows, aside] / change[rows, dominant])
    return traced


def _thin(length: int) -> np.ndarray:
    """Return the pixels that are kept of `length` + 1, by number."""
    if length + 1 <= MIN_POINTS:
        return np.arange(length + 1)
    count = min(max(MIN_POINTS, length // POINT_DISTANCE + 1), MAX_POINTS)
    return np.concatenate([(np.arange(count - 1) * (length / (count - 1))).astype(np.int64), [length]])


def _round(values: np.ndarray) -> np.ndarray:
    """To the nearest whole number, halves upwards."""
    return np.floor(values + 0.5).astype(np.int64)


def measure_direction(points: np.ndarray) -> float:
    """Return the angle of a thinned baseline (N, 2) in radians, y upwards: that of the regression line, turned to
    agree with the way from start to end.
    """
    if len(points) < 2:
        return 0.0
    slope = _fit_slope(points[:, 0], -points[:, 1])
    angle = math.pi / 2 if math.isinf(slope) else math.atan(slope)
    (first_x, first_y), (last_x, last_y) = points[0], points[-1]
    if angle <= -math.pi / 4:
        is_turned = first_y > last_y
    elif angle <= math.pi / 4:
        is_turned = first_x > last_x
    else:
        is_turned = first_y < last_y
    angle += math.pi if is_turned else 0.0
    return angle + 2 * math.pi if angle < 0 else angle


def _fit_slope(x: np.ndarray, y: np.ndarray) -> float:
    """Return the slope of the regression of y on x, infinite for a column; in the scorer's order of operations."""
    if len(x) == 2:
        return float(y[1] - y[0]) / float(x[1] - x[0]) if x[1] != x[0] else math.inf
    # The scorer looks for the extent among 10,000 and 0, too.
    if max(int(x.max()), 0) - min(int(x.min()), 10_000) < 2:
        return math.inf
    count, sum_x, sum_xx = float(len(x)), float(x.sum()), float((x * x).sum())
    determinant = count * sum_xx - sum_x * sum_x
    if determinant < 1e-9:
        return math.inf
    factor = 1.0 / determinant
    return float(y.sum()) * (-factor * sum_x) + float((x * y).sum()) * (factor * count)


def estimate_tolerances(lines: Sequence[np.ndarray]) -> np.ndarray:
    """Return the tolerance in pixels of each of the truth's thinned baselines (N, 2), (lines,)."""
    distances = np.zeros(len(lines))
    present = [number for number, points in enumerate(lines) if len(points)]
    traces = [lines[number] for number in present]
    boxes = bounding_boxes(traces)
    ends = np.array([(points[0], points[-1]) for points in traces], dtype=np.float64).reshape(-1, 2, 2)
    for place, number in enumerate(present):
        distances[number] = _measure_line_distance(place, traces, boxes, ends)
    known = [distance for distance in distances.tolist() if distance]
    mean = sum(known) / len(known) if known else MAX_LINE_DISTANCE
    return np.minimum(np.where(distances == 0, mean, distances), mean) * TOLERANCE_SHARE


def _measure_line_distance(number: int, traces: Sequence[np.ndarray], boxes: np.ndarray, ends: np.ndarray) -> float:
    """Return how far the nearest other line passes beside one; 0 where none is near.

    Point by point and line by line the least distance so far decides which lines are looked at next, so that the
    order of points and lines has a say. That is computed for blocks of points at once, and then gone through.
    """
    own = traces[number]
    angle = measure_direction(own)
    cos, sin = math.cos(angle), math.sin(angle)
    candidates = np.flatnonzero(_passes_beside(ends, number, cos, sin))
    most = max(1, BLOCK // max(1, sum(len(traces[line]) for line in candidates.tolist())))
    distance, start, size = MAX_LINE_DISTANCE, 0, 1
    while start < len(own):
        block = own[start : start + size]
        gaps = box_gaps(np.concatenate([block.min(axis=0), block.max(axis=0)]), boxes[candidates])
        near = candidates[gaps.sum(axis=-1) <= distance]
        lines = [traces[line] for line in near.tolist()]
        if lines:
            distance = _scan(block, lines, boxes[near], (cos, sin), distance)
        start += len(block)
        size = min(size * 4, most)
    return distance if distance < MAX_LINE_DISTANCE else 0.0


def _passes_beside(ends: np.ndarray, number: int, cos: float, sin: float) -> np.ndarray:
    """Return which lines do not lie wholly before or behind a line, by the first and last points (lines, 2, 2) of
    all."""
    away = ends[number][:, np.newaxis, np.newaxis] - ends
    ahead = away[..., 0] * cos - away[..., 1] * sin
    is_beside = ~((ahead < 0).all(axis=(0, 2)) | (ahead > 0).all(axis=(0, 2)))
    is_beside[number] = False
    return is_beside


def _scan(
    block: np.ndarray,
    lines: Sequence[np.ndarray],
    boxes: np.ndarray,
    direction: tuple[float, float],
    distance: float,
) -> float:
    """Return the least distance after some points (N, 2) of a line: the distance so far, or less."""
    cos, sin = direction
    points = np.concatenate(lines)
    starts = np.cumsum([0, *(len(line) for line in lines[:-1])])
    x, y = (block[:, axis, np.newaxis] - points[:, axis] for axis in (0, 1))
    across = np.abs(x * sin + y * cos)
    across[np.abs(x * cos - y * sin) > 2 * POINT_DISTANCE] = np.inf
    least = np.minimum.reduceat(across, starts, axis=1).ravel()
    gaps = box_gaps(np.concatenate([block, block], axis=1)[:, np.newaxis], boxes).sum(axis=-1).ravel()
    for place in np.flatnonzero((least < distance) & (gaps <= distance)):
        if gaps[place] <= distance:
            distance = min(distance, float(least[place]))
    return distance


def bounding_boxes(lines: Sequence[np.ndarray]) -> np.ndarray:
    """Return (left, top, right, bottom) of each of some lists of points, (lists, 4). No list is empty."""
    boxes = [np.concatenate([points.min(axis=0), points.max(axis=0)]) for points in lines]
    return np.array(boxes).reshape(-1, 4)


def box_gaps(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return how far boxes (…, 4) are apart in x and y, (…, 2); 0 where they overlap."""
    return np.maximum(np.maximum(one[..., :2] - other[..., 2:], other[..., :2] - one[..., 2:]), 0)


def nearest_distances(one: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return for each point of either list, (N, 2) and (M, 2), how far the nearest one of the other is, |dx| + |dy|."""
    step = max(1, BLOCK // len(other))
    from_one, from_other = [], np.full(len(other), np.inf)
    for start in range(0, len(one), step):
        part = one[start : start + step, np.newaxis]
        distances = np.abs(part[..., 0] - other[:, 0]) + np.abs(part[..., 1] - other[:, 1])
        from_one.append(distances.min(axis=1))
        np.minimum(from_other, distances.min(axis=0), out=from_other)
    return np.concatenate(from_one).astype(np.float64), from_other
