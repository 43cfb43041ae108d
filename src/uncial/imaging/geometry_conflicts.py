"""Which of a line's outlines is followed where baseline and polygon contradict each other, and what is off the page."""

from dataclasses import replace
from typing import Literal

import cv2
import numpy as np

from uncial.document import Page, TextLine
from uncial.imaging.far_vertices import NEAR, Surroundings, find_beyond_polygon
from uncial.imaging.line_geometry import find_axes
from uncial.imaging.polylines import (
    LIMIT,
    clip_line,
    clip_polygon,
    compute_area,
    find_points_along,
    measure_lengths,
    to_numbers,
    to_points,
    to_tuples,
)

GROWN = 0.25
"""Interlines by which a polygon is grown before a baseline is said to lie outside it."""

SAMPLES = 32
"""Places, evenly spaced along a baseline, at which it is looked at."""

STRETCHED = 1.25
"""How many times the longest other line of its page an outline that leaves the page is long, to be taken for stretched
by a fault rather than for a line that lies elsewhere."""


def resolve_conflict(
    page: Page, line: TextLine, baseline: np.ndarray, around: Surroundings
) -> tuple[TextLine, Literal["baseline", "polygon"] | None]:
    """Return the line without what its baseline contradicts, and by which of its outlines it is cut then: rule 2 of
    `resolve_lines`. `baseline` (N, 2) is the line's, its points in order."""
    polygon = to_points(line.polygon, LIMIT)
    outline = polygon if len(polygon) > 2 else _list_corners(line)
    if len(outline) < 3 or len(baseline) < 2 or _is_scrap(baseline, outline):
        return line, None
    if not is_outside_polygon(baseline, outline, around) or _is_too_long(page, line, baseline, outline, around):
        return line, None
    if np.mean(around.overhang(find_points_along(baseline, SAMPLES)) > 0) > 0.5:
        return (line, None) if np.mean(around.overhang(outline) > 0) > 0.5 else (replace(line, baseline=()), "polygon")
    box = _list_corners(line)
    keeps_box = len(box) > 0 and not is_outside_polygon(baseline, box, around) and not _is_box_of(box, polygon, around)
    return replace(line, polygon=(), box=line.box if keeps_box else None), "baseline"


def _is_box_of(box: np.ndarray, polygon: np.ndarray, around: Surroundings) -> bool:
    """Return whether a box was taken from the polygon, as exporters do: it then is as wrong as that one."""
    if len(polygon) < 3:
        return False
    extents = [np.concatenate([points.min(axis=0), points.max(axis=0)]) for points in (box, polygon)]
    return bool(np.abs(extents[0] - extents[1]).max() <= GROWN * around.interline)


def _list_corners(line: TextLine) -> np.ndarray:
    """Return the corners (4, 2) of the line's box; without points where it has none."""
    if line.box is None or not (np.abs(line.box) <= LIMIT).all():
        return np.empty((0, 2))
    left, top, right, bottom = line.box
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)], dtype=np.float64)


def _is_scrap(baseline: np.ndarray, outline: np.ndarray) -> bool:
    """Return whether a baseline is too short, against the outline, to say anything about it."""
    (length, thickness), _ = find_axes(outline)
    extent = float(np.hypot(*np.ptp(baseline, axis=0)))
    return extent < 0.2 * length and extent <= 2 * thickness


def is_outside_polygon(baseline: np.ndarray, polygon: np.ndarray, around: Surroundings) -> bool:
    """Return whether over half of a baseline's length, and one of its points, lies beyond the polygon grown by a
    quarter of the interline.

    Where all of its points lie within, it is only coarse: two clicks at the ends of a line that is bowed.
    """
    grown = GROWN * around.interline
    contour = polygon.astype(np.float32).reshape(-1, 1, 2)
    if not measure_lengths(baseline).any() or (find_beyond_polygon(polygon, baseline) <= grown).all():
        return False
    within = without = 0
    for place in find_points_along(baseline, SAMPLES).tolist():
        if cv2.pointPolygonTest(contour, place, True) >= -grown:
            within += 1
        else:
            without += 1
        if within >= SAMPLES / 2 or without > SAMPLES / 2:
            break
    return without > SAMPLES / 2


