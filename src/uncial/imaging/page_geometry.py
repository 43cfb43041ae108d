"""The geometry by which the lines of a page are cut and checked: that of the file, less what contradicts all else."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import cv2
import numpy as np

from uncial.document import Page, Point, TextLine
from uncial.imaging.bands import estimate_interline
from uncial.imaging.far_vertices import (
    FAR,
    Mended,
    Surroundings,
    is_alone_off_page,
    is_compact,
    mend_baseline,
    mend_polygon,
)
from uncial.imaging.geometry_conflicts import GROWN, clip_to_page, is_outside_polygon, resolve_conflict
from uncial.imaging.line_geometry import put_in_order
from uncial.imaging.polylines import Ragged, join_points, measure_lengths, to_numbers, to_points, to_tuples

UNKNOWN = 1e6
"""The size of a page that states none, in pixels: more than any image has."""

DEFAULT_INTERLINE = 40.0
"""Pixels, where nothing on a page tells how far its lines are apart."""


@dataclass(frozen=True, slots=True)
class FarVertex:
    """A point of a line's `outline`, its `polygon` or `baseline`: at `position`, from 0, among `count`, where the file
    has it, and where it was set back to, None where it was left out."""

    outline: Literal["polygon", "baseline"]
    position: int
    count: int
    stated: Point
    moved_to: Point | None


@dataclass(frozen=True, slots=True)
class ResolvedLine:
    """A line whose polygon, baseline and box agree; `line` is the file's own object where nothing was wrong.

    `cut_by` is None but where the baseline lies outside the polygon or box: it then says which of them was kept.
    `outside` is the share of the polygon that lies beyond the page; it is clipped off unless it is the greater part.
    """

    line: TextLine
    far: tuple[FarVertex, ...] = ()
    cut_by: Literal["baseline", "polygon"] | None = None
    outside: float = 0.0


def resolve_lines(page: Page, lines: Sequence[TextLine] | None = None) -> list[ResolvedLine]:
    """Return `lines` of a page, all of them where none are given, with a geometry that does not contradict itself.

    The rules use nothing but what the file states, so that cutting and checking see the same. In this order:

    1. A point of a polygon or baseline that lies 1.5 interlines further off than all others of its line, or off the
       page and far from the line, is left out, or set back to the line where it was one of its corners.
    2. Where over half of the baseline's length, and one of its points, lies beyond the polygon grown by a quarter of
       the interline, the line is cut by its baseline, as if it had no polygon; likewise for a box. Where most of the
       baseline lies off the page it is cut by its polygon. One that goes through its polygon from end to end, and on
       into those of other lines, contradicts nothing: it only is too long.
    3. What reaches beyond the page by more than half an interline is clipped off. Of a line longer than all others of
       the page, what reaches beyond its region goes with it.
    """
    lines = page.lines if lines is None else lines
    if not any(line.polygon or line.baseline or line.box for line in lines):
        return [ResolvedLine(line) for line in lines]
    polygons, baselines = _list_outlines(lines)
    every = (polygons, baselines) if len(lines) == len(page.lines) else _list_outlines(page.lines)
    around = _find_surroundings(page, *every)
    found = [ResolvedLine(line) for line in lines]
    for number in _find_suspects(lines, polygons, baselines, around):
        found[number] = _resolve(page, lines[number], around)
    return found


def _list_outlines(lines: Sequence[TextLine]) -> tuple[Ragged, Ragged]:
    return join_points([line.polygon for line in lines], 3), join_points([line.baseline for line in lines], 2)


def _find_surroundings(page: Page, polygons: Ragged, baselines: Ragged) -> Surroundings:
    interline = estimate_interline(page.lines, polygons, baselines)
    width, height = (float(size) if size > 0 else UNKNOWN for size in (page.width, page.height))
    around = Surroundings(width, height, DEFAULT_INTERLINE if interline is None else interline)
    longest = 0.0
    for outlines in (polygons, baselines):
        if len(outlines.owners):
            low, high = outlines.least(outlines.points), outlines.most(outlines.points)
            on_page = ~(around.is_off_page(low) | around.is_off_page(high))
            longest = max(longest, float((high - low).max(axis=1)[on_page].max(initial=0.0)))
    return replace(around, longest=longest or max(width, height))


def _find_suspects(lines: Sequence[TextLine], polygons: Ragged, baselines: Ragged, around: Surroundings) -> list[int]:
    """Return the positions of the lines for which one of the rules may hold.

    Nearly all lines are cleared here, many at once: the lines of large sets are all looked at.
    """
    found = np.array([not line.polygon and (line.box is not None or len(line.baseline) > 2) for line in lines])
    for outlines in (polygons, baselines):
        if len(outlines.owners):
            off_page = around.is_off_page(outlines.least(outlines.points))
            found[outlines.owners] |= off_page | around.is_off_page(outlines.most(outlines.points))
    both, of_polygons, of_baselines = np.intersect1d(polygons.owners, baselines.owners, True, True)
    if len(both):
        found[both] |= _reach(polygons, baselines, of_polygons, of_baselines) > FAR * around.interline
    if len(both) < len(polygons.owners):
        extent = polygons.most(polygons.points) - polygons.least(polygons.points)
        alone = np.setdiff1d(np.arange(len(polygons.owners)), of_polygons, True)
        is_odd = ~is_compact(polygons.areas(), extent) & (polygons.counts > 3)
        found[polygons.owners[alone]] |= is_odd[alone]
    contours = polygons.points.astype(np.float32).reshape(-1, 1, 2)
    for number, own in zip(both.tolist(), of_polygons.tolist(), strict=True):
        if not found[number]:
            contour = contours[polygons.starts[own] : polygons.starts[own + 1]]
            found[number] = _is_baseline_suspect(lines[number].baseline, contour, around)
    return np.flatnonzero(found).tolist()


def _reach(polygons: Ragged, baselines: Ragged, of_polygons: np.ndarray, of_baselines: np.ndarray) -> np.ndarray:
    """(N,): no less than how far any point of each polygon lies from its baseline: the greatest distance from the
    straight line between the baseline's ends, and on top of it the greatest one of the baseline itself."""
    starts = baselines.points[baselines.starts[:-1]]
    chords = baselines.points[baselines.starts[1:] - 1] - starts
    length = np.maximum(np.hypot(chords[:, 0], chords[:, 1]), 1e-9)
    tangents = chords / length[:, None]

    def greatest(outlines: Ragged, chosen: np.ndarray) -> np.ndarray:
        own = np.zeros(len(outlines.owners), dtype=np.int64)
        own[chosen] = of_baselines
        own = np.repeat(own, outlines.counts)
        offset, tangent = outlines.points - starts[own], tangents[own]
        along = offset[:, 0] * tangent[:, 0] + offset[:, 1] * tangent[:, 1]
        across = offset[:, 1] * tangent[:, 0] - offset[:, 0] * tangent[:, 1]
        beyond = np.maximum(np.maximum(-along, along - length[own]), 0)
        return outlines.most(np.hypot(beyond, across))[chosen]

    return greatest(polygons, of_polygons) + greatest(baselines, of_baselines)


