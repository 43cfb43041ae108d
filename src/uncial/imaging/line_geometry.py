"""The baseline and outline by which a line is cut, from whatever its file states of them."""

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from uncial.document import TextLine
from uncial.imaging.polylines import compute_area, measure_lengths, to_points
from uncial.text.characters import is_right_to_left, is_vertical

MIN_AREA = 12.0
"""Square pixels below which a polygon counts as having no area."""

ABOVE, BELOW = 0.75, 0.35
"""Where the file states no polygon: how far the band reaches above and below the baseline, in distances between
lines.
"""


@dataclass(frozen=True, slots=True)
class LineGeometry:
    """`baseline` (K >= 2, 2) runs from the left to the right end of the strip; `polygon` (N >= 3, 2) holds what is
    cut out.

    The polygon is empty where none is stated, and the strip is then a band along the baseline.
    """

    baseline: np.ndarray
    polygon: np.ndarray


def resolve_geometry(line: TextLine, limit: float) -> LineGeometry | None:
    """Return the baseline and polygon of a line, either derived from the other or from the box; None where it has no
    place.

    Faults are mended where the rest says what is meant. Points that are repeated, not finite, or further than
    `limit` pixels from the page's corner are dropped. A polygon of fewer than three points or without area counts
    as missing. So does a baseline of fewer than two points, without length, shorter than a fifth of its line, or
    away from its polygon.
    """
    polygon, baseline = to_points(line.polygon, limit), to_points(line.baseline, limit)
    if compute_area(polygon) < MIN_AREA and not _is_self_crossing(polygon):
        polygon = polygon[:0]
    baseline = put_in_order(baseline) if len(baseline) > 2 else baseline
    if len(baseline) < 2 or measure_lengths(baseline).sum() < 2:
        baseline = baseline[:0]
    if not len(polygon):
        polygon = _box_lines(line, baseline, limit)
    if len(polygon) and len(baseline) and not _belongs(baseline, polygon):
        baseline = baseline[:0]
    if len(baseline):
        return LineGeometry(direct_line(baseline, polygon, line), polygon)
    return LineGeometry(derive_baseline(polygon, line), polygon) if len(polygon) else None


def _box_lines(line: TextLine, baseline: np.ndarray, limit: float) -> np.ndarray:
    """Return the line's box as a polygon; without points where there is none, or where it holds the lines beside a
    slanted one."""
    if line.box is None or not np.isfinite(line.box).all() or np.abs(line.box).max() > limit:
        return np.empty((0, 2))
    left, top, right, bottom = line.box
    box = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], dtype=np.float64)
    slanted = len(baseline) > 0 and float(np.ptp(baseline, axis=0).min()) > 0.4 * min(right - left, bottom - top)
    return box[:0] if compute_area(box) < MIN_AREA or slanted else box


def put_in_order(baseline: np.ndarray) -> np.ndarray:
    """Sort the points of a baseline that runs back and forth along one direction; leave one that bends round as it
    is.
    """
    centre = baseline.mean(axis=0)
    chord = baseline[-1] - baseline[0]
    extent = np.ptp(baseline, axis=0)
    if np.hypot(*chord) < 0.5 * np.hypot(*extent):
        _, _, axes = np.linalg.svd(baseline - centre, full_matrices=False)
        chord = axes[0] if axes[0] @ chord >= 0 else -axes[0]
    chord = chord / max(float(np.hypot(*chord)), 1e-9)
    reach = (baseline - centre) @ chord
    away = (baseline - centre) @ np.array([-chord[1], chord[0]])
    if (np.diff(reach) > 0).all() or np.ptp(away) > 0.25 * np.ptp(reach):
        return baseline
    order = np.argsort(reach, kind="stable")
    keep = np.concatenate([[True], np.diff(reach[order]) > 1.0])
    return baseline[order][keep]


def direct_line(baseline: np.ndarray, polygon: np.ndarray, line: TextLine) -> np.ndarray:
    """Return the baseline in the order in which the strip shows the writing upright, or a column from its stated
    beginning.

    Writing stands on its baseline, so the polygon's mass tells up from down: a baseline drawn from right to left
    with the mass above it on the page is a reversed one; with the mass below it, the page lies upside down. The
    exceptions: right-to-left scripts that hang from their baseline are never turned over, nor is anything drawn
    from left to right (a hanging baseline is then the likelier case).
    """
    chord = baseline[-1] - baseline[0]
    steep = abs(chord[1]) > abs(chord[0])
    if line.direction in ("ttb", "btt") and (steep or not chord.any()):
        return baseline if (chord[1] >= 0) == (line.direction == "ttb") else baseline[::-1]
    if not steep and chord[0] >= 0:
        return baseline
    if not steep and (_is_right_to_left(line) or not len(polygon)):
        return baseline[::-1]
    side = _find_side(baseline, polygon) if len(polygon) else -1.0
    if steep:
        return baseline[::-1] if side > 0.1 else baseline
    return baseline if side < -0.1 else baseline[::-1]


def _find_side(baseline: np.ndarray, polygon: np.ndarray) -> float:
    """Return where the polygon's mass lies: its mean distance from the baseline over its thickness; -0.5 is wholly
    above, 0.5 wholly below."""
    chord = (baseline[-1] - baseline[0]) / np.hypot(*(baseline[-1] - baseline[0]))
    turned = _project_on_axes(polygon, chord)
    canvas, scale, low = _draw_mask(turned, 256)
    across, along = np.nonzero(canvas)
    s, t = along / scale + low[0], across / scale + low[1]
    line = _project_on_axes(baseline, chord)
    line = line[np.argsort(line[:, 0], kind="stable")]
    offset = t - np.interp(s, line[:, 0], line[:, 1])
    thickness = max(1.0, len(t) / scale**2 / max(float(np.ptp(turned[:, 0])), 1.0))
    return float(offset.mean() / thickness)