def _is_too_long(page: Page, line: TextLine, baseline: np.ndarray, polygon: np.ndarray, around: Surroundings) -> bool:
    """Return whether a baseline goes through its polygon from end to end and, for the greater part of what lies
    outside, on into the polygons of other lines."""
    chord = baseline[-1] - baseline[0]
    length = float(np.hypot(*chord))
    if length == 0:
        return False
    frame = np.stack([chord, [-chord[1], chord[0]]], axis=1) / length
    along, across = ((polygon - baseline[0]) @ frame).T
    if along.min() < -NEAR * around.interline or along.max() > length + NEAR * around.interline:
        return False
    places = find_points_along(baseline, SAMPLES)
    reached = (places - baseline[0]) @ frame[:, 0]
    passes = (reached >= along.min()) & (reached <= along.max())
    outside = find_beyond_polygon(polygon, places) > GROWN * around.interline
    if np.abs(across).max() > 2 * around.interline or (outside & passes).any():
        return False
    on_others = np.zeros(len(places), dtype=bool)
    for other in page.lines:
        if len(other.polygon) > 2 and other.id != line.id:
            points = to_numbers(other.polygon)
            near = ((places >= points.min(axis=0)) & (places <= points.max(axis=0))).all(axis=1) & outside & ~on_others
            on_others[near] = find_beyond_polygon(points, places[near]) <= 0
    return bool(on_others.sum() > outside.sum() / 2)


def clip_to_page(page: Page, line: TextLine, around: Surroundings) -> tuple[TextLine, float]:
    """Return the line without what reaches beyond the page, unless that is the greater part of it; and the share of its
    polygon that does."""
    polygon, baseline, box = to_points(line.polygon, LIMIT), to_points(line.baseline, LIMIT), _list_corners(line)
    if len(polygon) > 2 and around.is_off_page(polygon).any():
        low, high, is_stretched = _compute_bounds(page, line, polygon, around)
        inside = clip_polygon(polygon, low, high)
        outside = 1 - compute_area(inside) / max(compute_area(polygon), 1e-9)
        is_line = len(inside) > 2 and (is_stretched or outside < 0.5)
        return replace(line, polygon=to_tuples(inside)) if is_line else line, outside
    if not len(polygon) and len(box) and around.is_off_page(box).any():
        low, high, is_stretched = _compute_bounds(page, line, box, around)
        inside = clip_polygon(box, low, high)
        if len(inside) > 2 and (is_stretched or compute_area(inside) >= 0.5 * compute_area(box)):
            (left, top), (right, bottom) = inside.min(axis=0).tolist(), inside.max(axis=0).tolist()
            return replace(line, box=(left, top, right, bottom)), 0.0
    if not len(polygon) and not len(box) and len(baseline) > 1 and around.is_off_page(baseline).any():
        low, high, is_stretched = _compute_bounds(page, line, baseline, around)
        seen = clip_line(baseline, low, high)
        if len(seen) and (is_stretched or measure_lengths(seen).sum() >= 0.5 * measure_lengths(baseline).sum()):
            return replace(line, baseline=to_tuples(seen)), 0.0
    return line, 0.0


def _compute_bounds(
    page: Page, line: TextLine, points: np.ndarray, around: Surroundings
) -> tuple[np.ndarray, np.ndarray, bool]:
    """Return the first and last place, (2,) each, at which the line can be: on the page, and where it is longer than
    all other lines of the page, so that it is stretched by a fault, in its region."""
    low, high = np.zeros(2), np.array([around.width, around.height])
    is_stretched = float(np.ptp(points, axis=0).max()) > max(STRETCHED * around.longest, around.interline)
    region = next((region for region in page.regions if region.id == line.region_id), None)
    if is_stretched and region is not None and len(region.polygon) > 2:
        corners = to_numbers(region.polygon)
        first, last = corners.min(axis=0) - NEAR * around.interline, corners.max(axis=0) + NEAR * around.interline
        within = ((points >= first) & (points <= last)).all(axis=1)
        if within.any() and within.sum() >= len(points) / 2:
            low, high = np.maximum(low, first), np.minimum(high, last)
    return low, high, is_stretched
