"""From the maps of a page to fragments of its lines: pieces of ridge, each a polyline along the writing."""

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra

BENT = 50.0
"""Degrees by which the direction within a fragment may differ from its mean before the fragment is taken for bent."""


SLOPE = 0.6
"""What a pixel beside a crest has of its height at least to be closed up with it."""


@dataclass(frozen=True, slots=True, eq=False)
class LineMaps:
    """The maps by which lines are found, (h, w) float32 each: `ridge`, `start` and `end` as probabilities, the unit
    vector `along` the writing as two maps, and the logarithms of the heights in interlines. `interline` is in pixels
    of the maps."""

    ridge: np.ndarray
    start: np.ndarray
    end: np.ndarray
    along_x: np.ndarray
    along_y: np.ndarray
    up: np.ndarray
    down: np.ndarray
    interline: float


@dataclass(frozen=True, slots=True, eq=False)
class Fragment:
    """`points` (N >= 1, 2) run along the writing; `head` and `tail` are the unit vectors along it at both ends."""

    points: np.ndarray
    head: np.ndarray
    tail: np.ndarray


def find_fragments(maps: LineMaps, threshold: float, end_weight: float) -> list[Fragment]:
    """Return the pieces of ridge that are above `threshold` when `end_weight` times the bars of starts and ends have
    been taken off."""
    field = maps.ridge - end_weight * np.maximum(maps.start, maps.end)
    crest = (_is_crest(maps) & (field > threshold)).astype(np.uint8)
    # A crest that runs between two pixels is none of either: neighbours close it again, but not the slopes between two
    # lines that are close to each other.
    around = np.ones((3, 3), np.uint8)
    beside = (field > threshold) & (maps.ridge > SLOPE * cv2.dilate(maps.ridge, around))
    crest |= cv2.dilate(crest, around) & beside
    count, labels = cv2.connectedComponents(crest, connectivity=8)
    rows, columns = np.nonzero(labels)
    order = np.argsort(labels[rows, columns], kind="stable")
    rows, columns = rows[order], columns[order]
    bounds = np.searchsorted(labels[rows, columns], np.arange(1, count + 1))
    found = []
    for first, last in pairwise(bounds.tolist()):
        if last - first > 1:
            found.append(_trace(maps, field, rows[first:last], columns[first:last]))
    return found


def _is_crest(maps: LineMaps) -> np.ndarray:
    """Return where the ridge is as high as a pixel further to either side of the writing."""
    height, width = maps.ridge.shape
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    length = np.hypot(maps.along_x, maps.along_y) + 1e-6
    across_x, across_y = -maps.along_y / length, maps.along_x / length
    beside = [cv2.remap(maps.ridge, x + side * across_x, y + side * across_y, cv2.INTER_LINEAR) for side in (-1.0, 1.0)]
    crest: np.ndarray = (maps.ridge >= beside[0]) & (maps.ridge >= beside[1])
    return crest


def _trace(maps: LineMaps, field: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> Fragment:
    weights = np.maximum(field[rows, columns], 1e-3).astype(np.float64)
    vectors = np.stack([maps.along_x[rows, columns], maps.along_y[rows, columns]], axis=1).astype(np.float64)
    places = np.stack([columns, rows], axis=1).astype(np.float64)
    mean = weights @ vectors
    norm = float(np.hypot(*mean))
    direction = mean / norm if norm > 1e-6 else np.array([1.0, 0.0])
    turned = np.degrees(np.abs(np.arctan2(vectors @ [-direction[1], direction[0]], vectors @ direction)))
    if np.percentile(turned, 90) > BENT:
        travelled = _measure_way(places, vectors)
        direction = None
    else:
        travelled = places @ direction
    steps = np.floor(travelled - travelled.min()).astype(np.int64)
    total = np.bincount(steps, weights)
    used = total > 0
    middles = np.stack([np.bincount(steps, weights * places[:, axis])[used] / total[used] for axis in (0, 1)], axis=1)
    points = _smooth(middles)
    if direction is not None:
        points = _stretch_to_full_length(points, travelled, direction)
    reach = min(len(points), max(2, round(maps.interline)))
    head, tail = (_find_direction(points[part], direction) for part in (slice(0, reach), slice(-reach, None)))
    return Fragment(points, head, tail)


def _stretch_to_full_length(points: np.ndarray, travelled: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """Return the means of the first and last pixels lie within the fragment: set them to its ends."""
    ends = points.copy()
    for place, reach in ((0, travelled.min()), (-1, travelled.max())):
        ends[place] = ends[place] + (reach - ends[place] @ direction) * direction
    return ends


def _smooth(points: np.ndarray) -> np.ndarray:
    if len(points) < 6:
        return points
    return np.stack(
        [cv2.blur(points[:, axis].reshape(1, -1), (5, 1), borderType=cv2.BORDER_REPLICATE)[0] for axis in (0, 1)],
        axis=1,
    )


def _find_direction(points: np.ndarray, default: np.ndarray | None) -> np.ndarray:
    chord = points[-1] - points[0]
    length = float(np.hypot(*chord))
    if length < 2.0:
        return default if default is not None else np.array([1.0, 0.0])
    unit: np.ndarray = chord / length
    return unit


def _measure_way(places: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Return how far along a bent fragment each of its pixels lies, by the shortest ways over neighbouring pixels from
    that end at which the writing begins."""
    width = int(places[:, 0].max() - places[:, 0].min()) + 3
    keys = (places[:, 1] - places[:, 1].min()) * width + places[:, 0] - places[:, 0].min() + 1
    order = np.argsort(keys)
    pairs, costs = [], []
    for offset, cost in ((1, 1.0), (width - 1, 2**0.5), (width, 1.0), (width + 1, 2**0.5)):
        at = np.searchsorted(keys[order], keys + offset)
        hit = (at < len(keys)) & (keys[order][np.minimum(at, len(keys) - 1)] == keys + offset)
        pairs.append(np.stack([np.flatnonzero(hit), order[at[hit]]]))
        costs.append(np.full(int(hit.sum()), cost))
    rows, columns = np.concatenate(pairs, axis=1)
    graph = coo_matrix((np.concatenate(costs), (rows, columns)), shape=(len(keys), len(keys))).tocsr()
    first = int(dijkstra(graph, directed=False, indices=0).argmax())
    way: np.ndarray = dijkstra(graph, directed=False, indices=first)
    nearer = way < way.mean()
    runs_along = (places[~nearer].mean(axis=0) - places[nearer].mean(axis=0)) @ vectors[nearer].mean(axis=0)
    return way if runs_along >= 0 else way.max() - way
