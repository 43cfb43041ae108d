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

TOLERANCE = 0.06
"""How far a baseline may be from what was found, in interlines, to have fewer points."""


@dataclass(frozen=True)
class FindSettings:
    """How lines are found. Lengths are in interlines.

    `threshold` is what the ridge has to be less `end_weight` times the bars at ends. Fragments are joined over gaps up
    to `max_gap` where that costs less than `no_join`; a line shorter than `min_length` is none.
    """

    threshold: float = 0.3
    end_weight: float = 0.5
    max_gap: float = 2.0
    no_join: float = 1.0
    min_length: float = 0.4


def find_lines(maps: LineMaps, settings: FindSettings) -> list[LineShape]:
    """Return the lines of a page, in pixels of the maps."""
    fragments = find_fragments(maps, settings.threshold, settings.end_weight)
    found = []
    for chain in join_fragments(fragments, maps, settings):
        points = _move_ends(np.concatenate([fragments[number].points for number in chain]), maps)
        if measure_lengths(points).sum() >= settings.min_length * maps.interline:
            found.append(_make_line(points, maps))
    return found


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
    return np.clip(nearest[:, 1], 0, height - 1), np.clip(nearest[:, 0], 0, width - 1)


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
