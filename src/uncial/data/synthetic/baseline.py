"""Baselines: the curves along which lines are written."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Baseline:
    """A curve y(x) sampled at every pixel from `x[0]`, in page pixels, y downwards.

    `length` is that along the curve from its left end.
    """

    x: Array
    y: Array
    length: Array
    slope: Array

    def at(self, s: Array, height: Array) -> tuple[Array, Array]:
        """Page coordinates of the points at arc length `s` and `height` pixels above the curve, along its normal.

        Beyond its ends the curve goes on straight.
        """
        x, y, slope = (np.interp(s, self.length, v) for v in (self.x, self.y, self.slope))
        beyond = s - np.clip(s, self.length[0], self.length[-1])
        norm = np.sqrt(1 + slope**2)
        return x + (beyond + height * slope) / norm, y + (beyond * slope - height) / norm

    def coordinates(self, x: Array, y: Array) -> tuple[Array, Array]:
        """The inverse of `at`: arc length and height of page points, by fixed-point iteration on the foot point."""
        foot = x
        for _ in range(3):
            curve, slope = np.interp(foot, self.x, self.y), np.interp(foot, self.x, self.slope)
            height = (curve - y) / np.sqrt(1 + slope**2)
            foot = x - height * slope / np.sqrt(1 + slope**2)
        curve, slope = np.interp(foot, self.x, self.y), np.interp(foot, self.x, self.slope)
        outside = foot - np.clip(foot, self.x[0], self.x[-1])
        return np.interp(foot, self.x, self.length) + outside, (curve - y + outside * slope) * np.sqrt(1 + slope**2)

    def until(self, length: float) -> "Baseline":
        """The curve's first part, of that arc length."""
        n = int(np.clip(np.searchsorted(self.length, length) + 1, 2, len(self.x)))
        return Baseline(self.x[:n], self.y[:n], self.length[:n], self.slope[:n])

    def points(self, step: float = 24.0) -> tuple[tuple[float, float], ...]:
        """The curve as a polyline with a point about every `step` pixels and at both ends."""
        n = max(2, round((self.x[-1] - self.x[0]) / step) + 1)
        chosen = np.round(np.linspace(0, len(self.x) - 1, n)).astype(int)
        return tuple((float(self.x[i]), float(self.y[i])) for i in chosen)


def baseline(x: Array, y: Array) -> Baseline:
    """The curve through points one pixel apart in x."""
    slope = np.gradient(y, x)
    steps = np.hypot(np.diff(x), np.diff(y))
    return Baseline(x, y, np.concatenate([[0.0], np.cumsum(steps)]), slope)


def curved(
    start: tuple[float, float], width: float, slope: float, bow: float, waves: tuple[float, ...] = ()
) -> Baseline:
    """A baseline of `width` pixels from `start`: a straight line of `slope`, bowed, and with waves.

    `bow` is the height of the arc in pixels over the whole width (positive: the middle lies higher than the ends).
    `waves` are (amplitude in pixels, wavelength in pixels, phase in radians), one after the other.
    """
    u = np.arange(max(int(np.ceil(width)), 2) + 1, dtype=np.float64)
    y = start[1] + slope * u - bow * 4 * (u / width) * (1 - u / width)
    for amplitude, wavelength, phase in zip(*[iter(waves)] * 3, strict=True):
        y += amplitude * (np.sin(2 * np.pi * u / wavelength + phase) - np.sin(phase))
    return baseline(start[0] + u, y)