def _project_on_axes(points: np.ndarray, axis: np.ndarray) -> np.ndarray:
    return np.stack([points @ axis, points @ np.array([-axis[1], axis[0]])], axis=1)


def _draw_mask(polygon: np.ndarray, limit: int) -> tuple[np.ndarray, float, np.ndarray]:
    """Return a mask of the polygon, no larger than `limit` pixels a side; its scale, and the position (2,) of its first
    pixel.
    """
    low, extent = polygon.min(axis=0), np.ptp(polygon, axis=0)
    scale = min(1.0, limit / max(float(extent.max()), 1.0))
    width, height = np.ceil(extent * scale).astype(int) + 1
    canvas = np.zeros((height, width), np.uint8)
    cv2.fillPoly(canvas, [np.rint((polygon - low) * scale).astype(np.int32)], (1,))
    return canvas, scale, low


def derive_baseline(polygon: np.ndarray, line: TextLine) -> np.ndarray:
    """Return a baseline through a polygon: its middle along its longer axis, smoothed, and set down by a quarter of its
    height.

    An axis within 45 degrees of the horizontal runs to the right. A steep one is believed where the file states a
    vertical direction, or where the polygon is more than twice as long as thick and holds more than two characters;
    it then runs downwards for `ttb` and where the text is of a script that stands in columns, else upwards, as turned
    writing on Western pages mostly does. All else is taken as upright.
    """
    (width, height), axis = find_axes(polygon)
    vertical = line.direction in ("ttb", "btt")
    steep = abs(axis[1]) > abs(axis[0])
    elongated = width > 2 * height
    if vertical and (steep or not elongated):
        axis = axis if steep and elongated else np.array([0.0, 1.0])
        axis = axis * (1 if (axis[1] > 0) == (line.direction == "ttb") else -1)
    elif steep and (not elongated or (line.text is not None and len(line.text) <= 2)):
        axis = np.array([1.0, 0.0])
    elif steep:
        axis = axis * (1 if (axis[1] > 0) == is_vertical(line.text or "") else -1)
    elif not elongated:
        axis = np.array([1.0, 0.0])
    elif axis[0] < 0:
        axis = -axis
    return _find_middle(polygon, axis)


def find_axes(polygon: np.ndarray) -> tuple[tuple[float, float], np.ndarray]:
    """Length and thickness of the smallest rectangle around the polygon, and the direction (2,) of its length."""
    (_, _), (width, height), degrees = cv2.minAreaRect(polygon.astype(np.float32))
    if width < height:
        width, height, degrees = height, width, degrees + 90
    return (width, height), np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])


def _find_middle(polygon: np.ndarray, axis: np.ndarray) -> np.ndarray:
    canvas, scale, low = _draw_mask(_project_on_axes(polygon, axis), 512)
    length = canvas.shape[1]
    thickness = canvas.sum(axis=0).astype(np.float64)
    centre = (canvas * np.arange(len(canvas))[:, None]).sum(axis=0) / np.maximum(thickness, 1)
    usual = float(np.median(thickness[thickness > 0]))
    edges = np.linspace(0, length, int(np.clip(length / (1.5 * usual), 1, 32)) + 1).astype(int)
    inner = [(a, b) for a, b in pairwise(edges) if (thickness[a:b] > 0).any()]
    x = np.array([(a + b - 1) / 2 for a, b in inner])
    y = np.array([np.median(centre[a:b][thickness[a:b] > 0]) for a, b in inner]) + 0.25 * usual
    if len(x) < 2:
        x, y = np.array([0.0, max(1.0, length - 1.0)]), np.repeat(y[:1], 2)
    knots = np.stack([x, y], axis=1) / scale + low
    return knots[:, :1] * axis + knots[:, 1:] * np.array([-axis[1], axis[0]])


def measure_thickness(polygon: np.ndarray, baseline: np.ndarray) -> float:
    """About how high the line is, in pixels: the polygon's area over the baseline's length; at least 2."""
    usual = compute_area(polygon) / max(1.0, float(measure_lengths(baseline).sum()))
    if usual < 2:  # the halves of a figure of eight cancel
        usual = 0.3 * find_axes(polygon)[0][1]
    return max(2.0, usual)


def _belongs(baseline: np.ndarray, polygon: np.ndarray) -> bool:
    low, high = polygon.min(axis=0), polygon.max(axis=0)
    (length, thickness), _ = find_axes(polygon)
    if (baseline.max(axis=0) < low - thickness).any() or (baseline.min(axis=0) > high + thickness).any():
        return False
    extent = np.hypot(*np.ptp(baseline, axis=0))
    return bool(extent >= 0.2 * length or extent > 2 * thickness)


def _is_self_crossing(polygon: np.ndarray) -> bool:
    """Return whether it is a figure of eight: with an inside, though its two halves cancel in the shoelace formula."""
    if len(polygon) < 4:
        return False
    canvas, _, _ = _draw_mask(polygon, 256)
    # Beyond the mask lies nothing: else a polygon that runs along a row and back would have an inside.
    inside = cv2.erode(canvas, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return bool(inside.any())


def _is_right_to_left(line: TextLine) -> bool:
    return line.direction == "rtl" if line.direction is not None else is_right_to_left(line.text or "")
