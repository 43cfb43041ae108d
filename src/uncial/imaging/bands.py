"""How high a line is whose file gives it a baseline but no polygon."""

from collections.abc import Iterable

import cv2
import numpy as np

from uncial.document import TextLine
from uncial.imaging.background import local_background
from uncial.imaging.line_curves import LineCurve, fit_line_curve
from uncial.imaging.line_geometry import ABOVE, BELOW
from uncial.imaging.polylines import as_points, lengths


def line_spacing(lines: Iterable[TextLine]) -> float | None:
    """The usual distance in pixels between one baseline and the next, or None where no two lines stand one above
    the other.

    Measured at the middle of each baseline, across it, to the nearest other one that passes there.
    """
    baselines = [points for points in (as_points(line.baseline) for line in lines) if len(points) > 1]
    distances = []
    for points in baselines:
        chord = points[-1] - points[0]
        if not chord.any():
            continue
        tangent = chord / np.hypot(*chord)
        middle = (points[0] + points[-1]) / 2
        near = [abs(t) for t in (_crossing(other, middle, tangent) for other in baselines if other is not points) if t]
        if near:
            distances.append(min(near))
    return float(np.median(distances)) if distances else None


def _crossing(baseline: np.ndarray, middle: np.ndarray, tangent: np.ndarray) -> float | None:
    """How far across the line another baseline passes `middle`, None where it does not, or where it goes another
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


def polygon_around_baseline(
    pixels: np.ndarray, baseline: np.ndarray, spacing: float | None
) -> tuple[LineCurve, np.ndarray]:
    """The course of a baseline and a polygon (N, 2) around it, as high as `spacing` or, without it, the ink says."""
    if spacing is None:
        above, below = _from_ink(pixels, baseline)
    else:
        above, below = ABOVE * spacing, BELOW * spacing
    course = fit_line_curve(baseline, above + below, baseline)
    foot, normals = course.at(np.linspace(course.along[0], course.along[-1], max(2, int(course.along[-1] / 8))))
    return course, np.concatenate([foot - above * normals, (foot + below * normals)[::-1]])


def _from_ink(pixels: np.ndarray, baseline: np.ndarray) -> tuple[float, float]:
    """How far the writing reaches above and below a baseline, from the darkness of the rows beside it.

    Rows are followed from the densest one above the baseline until they are nearly empty, or as empty as they get
    before the next line.
    """
    length = float(lengths(baseline).sum())
    reach = int(np.clip(length / 5, 24, 240))
    course = fit_line_curve(baseline, reach / 2, baseline)
    foot, normals = course.at(np.arange(course.along[0], course.along[-1] + 1))
    across = np.arange(-reach, reach // 2, dtype=np.float32)[:, None]
    map_x = (foot[:, 0] + across * normals[:, 0]).astype(np.float32)
    map_y = (foot[:, 1] + across * normals[:, 1]).astype(np.float32)
    grey = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    strip = cv2.remap(grey, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    ground = local_background(strip, np.full(strip.shape, 255, np.uint8))
    ink = cv2.absdiff(strip, ground).mean(axis=1)
    ink = cv2.GaussianBlur(ink[:, None], (1, 5), 0)[:, 0]
    ink = ink - ink.min()
    core = reach - reach // 4 + int(ink[reach - reach // 4 : reach + 1].argmax())
    above = _valley(ink[core::-1]) + reach - core
    below = _valley(ink[core:]) - (reach - core)
    # Half of the core's height on top: ascenders and descenders are too sparse to show among the rows.
    margin = 0.25 * (above + below)
    return max(8.0, above + margin), max(4.0, below + margin)


def _valley(ink: np.ndarray) -> int:
    """The index at which the writing that is densest at index 0 ends."""
    quiet = np.flatnonzero(ink < 0.15 * ink[0])
    if quiet.size:
        return int(quiet[0])
    return int(ink.argmin())
