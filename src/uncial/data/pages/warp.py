"""A page on another sheet: turned, scaled, seen askew and bent, image and coordinates alike.

What is drawn for a training is the way from points of the page to points of the sheet. Shapes are moved along it; the
image is sampled by its inverse, once, and only in the window that is shown.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np

from uncial.data.pages.shapes import LineShape, PageShapes, RegionShape

GRID = 16
"""Pixels of the sheet between two places at which the way back to the page is computed; in between it is straight."""

REPEATS = 3
"""Steps in which the bend of the sheet is taken back."""


@dataclass(frozen=True, eq=False)
class Bend:
    """A smooth displacement: `shifts` (rows, columns, 2) in pixels of the sheet, at places evenly spread over the
    rectangle from (`left`, `top`) of `size`."""

    shifts: np.ndarray
    left: float
    top: float
    size: tuple[float, float]

    def at(self, points: np.ndarray) -> np.ndarray:
        """Return the displacement (N, 2) at points (N, 2)."""
        rows, columns = self.shifts.shape[:2]
        x = np.clip((points[:, 0] - self.left) / max(self.size[0], 1e-6) * (columns - 1), 0, columns - 1)
        y = np.clip((points[:, 1] - self.top) / max(self.size[1], 1e-6) * (rows - 1), 0, rows - 1)
        column, row = (np.minimum(place.astype(np.int64), size - 2) for place, size in ((x, columns), (y, rows)))
        right, down = (x - column)[:, None], (y - row)[:, None]
        upper = self.shifts[row, column] * (1 - right) + self.shifts[row, column + 1] * right
        lower = self.shifts[row + 1, column] * (1 - right) + self.shifts[row + 1, column + 1] * right
        found: np.ndarray = upper * (1 - down) + lower * down
        return found


@dataclass(frozen=True, eq=False)
class Warp:
    """From a page to a sheet: a homography `matrix` (3, 3), then a `bend`. `scale` is how many pixels of the sheet one
    of the page becomes in the middle; `mirrored` tells that left and right have changed places."""

    matrix: np.ndarray
    scale: float
    bend: Bend | None = None
    mirrored: bool = False

    @cached_property
    def _inverse(self) -> np.ndarray:
        return np.linalg.inv(self.matrix)

    def move(self, points: np.ndarray) -> np.ndarray:
        """Return points (N, 2) of the page as points of the sheet."""
        moved = _apply(self.matrix, points)
        return moved if self.bend is None else moved + self.bend.at(moved)

    def move_back(self, points: np.ndarray) -> np.ndarray:
        """Return points (N, 2) of the sheet as points of the page."""
        straight = points
        if self.bend is not None:
            for _ in range(REPEATS):
                straight = points - self.bend.at(straight)
        return _apply(self._inverse, straight)

    def move_shapes(self, shapes: PageShapes, window: tuple[int, int, int, int]) -> PageShapes:
        """Return the shapes as they lie in a window (left, top, width, height) of the sheet, in its pixels."""
        origin = np.array(window[:2], np.float64)
        lines = tuple(self._move_line(line, origin) for line in shapes.lines)
        regions = tuple(RegionShape(one.type, self.move(one.polygon) - origin) for one in shapes.regions)
        return PageShapes(window[2:], shapes.interline * self.scale, lines, regions)

    def _move_line(self, line: LineShape, origin: np.ndarray) -> LineShape:
        moved = line.moved(lambda points: self.move(points) - origin, self.scale)
        # Of writing in a mirror the right end is the left one.
        return replace(moved, baseline=moved.baseline[::-1], words=moved.words[::-1, ::-1]) if self.mirrored else moved

    def sample(self, pixels: np.ndarray, window: tuple[int, int, int, int], fill: int) -> np.ndarray:
        """Return the image of the page, (h, w) or (h, w, 3), as it is seen in a window (left, top, width, height) of
        the sheet; what lies beside the page is `fill`."""
        left, top, width, height = window
        x = left + np.linspace(0, width - 1, max(2, width // GRID + 1))
        y = top + np.linspace(0, height - 1, max(2, height // GRID + 1))
        places = self.move_back(np.stack(np.meshgrid(x, y), axis=2).reshape(-1, 2))
        coarse: np.ndarray = places.reshape(len(y), len(x), 2).astype(np.float32)
        # In a reduced image no pixel is passed over.
        steps = int(max(1, np.floor(1 / max(self.scale, 1e-3))))
        if steps > 1:
            size = max(1, pixels.shape[1] // steps), max(1, pixels.shape[0] // steps)
            pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
            coarse = ((coarse + 0.5) / steps - 0.5).astype(np.float32)
        fine = _spread(coarse, (width, height))
        border = (fill,) * 3
        seen: np.ndarray = cv2.remap(
            pixels, fine[..., 0], fine[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=border
        )
        return seen


def _apply(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    projected = points @ matrix[:, :2].T + matrix[:, 2]
    result: np.ndarray = projected[:, :2] / projected[:, 2:]
    return result


def _spread(coarse: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return places that were computed at the corners of a grid, (rows, columns, 2), for each pixel of `size`."""
    columns = np.linspace(0, coarse.shape[1] - 1, size[0], dtype=np.float32)
    rows = np.linspace(0, coarse.shape[0] - 1, size[1], dtype=np.float32)
    grid = np.broadcast_to(columns, (size[1], size[0])), np.broadcast_to(rows[:, None], (size[1], size[0]))
    spread: np.ndarray = cv2.remap(
        coarse, np.ascontiguousarray(grid[0]), np.ascontiguousarray(grid[1]), cv2.INTER_LINEAR
    )
    return spread
