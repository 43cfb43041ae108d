"""Lines and regions that are given: lines are cut where they go from one region into another."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from uncial.data.pages.shapes import LineShape
from uncial.imaging.polylines import compute_area, measure_lengths

STEP = 0.1
"""Distance of the places along a line, in interlines, at which the region is looked up."""

LIFT = 0.3
"""How high above its baseline a line is looked up, in its own height: baselines run along the borders of regions."""

MIN_PART = 0.5
"""Length in interlines below which what sticks out of a region is no part of its own."""


@dataclass(frozen=True, slots=True, eq=False)
class LinePart:
    """A line, or the part of one that lies in `region`, by its place in the list; None where it lies in none."""

    line: LineShape
    region: int | None


def cut_lines(lines: Sequence[LineShape], regions: Sequence[np.ndarray], interline: float) -> list[LinePart]:
    """Return the lines in their order, each cut where it leaves a region (N >= 3, 2), all in one unit.

    Where regions lie upon each other the smallest counts. No line is lost: what lies in no region is a part without
    one.
    """
    areas = [compute_area(region) for region in regions]
    order = sorted(range(len(regions)), key=lambda place: -areas[place])
    found = []
    for line in lines:
        found += _cut_line(line, regions, order, interline)
    return found


def _cut_line(line: LineShape, regions: Sequence[np.ndarray], order: Sequence[int], interline: float) -> list[LinePart]:
    along = np.concatenate([[0.0], np.cumsum(measure_lengths(line.baseline))])
    if along[-1] <= 0:
        return [LinePart(line, None)]
    places = np.linspace(0, along[-1], max(2, round(along[-1] / (STEP * interline)) + 1))
    points = _interpolate(line.baseline, along, places)
    labels = np.full(len(places), -1)
    lifted = points + _find_lift(line, points)
    for number in order:
        labels[_is_inside(lifted, regions[number])] = number
    runs = _list_runs(labels, max(1, round(MIN_PART / STEP)))
    if len(runs) == 1:
        return [LinePart(line, _to_region(runs[0][2]))]
    found = []
    for first, last, label in runs:
        start = _middle(places, first) if first else 0.0
        end = _middle(places, last) if last < len(places) else float(along[-1])
        inner = line.baseline[(along > start) & (along < end)]
        ends = _interpolate(line.baseline, along, np.array([start, end]))
        part = replace(line, baseline=np.concatenate([ends[:1], inner, ends[1:]]))
        found.append(LinePart(part, _to_region(label)))
    return found


def _middle(places: np.ndarray, number: int) -> float:
    return float(places[number - 1] + places[number]) / 2


def _to_region(label: int) -> int | None:
    return None if label < 0 else label


def _interpolate(baseline: np.ndarray, along: np.ndarray, places: np.ndarray) -> np.ndarray:
    return np.stack([np.interp(places, along, baseline[:, axis]) for axis in (0, 1)], axis=1)


def _find_lift(line: LineShape, points: np.ndarray) -> np.ndarray:
    """Return the way (2,) from the baseline into the writing."""
    chord = points[-1] - points[0]
    length = float(np.hypot(*chord))
    height = LIFT * line.up if np.isfinite(line.up) else 0.0
    lift: np.ndarray = np.array([chord[1], -chord[0]]) * height / max(length, 1e-6)
    return lift


def _is_inside(points: np.ndarray, polygon: np.ndarray) -> np.ndarray:
    """Return which points (N, 2) lie within a polygon, by how often a ray to the right crosses it."""
    inside: np.ndarray = ((points >= polygon.min(axis=0)) & (points <= polygon.max(axis=0))).all(axis=1)
    if not inside.any():
        return inside
    x, y = points[inside].T[:, :, None]
    after = np.roll(polygon, -1, axis=0)
    spans = (polygon[:, 1] > y) != (after[:, 1] > y)
    rise = after[:, 1] - polygon[:, 1]
    at = polygon[:, 0] + (y - polygon[:, 1]) * (after[:, 0] - polygon[:, 0]) / np.where(rise == 0, 1.0, rise)
    inside[inside] = (spans & (x < at)).sum(axis=1) % 2 == 1
    return inside


def _list_runs(labels: np.ndarray, least: int) -> list[tuple[int, int, int]]:
    """Return (first, behind the last, label) of the runs of equal labels; those shorter than `least` belong to the
    longer of their neighbours."""
    turns = np.flatnonzero(np.diff(labels)) + 1
    bounds = [0, *turns.tolist(), len(labels)]
    runs = [(first, last, int(labels[first])) for first, last in pairwise(bounds)]
    while len(runs) > 1:
        short = min(range(len(runs)), key=lambda place: runs[place][1] - runs[place][0])
        if runs[short][1] - runs[short][0] >= least:
            break
        beside = [place for place in (short - 1, short + 1) if 0 <= place < len(runs)]
        label = runs[max(beside, key=lambda place: runs[place][1] - runs[place][0])][2]
        runs[short] = (*runs[short][:2], label)
        runs = _join_equal(runs)
    return runs


def _join_equal(runs: Sequence[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    joined: list[tuple[int, int, int]] = []
    for first, last, label in runs:
        if joined and joined[-1][2] == label:
            joined[-1] = (joined[-1][0], last, label)
        else:
            joined.append((first, last, label))
    return joined
