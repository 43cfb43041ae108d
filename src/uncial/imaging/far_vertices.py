"""Points of a line's polygon and baseline that lie far from all else that is known of the line."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from uncial.document import TextLine
from uncial.imaging.line_curves import fit_line_curve, make_straight_curve
from uncial.imaging.line_geometry import derive_baseline, find_axes
from uncial.imaging.polylines import compute_area, measure_lengths

FAR = 1.5
"""Interlines by which a point lies further off than all points that are kept. In real ground truth the furthest one of
a line lies up to 1.1 interlines beyond the next."""

NEAR = 0.5
"""Interlines up to which a point of a baseline is still at its polygon."""

SHARP = 0.77
"""Cosine of the angle, 40 degrees, under which the outline of a line has no corner but a spike."""

GAIN = 0.02
"""Share of the polygon's area that a point set back must add, for it not to be left out."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the points of a line are judged by, in pixels: the page's `width` and `height`, greater than any where they
    are not known, its `interline`, and the extent of its `longest` line."""

    width: float
    height: float
    interline: float
    longest: float = 0.0

    def overhang(self, points: np.ndarray) -> np.ndarray:
        """(N,): how far each of (N, 2) points lies beyond the page's edge."""
        beyond = np.maximum(-points, points - (self.width, self.height))
        return np.maximum(beyond.max(axis=1), 0.0)

    def is_off_page(self, points: np.ndarray) -> np.ndarray:
        """(N,): which of (N, 2) points lie further beyond the page's edge than a person's hand slips."""
        return self.overhang(points) > NEAR * self.interline


@dataclass(frozen=True, slots=True)
class Mended:
    """`points` (N, 2) of a polygon or baseline, and what was done with the `far` ones: (position, None) for each that
    was left out, (position, (x, y)) for each that was set back."""

    points: np.ndarray
    far: tuple[tuple[int, tuple[float, float] | None], ...] = ()


def mend_baseline(baseline: np.ndarray, polygon: np.ndarray, line: TextLine, around: Surroundings) -> Mended:
    """Leave out points of a baseline (K, 2) that lie far from the polygon (N, 2), or from the other points where there
    is none.

    A baseline that goes on along the line beyond its polygon is left as it is: it does no harm.
    """
    if len(baseline) < 2:
        return Mended(baseline)
    far = _find_off_polygon(baseline, polygon, line, around) if len(polygon) > 2 else _find_off_others(baseline, around)
    return Mended(baseline[~far], tuple((int(i), None) for i in np.flatnonzero(far)))


def mend_polygon(polygon: np.ndarray, baseline: np.ndarray, line: TextLine, around: Surroundings) -> Mended:
    """Leave out points of a polygon (N, 2) that lie far from the line, which its baseline (K, 2) and the other points
    tell, or set them back to it where they were its corners.
    """
    if len(polygon) < 4:
        return Mended(polygon)
    far = _find_off_baseline(polygon, baseline, around) if len(baseline) > 1 else _find_off_rest(polygon, line, around)
    if not far.any():
        return Mended(polygon)
    if len(polygon) == 4 and far.sum() == 1 and len(baseline) < 2:
        i = int(np.flatnonzero(far)[0])
        moved = {i: polygon[i - 1] + polygon[(i + 1) % 4] - polygon[i - 2]}
    else:
        guide = baseline if len(baseline) > 1 else derive_baseline(polygon[~far], line)
        moved = _set_back(polygon, far, guide, around)
    positions = np.flatnonzero(far).tolist()
    points = np.array([moved.get(i, point) for i, point in enumerate(polygon) if i in moved or not far[i]])
    told = ((i, (float(moved[i][0]), float(moved[i][1])) if i in moved else None) for i in positions)
    return Mended(points.reshape(-1, 2), tuple(told))


def is_compact(areas: np.ndarray, extents: np.ndarray) -> np.ndarray:
    """(N,): which polygons, of these `areas` (N,) and widths and heights (N, 2), fill their bounding boxes so far that
    none of their points is a spike."""
    return areas > 0.9 * extents.prod(axis=1)


def is_straight(line: np.ndarray, tolerance: float) -> bool:
    """Return whether a polyline (K, 2) goes from its first to its last point and never aside by more than
    `tolerance`."""
    chord = line[-1] - line[0]
    length = float(np.hypot(*chord))
    if length == 0:
        return False
    offset = line - line[0]
    aside = np.abs(offset[:, 0] * chord[1] - offset[:, 1] * chord[0]) / length
    return bool(aside.max() <= tolerance and (np.diff(offset @ chord) >= 0).all())


