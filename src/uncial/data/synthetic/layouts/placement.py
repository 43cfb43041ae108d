"""Where a block stands on the sheet: it is planned upright, then turned and moved."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from uncial.data.synthetic.line_ink import Baseline, LineInk

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Placement:
    """A turn by `degrees` clockwise as one sees it, round the block's origin, which then lies at (x, y). Pixels."""

    x: float
    y: float
    degrees: float = 0.0

    @property
    def matrix(self) -> Array:
        """(2, 3): what moves points of the block to the sheet."""
        quarters, rest = divmod(self.degrees, 90)
        # Whole quarters have no rounding error: upright lines stay upright.
        angle = np.radians(self.degrees)
        cos, sin = (
            ((1, 0), (0, 1), (-1, 0), (0, -1))[int(quarters) % 4] if rest == 0 else (np.cos(angle), np.sin(angle))
        )
        return np.array([[cos, -sin, self.x], [sin, cos, self.y]], dtype=np.float64)

    def move(self, points: Array) -> Array:
        """Return points (N, 2) of the block on the sheet."""
        matrix = self.matrix
        return points @ matrix[:, :2].T + matrix[:, 2]

    def within(self, outer: "Placement") -> "Placement":
        """Return this placement on a sheet that is itself placed by `outer`."""
        [[x, y]] = outer.move(np.array([[self.x, self.y]]))
        return Placement(float(x), float(y), self.degrees + outer.degrees)


@dataclass(frozen=True)
class PlacedBaseline:
    """A baseline of a block as it lies on the sheet."""

    baseline: Baseline
    placement: Placement

    def at(self, s: Array, height: Array) -> tuple[Array, Array]:
        """Return the positions on the sheet at arc length `s` and `height` above the baseline."""
        points = self.placement.move(np.stack(self.baseline.at(s, height), axis=1))
        return points[:, 0], points[:, 1]


def place_ink(ink: LineInk, placement: Placement) -> LineInk:
    """Return ink of a block as it lies on the sheet."""
    rows, columns = ink.coverage.shape
    corners = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]]) + np.array([ink.left, ink.top])
    placed = placement.move(corners.astype(np.float64))
    left, top = np.floor(placed.min(axis=0)).astype(int)
    width, height = np.ceil(placed.max(axis=0)).astype(int) - [left, top] + 1
    matrix = placement.matrix.copy()
    # OpenCV counts from pixel centres, positions on the sheet from pixel corners.
    matrix[:, 2] = matrix[:, :2] @ [ink.left + 0.5, ink.top + 0.5] + matrix[:, 2] - [left + 0.5, top + 0.5]
    coverage = cv2.warpAffine(ink.coverage, matrix, (int(width), int(height)), flags=cv2.INTER_LINEAR)
    return LineInk(int(left), int(top), np.asarray(coverage, dtype=np.uint8))
