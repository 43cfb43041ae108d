"""Polygons of lines from their baselines and heights, no two of which take the same ground."""

from collections.abc import Sequence

import numpy as np

from uncial.data.pages.shapes import LineShape
from uncial.imaging.line_curves import LineCurve, fit_line_curve

STEP = 0.5
"""Distance between the corners of a polygon along the line, in interlines."""

BEYOND = 0.2
"""How far a polygon goes on beyond both ends of its baseline, in interlines: letters lean over, and a baseline that is
found a little short is the commonest reason why a polygon loses ink."""

NEXT = 1.0
"""How far beyond the ends of a line above or below, in interlines, the ground is divided as beside it: the last letters
reach beyond their baseline, and polygons do not spread out where a neighbour is a little shorter."""

OTHER_ROW = 0.4
"""Distance across, in interlines, from which on a neighbour is above or below a line and not before or after it."""

DEFAULT_UP, DEFAULT_DOWN = 0.75, 0.35
"""Heights in interlines where nothing says more."""


def outline_lines(lines: Sequence[LineShape], interline: float) -> list[np.ndarray]:
    """Return the polygon (N, 2) of each line: none is left without one, whatever its baseline is like.

    Where two lines would take the same ground, it is divided between their baselines by their heights.
    """
    heights = [_find_heights(line, interline) for line in lines]
    curves = [_fit_curve(line, sum(pair)) for line, pair in zip(lines, heights, strict=True)]
    dense = [_list_points(curve, interline) for curve in curves]
    boxes = np.array([[*points.min(axis=0), *points.max(axis=0)] for points in dense]).reshape(-1, 4)
    found = []
    for number, (curve, (up, down)) in enumerate(zip(curves, heights, strict=True)):
        reach = BEYOND * interline
        count = max(2, round((curve.along[-1] + 2 * reach) / (STEP * interline)) + 1)
        along = np.linspace(-reach, curve.along[-1] + reach, count)
        above, below = np.full(count, up), np.full(count, down)
        for other in _list_near(boxes, number, 2 * interline):
            _keep_apart(curve, along, (above, below), dense[other], heights[other], interline)
        foot, normals = curve.at(along)
        found.append(np.concatenate([foot - above[:, None] * normals, (foot + below[:, None] * normals)[::-1]]))
    return found


def _find_heights(line: LineShape, interline: float) -> tuple[float, float]:
    up = line.up if np.isfinite(line.up) and line.up > 0 else DEFAULT_UP * interline
    down = line.down if np.isfinite(line.down) and line.down > 0 else DEFAULT_DOWN * interline
    return float(up), float(down)


def _fit_curve(line: LineShape, height: float) -> LineCurve:
    baseline = np.asarray(line.baseline, dtype=np.float64)
    if float(np.ptp(baseline, axis=0).max()) < 1e-3:
        # A baseline of one place is a line one pixel long, which reads to the right.
        baseline = baseline[0] + np.array([[-0.5, 0.0], [0.5, 0.0]])
    return fit_line_curve(baseline, height, baseline)


def _list_points(curve: LineCurve, interline: float) -> np.ndarray:
    """Points (N, 2) all along a line, as far beyond its ends as its polygon goes."""
    reach = BEYOND * interline
    count = max(2, round((curve.along[-1] + 2 * reach) / max(1.0, 0.25 * interline)) + 1)
    return curve.at(np.linspace(-reach, curve.along[-1] + reach, count))[0]


def _list_near(boxes: np.ndarray, number: int, reach: float) -> list[int]:
    low, high = boxes[number, :2] - reach, boxes[number, 2:] + reach
    near = np.flatnonzero((boxes[:, :2] <= high).all(axis=1) & (boxes[:, 2:] >= low).all(axis=1))
    return [other for other in near.tolist() if other != number]


def _keep_apart(
    curve: LineCurve,
    along: np.ndarray,
    own: tuple[np.ndarray, np.ndarray],
    points: np.ndarray,
    heights: tuple[float, float],
    interline: float,
) -> None:
    """Lower the heights above and below a line, in place, where another line's points lie so near that both would
    take the ground between them."""
    places = curve.project(points)
    inside = (places[:, 0] >= along[0]) & (places[:, 0] <= along[-1])
    if not inside.any():
        return
    order = np.argsort(places[inside, 0])
    at, across = places[inside][order, 0], places[inside][order, 1]
    gap = np.interp(along, at, across)
    for end, beyond in ((0, at[0] - along), (-1, along - at[-1])):
        reach = NEXT * interline if abs(across[end]) > OTHER_ROW * interline else 0.0
        gap[beyond > reach] = np.nan
    for side, limits, theirs in ((-1.0, own[0], heights[1]), (1.0, own[1], heights[0])):
        distance = side * gap
        shared = distance > 0
        part = distance[shared] * limits[shared] / (limits[shared] + theirs)
        limits[shared] = np.minimum(limits[shared], np.maximum(part, 1.0))