def measure_distance(line: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(N,): the distance of each of (N, 2) points to a polyline of two or more points."""
    start, step = line[:-1], np.diff(line, axis=0)
    square = np.maximum((step**2).sum(axis=1), 1e-9)
    share = np.clip(((points[:, None] - start) * step).sum(axis=2) / square, 0, 1)
    off = points[:, None] - (start + share[..., None] * step)
    return np.sqrt((off**2).sum(axis=2).min(axis=1))


def find_beyond_polygon(polygon: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(N,): how far each of (N, 2) points lies outside the polygon; below 0 inside."""
    contour = polygon.astype(np.float32).reshape(-1, 1, 2)
    return np.array([-cv2.pointPolygonTest(contour, (float(x), float(y)), True) for x, y in points])


def _find_off_polygon(baseline: np.ndarray, polygon: np.ndarray, line: TextLine, around: Surroundings) -> np.ndarray:
    outside = find_beyond_polygon(polygon, baseline)
    far = outside > FAR * around.interline
    near = outside <= NEAR * around.interline
    if not far.any() or not near.any() or far.sum() > len(far) / 2:
        return np.zeros(len(far), dtype=bool)
    (length, thickness), axis = find_axes(polygon)
    if length < 2 * thickness:
        axis = np.array([0.0, 1.0] if line.direction in ("ttb", "btt") else [1.0, 0.0])
    across = (polygon @ np.array([-axis[1], axis[0]]), baseline @ np.array([-axis[1], axis[0]]))
    beside = np.maximum(across[1] - across[0].max(), across[0].min() - across[1]) > FAR * around.interline
    return far & (beside | around.is_off_page(baseline))


def _find_off_others(baseline: np.ndarray, around: Surroundings) -> np.ndarray:
    """Spikes of a baseline without polygon: the line goes to a point far away and comes back, or its first or last
    piece turns off by more than half a right angle from others that are straight."""
    count = len(baseline)
    far = np.zeros(count, dtype=bool)
    if count < 3 or is_straight(baseline, NEAR * around.interline):
        return far
    for i in range(count):
        rest = np.delete(baseline, i, axis=0)
        if measure_lengths(rest).sum() < 3 * around.interline:
            continue
        if measure_distance(rest, baseline[i : i + 1])[0] <= FAR * around.interline:
            continue
        if measure_distance(rest[[0, -1]], rest).max() > NEAR * around.interline or around.is_off_page(rest).any():
            continue
        along = rest[-1] - rest[0]
        pieces = [b - a for a, b in pairwise(baseline[max(0, i - 1) : i + 2])]
        # A middle point may lie off along the line, an end only beside it: the line may well begin there.
        turned = [float(piece @ along) < 0.7 * np.hypot(*piece) * np.hypot(*along) for piece in pieces]
        far[i] = any(turned)
    return far if far.sum() == 1 else np.zeros(count, dtype=bool)


def _find_off_baseline(polygon: np.ndarray, baseline: np.ndarray, around: Surroundings) -> np.ndarray:
    """Return the points before the largest gap, if it is large enough, in their distances from the baseline. On the
    page they stand alone between others that are near: a large initial, or a polygon that runs out, has two beside one
    another."""
    distance = measure_distance(baseline, polygon)
    unit = max(around.interline, float(np.median(distance)))
    off_page = around.is_off_page(polygon)
    order = np.argsort(-distance, kind="stable")
    gaps = -np.diff(distance[order])
    for count in range(len(polygon) // 2, 0, -1):
        if gaps[count - 1] <= FAR * unit:
            continue
        far = np.zeros(len(polygon), dtype=bool)
        far[order[:count]] = True
        beside = far & (np.roll(far, 1) | np.roll(far, -1)) & ~off_page
        if not beside.any():
            return far
    return np.zeros(len(polygon), dtype=bool)


def _find_off_rest(polygon: np.ndarray, line: TextLine, around: Surroundings) -> np.ndarray:
    """Of a polygon without baseline: the points off the page, and one on it, that lie far beyond the smallest rectangle
    around the others and make a sharp angle or most of the polygon's extent, as no corner does."""
    far = is_alone_off_page(polygon, around)
    if far.any() or is_compact(np.array([compute_area(polygon)]), np.ptp(polygon, axis=0)[None])[0]:
        return far
    hull = np.sort(cv2.convexHull(polygon.astype(np.float32), returnPoints=False)[:, 0])
    to_before = polygon[np.roll(hull, 1)] - polygon[hull]
    to_after = np.roll(-to_before, -1, axis=0)
    before, after = np.hypot(*to_before.T), np.hypot(*to_after.T)
    sharp = (to_before * to_after).sum(axis=1) > SHARP * before * after
    whole = _compute_hull_area(polygon)
    found: list[tuple[float, int]] = []
    for number in np.flatnonzero(np.minimum(before, after) > FAR * around.interline).tolist():
        rest = np.delete(polygon, hull[number], axis=0)
        share = _compute_hull_area(rest) / max(whole, 1e-9)
        # Any corner of a rectangle lies off the triangle of the others, which is half of it.
        if not sharp[number] and share > (0.35 if len(rest) == 3 else 0.45):
            continue
        least = FAR if sharp[number] else 2 * FAR
        if _find_beyond_rectangle(rest, polygon[hull[number]][None])[0] > least * around.interline:
            # Two corners of a rectangle at either end of one edge are alike but for where the line then leads.
            _, axis = find_axes(rest)
            tilt = abs(float(axis[0] if line.direction in ("ttb", "btt") else axis[1]))
            found.append((share + tilt, int(hull[number])))
    if found:
        far[min(found)[1]] = True
    return far


def is_alone_off_page(polygon: np.ndarray, around: Surroundings) -> np.ndarray:
    """(N,): the points of a polygon off the page and far from the others, none where an edge of it lies there: the line
    itself then goes on beyond the page."""
    none = np.zeros(len(polygon), dtype=bool)
    if len(polygon) < 4:
        return none
    far = around.is_off_page(polygon)
    if not far.any() or far.sum() > max(1, len(polygon) // 3):
        return none
    overhang = np.minimum(around.overhang(polygon), np.roll(around.overhang(polygon), -1))
    edges = np.roll(polygon, -1, axis=0) - polygon
    if ((overhang > 0) & far & np.roll(far, -1) & (np.hypot(edges[:, 0], edges[:, 1]) <= overhang)).any():
        return none
    apart = _find_beyond_rectangle(polygon[~far], polygon[far]) > FAR * around.interline
    return far if apart.all() else none


def _find_beyond_rectangle(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    (_, _), axis = find_axes(points)
    frame = np.stack([axis, [-axis[1], axis[0]]], axis=1)
    inner, outer = points @ frame, others @ frame
    return np.maximum(outer - inner.max(axis=0), inner.min(axis=0) - outer).max(axis=1)


def _compute_hull_area(points: np.ndarray) -> float:
    return float(cv2.contourArea(cv2.convexHull(points.astype(np.float32))))


def _set_back(
    polygon: np.ndarray, far: np.ndarray, baseline: np.ndarray, around: Surroundings
) -> dict[int, np.ndarray]:
    """Return the far points of a polygon (N, 2) that must be set back to the line, for it is less without them, by
    their positions; (2,) each.

    Often one coordinate alone is wrong, and the other one is kept where that gives a point at the line. What is wrong
    is taken from the nearest sound points before and after it, as at a corner, or from the extent of the baseline and
    of the sound points; of these the place at which the polygon is largest.
    """
    sound = np.flatnonzero(~far)
    if len(sound) < 2 or not measure_lengths(baseline).any():
        return {}
    height = max(2.0, compute_area(polygon[sound]) / float(measure_lengths(baseline).sum()))
    # What is left of a line may still be longer than any page: its curve would have millions of knots.
    is_bounded = np.ptp(np.concatenate([polygon[sound], baseline]), axis=0).max() < 4 * around.longest
    if not is_bounded and (baseline[0] == baseline[-1]).all():
        return {}
    course = (
        fit_line_curve(baseline, height, polygon[sound])
        if is_bounded
        else make_straight_curve(baseline[0], baseline[-1])
    )
    places = course.project(polygon)
    extent = np.concatenate([places[sound], np.stack([course.project(baseline[[0, -1]])[:, 0], [0.0, 0.0]], axis=1)])
    low, high = extent.min(axis=0), extent.max(axis=0)
    kept = dict(zip(sound.tolist(), polygon[sound], strict=True))
    chosen: dict[int, np.ndarray] = {}
    for i in np.flatnonzero(far).tolist():
        after, before = (sound[(np.searchsorted(sound, i) - k) % len(sound)] for k in (0, 1))
        ends = [places[before], places[after], np.clip(places[i], low, high)]
        corners = [*ends, (ends[0][0], ends[1][1]), (ends[1][0], ends[0][1])]
        foot, normals = course.at(np.array([corner[0] for corner in corners]))
        on_line = foot + np.array([corner[1] for corner in corners])[:, None] * normals
        mixed = np.concatenate([[(x, polygon[i, 1]), (polygon[i, 0], y)] for x, y in on_line])
        reached = course.project(mixed)
        is_at_line = ((reached >= low - around.interline) & (reached <= high + around.interline)).all(axis=1)
        candidates = np.round(np.concatenate([on_line[2:], mixed[is_at_line]]), 1)
        areas = [_compute_area_with(kept, i, place) for place in candidates]
        if max(areas) > (1 + GAIN) * _compute_area_with(kept, i, None):
            kept[i] = chosen[i] = candidates[int(np.argmax(areas))]
    return chosen


def _compute_area_with(points: Mapping[int, np.ndarray], position: int, place: np.ndarray | None) -> float:
    """Return the area of a polygon, its points given by their positions, with or without another one."""
    others = points if place is None else {**points, position: place}
    return compute_area(np.array([others[i] for i in sorted(others)]))
