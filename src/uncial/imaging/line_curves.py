"""The course of a line over the page: a smooth curve along the baseline, with coordinates along and across it."""

from dataclasses import dataclass

import numpy as np

from uncial.imaging.polylines import compute_arcs, measure_lengths, smooth, smooth_once


@dataclass(frozen=True, slots=True)
class LineCurve:
    """A curve with, at each of K knots, its arc length (K,), position (K, 2) and the unit normal (K, 2) to the
    strip's lower side.

    Positions along it (s) are in pixels from its first knot and go on tangentially beyond both ends; positions
    across it (t) are in pixels along the normal, negative above. A straight course has two knots.
    """

    along: np.ndarray
    points: np.ndarray
    normals: np.ndarray

    @property
    def straight(self) -> bool:
        return len(self.along) == 2

    def at(self, s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Positions and normals at `s` (N,), both (N, 2)."""
        points = np.stack([np.interp(s, self.along, self.points[:, i]) for i in (0, 1)], axis=1)
        normals = np.stack([np.interp(s, self.along, self.normals[:, i]) for i in (0, 1)], axis=1)
        beyond = np.minimum(s - self.along[0], 0) + np.maximum(s - self.along[-1], 0)
        points += beyond[:, None] * _compute_tangents(normals)
        return points, normals

    def project(self, points: np.ndarray) -> np.ndarray:
        """(N, 2) page positions to (s, t) pairs, (N, 2)."""
        if self.straight:
            offset = points - self.points[0]
            tangent = _compute_tangents(self.normals[:1])[0]
            return np.stack([offset @ tangent, offset @ self.normals[0]], axis=1)
        coarse = self.points[:: max(1, len(self.points) // 64)]
        distance = ((points[:, None, :] - coarse[None]) ** 2).sum(axis=2)
        s = self.along[:: max(1, len(self.points) // 64)][distance.argmin(axis=1)]
        for _ in range(3):
            foot, normal = self.at(s)
            s = s + ((points - foot) * _compute_tangents(normal)).sum(axis=1)
        foot, normal = self.at(s)
        return np.stack([s, ((points - foot) * normal).sum(axis=1)], axis=1)


def _compute_tangents(normals: np.ndarray) -> np.ndarray:
    return np.stack([normals[:, 1], -normals[:, 0]], axis=1)


def make_straight_curve(start: np.ndarray, end: np.ndarray) -> LineCurve:
    """Return the straight course from `start` to `end`, (2,) each and apart from one another."""
    length = float(np.hypot(*(end - start)))
    tangent = (end - start) / length
    normal = np.array([[-tangent[1], tangent[0]]])
    return LineCurve(np.array([0.0, length]), np.stack([start, end]), np.repeat(normal, 2, axis=0))


def fit_line_curve(baseline: np.ndarray, height: float, polygon: np.ndarray) -> LineCurve:
    """Return a smooth course along a baseline (K >= 2 points) of a line about `height` pixels high, as far as `polygon`
    (N, 2) reaches.

    Waves shorter than the line is high are no writing but the unsteadiness of whoever, or whatever, drew the
    baseline, and are smoothed away. Beyond its ends the course is straight; the further it goes there, the longer
    the piece from which its direction is taken. Where the curve bends too sharply for the strip not to fold over,
    the normals are smoothed further; where that does not help, the course is the straight line between the
    baseline's ends or, where these meet, along its longest extent.
    """
    baseline = _drop_hooks(baseline, height)
    chord = baseline[-1] - baseline[0]
    span = float(np.hypot(*chord))
    if span > 0:
        away = np.abs((baseline - baseline[0]) @ np.array([-chord[1], chord[0]])) / span
        if len(baseline) == 2 or away.max() < 0.4:
            return make_straight_curve(baseline[0], baseline[-1])
    step = max(1.0, height / 12)
    curve = smooth(compute_arcs(baseline, step), 0.4 * height / step)
    if len(curve) < 4:
        return _straighten(baseline)
    curve = _extend(curve, height, step, polygon)
    piece = measure_lengths(curve)
    along = np.concatenate([[0.0], np.cumsum(piece)])
    angle = np.unwrap(np.arctan2(*np.gradient(curve, along, axis=0).T[::-1]))
    for widen in (0.5, 1.0, 2.0, 4.0):
        steady = smooth_once(angle, widen * height / step)
        bend = np.abs(np.diff(steady)) / np.maximum(piece, 1e-6)
        if bend.max() * height < 0.8:
            return LineCurve(along, curve, np.stack([-np.sin(steady), np.cos(steady)], axis=1))
    return _straighten(baseline)


def _drop_hooks(baseline: np.ndarray, height: float) -> np.ndarray:
    """Leave out a first or last segment that is short against the line's height and turns off by more than 45
    degrees.
    """
    for _ in range(2):  # once for each end, the second time turned round
        if len(baseline) > 2:
            last, before = baseline[-1] - baseline[-2], baseline[-2] - baseline[-3]
            lengths_of = np.hypot(*last), np.hypot(*before)
            if lengths_of[0] < 0.5 * height and last @ before < 0.5 * lengths_of[0] * lengths_of[1]:
                baseline = baseline[:-1]
        baseline = baseline[::-1]
    return baseline


def _extend(curve: np.ndarray, height: float, step: float, polygon: np.ndarray) -> np.ndarray:
    """Return the curve (K, 2), lengthened at either end to pass the points of the polygon that lie beyond it."""
    knots = np.unique(np.linspace(0, len(curve) - 1, 64).round().astype(int))
    nearest = knots[((polygon[:, None, :] - curve[knots][None]) ** 2).sum(axis=2).argmin(axis=1)]
    for _ in range(2):  # once for each end, the second time turned round
        last = curve[-1]
        direction = last - curve[-2]
        over = float(((polygon[nearest == len(curve) - 1] - last) @ direction).max(initial=0.0)) / np.hypot(*direction)
        angle = _end_angle(curve, int(np.ceil((1.5 * height + over) / step)))
        direction = np.array([np.cos(angle), np.sin(angle)])
        ahead = step * np.arange(1, int(np.ceil(over / step)) + 1)
        nearest = len(curve) - 1 - nearest
        curve = np.concatenate([curve, last + ahead[:, None] * direction])[::-1]
        nearest = nearest + len(ahead)
    return curve


def _end_angle(curve: np.ndarray, count: int) -> float:
    """Return the direction at the end of a curve, by a straight line through the angles of its last `count` pieces."""
    steps = np.diff(curve[-1 - count :], axis=0)
    angle = np.unwrap(np.arctan2(steps[:, 1], steps[:, 0]))
    if len(angle) < 4:
        return float(angle.mean())
    at = np.arange(len(angle)) - (len(angle) - 1) / 2
    bend = float(at @ angle / (at @ at))
    return float(angle.mean()) + bend * len(angle) / 2


def _straighten(baseline: np.ndarray) -> LineCurve:
    start, end = baseline[0], baseline[-1]
    extent = float(np.ptp(baseline, axis=0).max())
    if np.hypot(*(end - start)) < 0.5 * extent:
        centre = baseline.mean(axis=0)
        _, _, axes = np.linalg.svd(baseline - centre, full_matrices=False)
        axis = axes[0] * (1 if axes[0] @ (end - start) >= 0 else -1)
        reach = (baseline - centre) @ axis
        start, end = centre + axis * reach.min(), centre + axis * reach.max()
    return make_straight_curve(start, end)
