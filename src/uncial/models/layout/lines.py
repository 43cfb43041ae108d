"""From the maps of a page to its lines: fragments of ridge are joined, and end where the maps say so."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial import cKDTree

from uncial.data.pages.shapes import LineShape
from uncial.imaging.polylines import measure_lengths
from uncial.models.layout.fragments import Fragment, LineMaps, find_fragments

NEVER = 1e3
"""The cost of joining what cannot be one line."""

FOUND = 0.3
"""From which probability on a bar at a line's end is believed."""

BARRED = 0.5
"""From which probability on an end and a beginning in one place part two lines that touch."""

SIDE = 0.4
"""To either side of a line, in interlines: where a bar of its own is still seen."""

MIN_PART = 0.3
"""Length of a part in interlines: nearer to its ends a line is not parted."""

TOLERANCE = 0.06
"""How far a baseline may be from what was found, in interlines, to have fewer points."""


@dataclass(frozen=True)
class FindSettings:
    """How lines are found. Lengths are in interlines.

    `threshold` is what the ridge has to be less `end_weight` times the bars at ends. Fragments are joined over gaps up
    to `max_gap` where that costs less than `no_join`; a line shorter than `min_length` is none, unless both its ends
    are marked.
    """

    threshold: float = 0.4
    end_weight: float = 0.5
    max_gap: float = 2.0
    no_join: float = 1.0
    min_length: float = 1.0


def find_lines(maps: LineMaps, settings: FindSettings) -> list[LineShape]:
    """Return the lines of a page, in pixels of the maps."""
    fragments = find_fragments(maps, settings.threshold, settings.end_weight)
    found = []
    for chain in join_fragments(fragments, maps, settings):
        for part in _part_at_bars(np.concatenate([fragments[number].points for number in chain]), maps):
            points = _move_ends(part, maps)
            if _is_line(points, maps, settings.min_length):
                found.append(_make_line(points, maps))
    return found