def _is_baseline_suspect(baseline: Sequence[Point], contour: np.ndarray, around: Surroundings) -> bool:
    """Return whether a baseline on the page has points far from its polygon (N, 1, 2), or lies outside it."""
    beyond = -min(cv2.pointPolygonTest(contour, point, True) for point in baseline)
    if beyond <= GROWN * around.interline:
        return False
    return beyond > FAR * around.interline or is_outside_polygon(np.array(baseline), contour, around)


def _resolve(page: Page, line: TextLine, around: Surroundings) -> ResolvedLine:
    polygon, baseline = to_numbers(line.polygon), to_numbers(line.baseline)
    by_points = mend_baseline(baseline, polygon[~is_alone_off_page(polygon, around)], line, around)
    guide = to_points(by_points.points)
    guide = put_in_order(guide) if len(guide) > 2 else guide
    if len(guide) < 2 or measure_lengths(guide).sum() < 2:
        guide = guide[:0]
    outline = mend_polygon(polygon, guide, line, around)
    if by_points.far:
        line = replace(line, baseline=to_tuples(by_points.points))
    if outline.far:
        line = replace(line, polygon=to_tuples(outline.points))
    far = (*_name_lines("baseline", baseline, by_points), *_name_lines("polygon", polygon, outline))
    line, cut_by = resolve_conflict(page, line, guide, around)
    clipped, outside = clip_to_page(page, line, around)
    return ResolvedLine(clipped, far, cut_by, outside)


def _name_lines(outline: Literal["polygon", "baseline"], points: np.ndarray, mended: Mended) -> Iterator[FarVertex]:
    for position, moved_to in mended.far:
        x, y = points[position].tolist()
        yield FarVertex(outline, position, len(points), (x, y), moved_to)
