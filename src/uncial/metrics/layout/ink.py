"""Whether a found polygon holds the writing of its line, and how much of its neighbours' it takes in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from uncial.document import Page
from uncial.metrics.layout.areas import Polygon, fill_polygon
from uncial.metrics.layout.line_matches import LineMatches

MAX_LOST, MAX_TAKEN = 0.05, 0.1
"""The shares of the line's own ink that is lost, and of a neighbour's that is taken in, beyond which a polygon is
poor."""


@dataclass(frozen=True, slots=True)
class LineInk:
    """Of a line of the truth that was found: the share of its ink that the found polygon does not hold, and the largest
    share of another line's ink that it holds without being the line's own.
    """

    lost: float
    taken: float

    @property
    def is_lost(self) -> bool:
        """Whether so much of its ink is lost that the polygon is poor."""
        return self.lost > MAX_LOST

    @property
    def is_taken(self) -> bool:
        """Whether so much of another line's ink is taken in that the polygon is poor."""
        return self.taken > MAX_TAKEN


def measure_page_ink(
    ink: np.ndarray, scale: tuple[float, float], truth: Page, found: Page, matches: LineMatches
) -> dict[int, LineInk]:
    """Return what became of the ink of those lines of a page that were found one by one, intact or in part; split,
    merged and missed ones are told as such. By their position in the truth; lines whose polygon the truth does not
    state are left out.

    `ink` is as in `measure_ink`, `scale` (x, y) its pixels for one unit of the pages' coordinates.
    """
    own, others = (
        [np.asarray(line.polygon, dtype=np.float64).reshape(-1, 2) * scale for line in page.lines]
        for page in (truth, found)
    )
    return measure_ink(ink, own, others, matches.one_to_one)


def measure_ink(
    ink: np.ndarray, truth: Sequence[Polygon], found: Sequence[Polygon], pairs: Mapping[int, int]
) -> dict[int, LineInk]:
    """Return what became of the ink of lines, by their position in the truth.

    `ink` (height, width) is true where the page image is dark, `truth` and `found` are polygons in its pixels, and
    `pairs` says by which found one a line of the truth is to be judged. Lines without ink in their polygon are left
    out.
    """
    masks = [_Mask.fill(polygon, ink) for polygon in truth]
    boxes = np.array([mask.box for mask in masks]).reshape(-1, 4)
    result = {}
    for line, other in sorted(pairs.items()):
        own, held = masks[line], _Mask.fill(found[other], ink)
        if not own.count:
            continue
        foreign = held.without(own)
        near = (boxes[:, :2] < foreign.box[2:]).all(axis=1) & (boxes[:, 2:] > foreign.box[:2]).all(axis=1)
        taken = [
            foreign.count_shared(masks[number]) / masks[number].count
            for number in np.flatnonzero(near).tolist()
            if number != line and masks[number].count and foreign.count
        ]
        result[line] = LineInk(1 - held.count_shared(own) / own.count, max(taken, default=0.0))
    return result


def summarise_ink(pages: Sequence[Mapping[int, LineInk]]) -> dict[str, float]:
    """Return the shares of lines that lose more than a twentieth of their ink (`ink_lost`), and that take in more than
    a tenth of another line's (`ink_taken`), of the lines whose ink was measured."""
    lines = [line for page in pages for line in page.values()]
    count = max(1, len(lines))
    return {
        "ink_lost": sum(line.is_lost for line in lines) / count,
        "ink_taken": sum(line.is_taken for line in lines) / count,
    }


@dataclass(frozen=True, slots=True)
class _Mask:
    """The ink within a polygon: `pixels` (height, width) with their `top` and `left` on the page."""

    pixels: np.ndarray
    top: int
    left: int
    count: int

    @property
    def box(self) -> np.ndarray:
        """Its left, top, right and bottom."""
        height, width = self.pixels.shape
        return np.array([self.left, self.top, self.left + width, self.top + height])

    @classmethod
    def fill(cls, polygon: Polygon, ink: np.ndarray) -> "_Mask":
        points = np.asarray(polygon, dtype=np.float64).reshape(-1, 2)
        points = points[np.isfinite(points).all(axis=1)]
        if len(points) < 3:
            return cls(np.zeros((0, 0), dtype=bool), 0, 0, 0)
        limits = ink.shape[::-1]
        left, top = np.clip(np.floor(points.min(axis=0)), 0, limits).astype(int)
        right, bottom = np.clip(np.ceil(points.max(axis=0)), 0, limits).astype(int)
        pixels = np.zeros((bottom - top, right - left), dtype=bool)
        fill_polygon(pixels, points - [left, top])
        pixels &= ink[top:bottom, left:right]
        return cls(pixels, int(top), int(left), int(pixels.sum()))

    def without(self, other: "_Mask") -> "_Mask":
        pixels = self.pixels.copy()
        mine, theirs = self._overlap(other)
        pixels[mine] &= ~other.pixels[theirs]
        return _Mask(pixels, self.top, self.left, int(pixels.sum()))

    def count_shared(self, other: "_Mask") -> int:
        mine, theirs = self._overlap(other)
        return int((self.pixels[mine] & other.pixels[theirs]).sum())

    def _overlap(self, other: "_Mask") -> tuple[tuple[slice, slice], tuple[slice, slice]]:
        """Return the part of the page that both cover, in the pixels of each."""
        top, left = max(self.top, other.top), max(self.left, other.left)
        bottom = max(top, min(self.top + self.pixels.shape[0], other.top + other.pixels.shape[0]))
        right = max(left, min(self.left + self.pixels.shape[1], other.left + other.pixels.shape[1]))
        mine = slice(top - self.top, bottom - self.top), slice(left - self.left, right - self.left)
        return mine, (slice(top - other.top, bottom - other.top), slice(left - other.left, right - other.left))