def _part_at_bars(points: np.ndarray, maps: LineMaps) -> list[np.ndarray]:
    """Return the lines that touch each other in a chain of points: where one ends the next begins."""
    reach = max(1, round(MIN_PART * maps.interline))
    inner = _to_pixels(points[reach:-reach], maps.ridge)
    # Bars of other lines reach into few lines: most have none to look at.
    if not inner[0].size or min(maps.end[inner].max(), maps.start[inner].max()) <= BARRED:
        return [points]
    is_barred = _find_bars(points, maps.end, maps.interline) & _find_bars(points, maps.start, maps.interline)
    is_barred[:reach] = is_barred[-reach:] = False
    turns = np.flatnonzero(np.diff(np.concatenate([[False], is_barred, [False]]).astype(np.int8)))
    return np.split(points, (turns[::2] + turns[1::2]) // 2)


def _find_bars(points: np.ndarray, bars: np.ndarray, interline: float) -> np.ndarray:
    """Return at which points of a line a bar of its own stands: it reaches as far to either side, while that of a line
    beside it does not."""
    along = np.gradient(points, axis=0)
    along /= np.hypot(along[:, 0], along[:, 1])[:, None] + 1e-6
    across = SIDE * interline * np.stack([-along[:, 1], along[:, 0]], axis=1)
    places = np.stack([points - across, points, points + across]).reshape(-1, 2)
    seen = bars[_to_pixels(places, bars)].reshape(3, -1).min(axis=0)
    # Two bars that touch need not lie on each other.
    padded = np.pad(seen, 1, mode="edge")
    found: np.ndarray = np.maximum(np.maximum(padded[:-2], padded[2:]), seen) > BARRED
    return found


def _is_line(points: np.ndarray, maps: LineMaps, min_length: float) -> bool:
    """Return whether the points are long enough for a line, or marked as one that has a single character."""
    length = float(measure_lengths(points).sum())
    if length >= min_length * maps.interline or length < 1.0:
        return length >= 1.0
    rows, columns = _to_pixels(points[[0, -1]], maps.ridge)
    return bool(maps.start[rows[0], columns[0]] > FOUND and maps.end[rows[1], columns[1]] > FOUND)


def _make_line(points: np.ndarray, maps: LineMaps) -> LineShape:
    rows, columns = _to_pixels(points, maps.ridge)
    up, down = (float(np.exp(np.median(heights[rows, columns]))) * maps.interline for heights in (maps.up, maps.down))
    simple = cv2.approxPolyDP(points.astype(np.float32).reshape(-1, 1, 2), TOLERANCE * maps.interline, False)[:, 0]
    baseline = simple if len(simple) > 1 else points[[0, -1]]
    return LineShape(baseline.astype(np.float64), up, down, float(maps.ridge[rows, columns].mean()))


def _to_pixels(points: np.ndarray, like: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the pixels of a map at points (N, 2), those outside of it moved to its border."""
    height, width = like.shape
    nearest = np.rint(points).astype(np.int64)
    # np.clip takes three times as long on the few points of a line.
    inside = np.minimum(np.maximum(nearest, 0), [width - 1, height - 1])
    return inside[:, 1], inside[:, 0]


def join_fragments(fragments: Sequence[Fragment], maps: LineMaps, settings: FindSettings) -> list[list[int]]:
    """Return which fragments make a line, in their order along it: the cheapest assignment of ends to beginnings."""
    if not fragments:
        return []
    costs = _compute_costs(fragments, maps, settings)
    ends, beginnings = linear_sum_assignment(np.minimum(costs, settings.no_join))
    after = {
        int(end): int(beginning)
        for end, beginning in zip(ends, beginnings, strict=True)
        if costs[end, beginning] < settings.no_join
    }
    firsts = [number for number in range(len(fragments)) if number not in after.values()]
    seen: set[int] = set()
    chains = []
    for first in (*firsts, *range(len(fragments))):  # at last those in a ring, which has no first
        chain: list[int] = []
        number: int | None = first
        while number is not None and number not in seen:
            seen.add(number)
            chain.append(number)
            number = after.get(number)
        if chain:
            chains.append(chain)
    return chains


def _compute_costs(fragments: Sequence[Fragment], maps: LineMaps, settings: FindSettings) -> np.ndarray:
    """(N, N): what it costs to go on from the end of each fragment at the beginning of each other."""
    tails = np.stack([fragment.points[-1] for fragment in fragments])
    heads = np.stack([fragment.points[0] for fragment in fragments])
    costs = np.full((len(fragments), len(fragments)), NEVER)
    bars = np.maximum(maps.start, maps.end)
    for end, near in enumerate(cKDTree(heads).query_ball_point(tails, settings.max_gap * maps.interline)):
        for beginning in near:
            if beginning != end:
                costs[end, beginning] = _compute_cost(
                    fragments[end], fragments[beginning], bars, maps.interline, settings.max_gap
                )
    return costs


def _compute_cost(end: Fragment, beginning: Fragment, bars: np.ndarray, interline: float, max_gap: float) -> float:
    """Return the sum of what speaks against one line: the gap, a step across, a turn, and a bar in between."""
    gap = beginning.points[0] - end.points[-1]
    along, across = float(gap @ end.tail), float(abs(gap @ [-end.tail[1], end.tail[0]]))
    if along < -0.5 * interline:
        return NEVER
    turn = float(np.degrees(np.arccos(np.clip(end.tail @ beginning.head, -1.0, 1.0))))
    between = end.points[-1] + np.linspace(0, 1, int(np.hypot(*gap)) + 2)[:, None] * gap
    barred = float(bars[_to_pixels(between, bars)].max())
    return abs(along) / (max_gap * interline) + across / (0.35 * interline) + turn / 30 + 2 * barred


def _move_ends(points: np.ndarray, maps: LineMaps) -> np.ndarray:
    """Lengthen or shorten both ends to the bar that stands there."""
    for bars in (maps.end, maps.start):  # once for each end, the second time turned round
        points = _move_end(points, bars, maps.interline)[::-1]
    return points


def _move_end(points: np.ndarray, bars: np.ndarray, interline: float) -> np.ndarray:
    if len(points) < 2:
        return points
    last, before = points[-1], points[-1 - min(len(points) - 1, max(1, round(0.5 * interline)))]
    length = float(np.hypot(*(last - before)))
    if length < 1e-6:
        return points
    along = (last - before) / length
    steps = np.arange(-round(0.4 * interline), round(0.8 * interline) + 1)
    seen = bars[_to_pixels(last + steps[:, None] * along, bars)]
    if seen.max() < FOUND:
        return points
    end = last + float(seen @ steps / seen.sum()) * along
    kept = points[(points - end) @ along < 0] if (end - last) @ along < 0 else points
    return np.concatenate([kept, [end]]) if len(kept) else points
