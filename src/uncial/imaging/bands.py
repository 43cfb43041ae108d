"""How far apart the lines of a page are, and how high a line is that has a baseline but no polygon."""

from collections.abc import Iterable, Sequence

import cv2
import numpy as np

from uncial.document import TextLine
from uncial.imaging.background import estimate_background
from uncial.imaging.line_curves import LineCurve, fit_line_curve
from uncial.imaging.line_geometry import ABOVE, BELOW
from uncial.imaging.polylines import Ragged, measure_lengths, to_points

REFERENCES = 256
"""Lines from which the distance to the next one is measured; of a page with more, as many evenly spread ones."""

LEAST, MOST = 0.6, 2.5
"""Between which multiples of the usual height of the page's outlines the distance is believed."""


def estimate_interline(lines: Sequence[TextLine], polygons: Ragged, baselines: Ragged) -> float | None:
    """Return the usual distance from one line of a page to the next; None where nothing tells.

    It is the median distance between neighbouring baselines, kept between 0.6 and 2.5 times the median height of the
    outlines, so that two lines far apart, or every line transcribed twice, do not spoil it; of a page with one line it
    is that height. `polygons` and `baselines` are those of `lines`.
    """
    height, distance = _estimate_height(lines, polygons), _estimate_distance(baselines)
    if distance is None or height is None:
        return height if distance is None else distance
    return min(max(distance, LEAST * height), MOST * height)


def _estimate_height(lines: Sequence[TextLine], polygons: Ragged) -> float | None:
    """Return the median of area over length of the polygons; that of the boxes where there is no polygon."""
    if len(polygons.owners):
        extent = polygons.most(polygons.points) - polygons.least(polygons.points)
        heights = polygons.areas() / np.maximum(extent.max(axis=1), 1.0)
    else:
        boxes = [line.box for line in lines if line.box is not None]
        heights = np.array([min(right - left, bottom - top) for left, top, right, bottom in boxes])
    sound = heights[(heights > 1) & np.isfinite(heights)]
    return float(np.median(sound)) if len(sound) else None


def _estimate_distance(baselines: Ragged) -> float | None:
    """Return the median distance from the middle of a baseline, across it, to the nearest other one that passes there.
    All of them are taken for straight."""
    starts, ends = baselines.points[baselines.starts[:-1]], baselines.points[baselines.starts[1:] - 1]
    chords = ends - starts
    length = np.hypot(chords[:, 0], chords[:, 1])
    long = length > 2
    if np.count_nonzero(long) < 2:
        return None
    starts, ends, chords, length = starts[long], ends[long], chords[long], length[long]
    chosen = np.unique(np.linspace(0, len(ends) - 1, min(REFERENCES, len(ends))).astype(np.int64))
    tangents = (chords[chosen] / length[chosen, None]).T
    normals = np.stack([-tangents[1], tangents[0]])
    middles = (starts[chosen] + ends[chosen]).T / 2
    from_here, to_there = (points @ tangents - (middles * tangents).sum(axis=0) for points in (starts, ends))
    above, below = (points @ normals - (middles * normals).sum(axis=0) for points in (starts, ends))
    span = to_there - from_here
    passes = (from_here * to_there <= 0) & (np.abs(span) >= 0.9 * length[:, None])
    distance = np.abs(above - from_here * (below - above) / np.where(passes, span, 1.0))
    distance[~passes | (distance <= 3)] = np.inf
    nearest = distance.min(axis=0)
    nearest = nearest[np.isfinite(nearest)]
    return float(np.median(nearest)) if len(nearest) else None


def estimate_line_spacing(lines: Iterable[TextLine]) -> float | None:
    """Return the usual distance in pixels between one baseline and the next, or None where no two lines stand one above
    the other.

    Measured at the middle of each baseline, across it, to the nearest other one that passes there.
    """
    baselines = [points for points in (to_points(line.baseline) for line in lines) if len(points) > 1]
    distances = []
    for points in baselines:
        chord = points[-1] - points[0]
        if not chord.any():
            continue
        tangent = chord / np.hypot(*chord)
        middle = (points[0] + points[-1]) / 2
        near = [
            abs(t) for t in (_find_crossing(other, middle, tangent) for other in baselines if other is not points) if t
        ]
        if near:
            distances.append(min(near))
    return float(np.median(distances)) if distances else None


def _find_crossing(baseline: np.ndarray, middle: np.ndarray, tangent: np.ndarray) -> float | None:
    """Return how far across the line another baseline passes `middle`, None where it does not, or where it goes another
    way.
    """
    other = baseline[-1] - baseline[0]
    if abs(other @ tangent) < 0.9 * np.hypot(*other):
        return None
    s = (baseline - middle) @ tangent
    if s.min() > 0 or s.max() < 0:
        return None
    order = np.argsort(s)
    t = float(np.interp(0.0, s[order], ((baseline - middle) @ np.array([-tangent[1], tangent[0]]))[order]))
    return t if abs(t) > 3 else None


def build_polygon_around_baseline(
    pixels: np.ndarray, baseline: np.ndarray, spacing: float | None
) -> tuple[LineCurve, np.ndarray]:
    """Return the course of a baseline and a polygon (N, 2) around it, as high as `spacing` or, without it, the ink
    says."""
    if spacing is None:
        above, below = _derive_from_ink(pixels, baseline)
    else:
        above, below = ABOVE * spacing, BELOW * spacing
    course = fit_line_curve(baseline, above + below, baseline)
    foot, normals = course.at(np.linspace(course.along[0], course.along[-1], max(2, int(course.along[-1] / 8))))
    return course, np.concatenate([foot - above * normals, (foot + below * normals)[::-1]])


def _derive_from_ink(pixels: np.ndarray, baseline: np.ndarray) -> tuple[float, float]:
    """Return how far the writing reaches above and below a baseline, from the darkness of the rows beside it.

    Rows are followed from the densest one above the baseline until they are nearly empty, or as empty as they get
    before the next line.
    """
    length = float(measure_lengths(baseline).sum())
    reach = int(np.clip(length / 5, 24, 240))
    course = fit_line_curve(baseline, reach / 2, baseline)
    foot, normals = course.at(np.arange(course.along[0], course.along[-1] + 1))
    across = np.arange(-reach, reach // 2, dtype=np.float32)[:, None]
    map_x = (foot[:, 0] + across * normals[:, 0]).astype(np.float32)
    map_y = (foot[:, 1] + across * normals[:, 1]).astype(np.float32)
    grey = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    strip = cv2.remap(grey, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    ground = estimate_background(strip, np.full(strip.shape, 255, np.uint8))
    ink = cv2.absdiff(strip, ground).mean(axis=1)
    ink = cv2.GaussianBlur(ink[:, None], (1, 5), 0)[:, 0]
    ink = ink - ink.min()
    core = reach - reach // 4 + int(ink[reach - reach // 4 : reach + 1].argmax())
    above = _find_valley(ink[core::-1]) + reach - core
    below = _find_valley(ink[core:]) - (reach - core)
    # Half of the core's height on top: ascenders and descenders are too sparse to show among the rows.
    margin = 0.25 * (above + below)
    return max(8.0, above + margin), max(4.0, below + margin)


def _find_valley(ink: np.ndarray) -> int:
    """Return the index at which the writing that is densest at index 0 ends."""
    quiet = np.flatnonzero(ink < 0.15 * ink[0])
    if quiet.size:
        return int(quiet[0])
    return int(ink.argmin())
