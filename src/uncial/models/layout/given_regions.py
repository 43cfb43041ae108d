"""Found lines in regions that a file states: lines that run through several are cut, each part is of one region."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import cv2
import numpy as np

from uncial.data.pages.shapes import LineShape, RegionShape
from uncial.imaging.polylines import measure_lengths
from uncial.models.layout.outlines import outline_lines
from uncial.models.layout.pages import Layout

STEP = 0.25
"""Distance of the places of a line at which the region is asked for, in interlines."""

LIFT = 0.3
"""How far above the baseline that is, in heights of the line: baselines run along the lower borders of regions."""

OVERHANG = 1.0
"""How far the end of a line may stand out of its region, in interlines; what stands out further is cut off."""

LEAST = 0.6
"""Length of a part of a line, in interlines, below which it belongs to the part beside it."""


@dataclass(frozen=True, eq=False)
class PlacedLayout:
    """Lines with their polygons, and for each the region that it lies in, by its place among those that were given.
    `outside` counts the found lines that lie in none, and are left out."""

    layout: Layout
    regions: tuple[int, ...]
    outside: int


def fit_lines_to_regions(layout: Layout, regions: Sequence[RegionShape]) -> PlacedLayout:
    """Return the layout with these regions instead of its own, and its lines cut where one region ends and another
    begins. Where regions overlap, a place is in the smallest of them."""
    lines: list[LineShape] = []
    held: list[int] = []
    outside = 0
    contours = [region.polygon.astype(np.float32).reshape(-1, 1, 2) for region in regions]
    order = sorted(range(len(regions)), key=lambda place: abs(float(cv2.contourArea(contours[place]))))
    for line in layout.lines:
        parts = _cut(line, contours, order, layout.interline)
        outside += not parts
        lines += [part for part, _ in parts]
        held += [region for _, region in parts]
    polygons = tuple(outline_lines(lines, layout.interline))
    fitted = replace(layout, lines=tuple(lines), polygons=polygons, regions=tuple(regions))
    return PlacedLayout(fitted, tuple(held), outside)


def _cut(
    line: LineShape, contours: Sequence[np.ndarray], order: Sequence[int], interline: float
) -> list[tuple[LineShape, int]]:
    steps = np.r_[0.0, np.cumsum(measure_lengths(line.baseline))]
    count = max(3, round(steps[-1] / (STEP * interline)) + 1)
    at = np.linspace(0.0, steps[-1], count)
    points = np.stack([np.interp(at, steps, line.baseline[:, axis]) for axis in (0, 1)], axis=1)
    along = line.baseline[-1] - line.baseline[0]
    up = np.array([along[1], -along[0]]) / max(float(np.hypot(*along)), 1e-6)
    lifted = points + up * (LIFT * line.up if np.isfinite(line.up) else 0.0)
    found = np.array([_find_region((float(x), float(y)), contours, order) for x, y in lifted])
    spacing = max(float(steps[-1]) / (count - 1), 1e-6)
    runs = _find_runs(found, round(LEAST * interline / spacing), round(OVERHANG * interline / spacing))
    parts = []
    for first, last, region in runs:
        low = 0.0 if first == 0 else (at[first - 1] + at[first]) / 2
        high = steps[-1] if last == count - 1 else (at[last] + at[last + 1]) / 2
        inner = (steps > low) & (steps < high)
        ends = np.stack([np.interp([low, high], steps, line.baseline[:, axis]) for axis in (0, 1)], axis=1)
        parts.append((replace(line, baseline=np.concatenate([ends[:1], line.baseline[inner], ends[1:]])), region))
    return parts


def _find_region(point: tuple[float, float], contours: Sequence[np.ndarray], order: Sequence[int]) -> int:
    """Return the smallest region that holds a point, -1 where there is none."""
    return next((place for place in order if cv2.pointPolygonTest(contours[place], point, False) >= 0), -1)


def _find_runs(found: np.ndarray, least: int, overhang: int) -> list[tuple[int, int, int]]:
    """Return (first, last, region) of the stretches of a line that lie in a region, in their order. Short stretches
    join the one before them, else the one after; what stands out a little stays with its region."""
    bounds = [0, *(np.flatnonzero(np.diff(found)) + 1).tolist(), len(found)]
    runs = [[first, after - 1, int(found[first])] for first, after in pairwise(bounds)]
    while len(runs) > 1:
        short = [place for place, (first, last, region) in enumerate(runs) if _is_minor(first, last, region, least)]
        hanging = [
            place for place, (first, last, region) in enumerate(runs) if region < 0 and last - first + 1 <= overhang
        ]
        if not (short or hanging):
            break
        place = min([*short, *hanging], key=lambda one: runs[one][1] - runs[one][0])
        beside = place - 1 if place else 1
        if runs[beside][2] < 0 and place + 1 < len(runs):
            beside = place + 1
        runs[beside][:2] = [min(runs[beside][0], runs[place][0]), max(runs[beside][1], runs[place][1])]
        del runs[place]
        runs = _join_alike(runs)
    return [(first, last, region) for first, last, region in runs if region >= 0]


def _is_minor(first: int, last: int, region: int, least: int) -> bool:
    return region >= 0 and last - first + 1 < least


def _join_alike(runs: list[list[int]]) -> list[list[int]]:
    joined: list[list[int]] = []
    for run in runs:
        if joined and joined[-1][2] == run[2]:
            joined[-1][1] = run[1]
        else:
            joined.append(run)
    return joined
