"""Lines that are written but not placed yet: their text, how long they are, and how far their ink reaches."""

import functools
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from uncial.data.synthetic.glyphs import split_graphemes
from uncial.data.synthetic.layouts.ideographs import BOX, cut_strokes
from uncial.data.synthetic.layouts.placement import PlacedBaseline, Placement, place_ink
from uncial.data.synthetic.line_ink import MIN_STROKE, Baseline, LineInk, ink_line
from uncial.data.synthetic.typeface import SetLine, lay_line
from uncial.data.synthetic.writing import Hand, PenPath, write_line

Array = NDArray[np.float64]

VARIANTS = 3
"""Shapes of each letter of a hand."""

COLUMN_FOOT = 0.25
"""Of an ideograph in a column: the share of its width that lies left of the column's baseline."""


@dataclass(frozen=True)
class Extent:
    """How far ink reaches: from `left` to `right` along the baseline, counted from its start; `up` above it and `down`
    below it. Pixels."""

    left: float
    right: float
    up: float
    down: float


class Writing(Protocol):
    """A line that is written but not placed yet; `length` is that of its baseline in pixels."""

    @property
    def text(self) -> str: ...
    @property
    def length(self) -> float: ...
    @property
    def extent(self) -> Extent: ...

    def ink(self, baseline: Baseline, placement: Placement) -> LineInk:
        """Return the line's ink on the sheet, along a baseline of a block that is placed there."""


@dataclass(frozen=True)
class PenWriting:
    """A line in strokes, `scale` pixels a font unit."""

    text: str
    path: PenPath
    scale: float

    @property
    def length(self) -> float:
        return max(self.path.length * self.scale, 2.0)

    @property
    def extent(self) -> Extent:
        if not len(self.path.start):
            return Extent(0.0, 0.0, 0.0, 0.0)
        half = np.maximum(self.path.thickness * self.scale, MIN_STROKE)[:, None] / 2 + 0.25
        points = np.stack([self.path.start, self.path.end]) * self.scale
        low, high = (points - half).min(axis=(0, 1)), (points + half).max(axis=(0, 1))
        return Extent(float(low[0]), float(high[0]), float(high[1]), float(-low[1]))

    def ink(self, baseline: Baseline, placement: Placement) -> LineInk:
        return ink_line(self.path, PlacedBaseline(baseline, placement), self.scale)


@dataclass(frozen=True)
class TypeWriting:
    """A line of type."""

    text: str
    line: SetLine

    @property
    def length(self) -> float:
        return max(self.line.length, 2.0)

    @property
    def extent(self) -> Extent:
        rows = np.flatnonzero(self.line.coverage.any(axis=1))
        columns = np.flatnonzero(self.line.coverage.any(axis=0))
        if not len(rows):
            return Extent(0.0, 0.0, 0.0, 0.0)
        row, column = self.line.baseline_row, self.line.start_column
        # Half a pixel more: the line is resampled when it is laid along its baseline.
        return Extent(
            float(columns[0] - column) - 0.5,
            float(columns[-1] + 1 - column) + 0.5,
            float(row - rows[0]) + 0.5,
            float(rows[-1] + 1 - row) + 0.5,
        )

    def ink(self, baseline: Baseline, placement: Placement) -> LineInk:
        return place_ink(lay_line(self.line, baseline, 0.0, np.random.default_rng(0)), placement)


def write_with_pen(text: str, hand: Hand, size: float, rng: np.random.Generator, word_space: float = 1.0) -> PenWriting:
    """Return the text in a hand, `size` pixels from ascender to descender, spaces `word_space` times as wide.

    Each letter is one of few shapes that the hand has for it: pages are written much faster than with `write_line`,
    whose every letter is another. Raises `KeyError` for a character that has no strokes.
    """
    letters, offsets, x = [], [], 0.0
    for part, variant in zip(split_graphemes(text), rng.integers(VARIANTS, size=len(text)), strict=False):
        if part.isspace():
            x += hand.word_space * word_space
            continue
        letter = _cut_letter(part, hand, int(variant))
        letters.append(letter)
        offsets.append(x)
        x += letter.length
    return PenWriting(text, _join_letters(letters, np.array(offsets), x), size / sum(hand.extent))


def measure_with_pen(text: str, hand: Hand, size: float) -> float:
    """Return about how long the text gets in a hand, in pixels."""
    return _measure_word(text, hand) * size / sum(hand.extent)


@functools.lru_cache(maxsize=16384)
def _measure_word(text: str, hand: Hand) -> float:
    return sum(
        hand.word_space if part.isspace() else _cut_letter(part, hand, 0).length for part in split_graphemes(text)
    )


@functools.lru_cache(maxsize=16384)
def _cut_letter(grapheme: str, hand: Hand, variant: int) -> PenPath:
    path = write_line(grapheme, hand, np.random.default_rng([hand.seed, variant, *map(ord, grapheme)]))
    # Small letters need half of the pieces in which a curve is drawn.
    count = len(path.start) // 2 * 2
    thickness = (path.thickness[0:count:2] + path.thickness[1:count:2]) / 2
    return PenPath(path.start[0:count:2], path.end[1:count:2], thickness, path.length)


def _join_letters(letters: list[PenPath], offsets: Array, length: float) -> PenPath:
    if not letters:
        return PenPath(np.zeros((0, 2)), np.zeros((0, 2)), np.zeros(0), length)
    shift = np.repeat(offsets, [len(letter.start) for letter in letters])[:, None] * [1.0, 0.0]
    return PenPath(
        np.concatenate([letter.start for letter in letters]) + shift,
        np.concatenate([letter.end for letter in letters]) + shift,
        np.concatenate([letter.thickness for letter in letters]),
        length,
    )


def write_column(text: str, hand: Hand, size: float, rng: np.random.Generator) -> PenWriting:
    """Return ideographs one below the other, each in a box of `size` pixels, as a line of a block that is turned by 90
    degrees: along the baseline is down, above it is to the right. Raises `KeyError` for any other character."""
    starts: list[Array] = []
    ends: list[Array] = []
    for number, character in enumerate(text):
        for found, points in zip((starts, ends), cut_strokes(character), strict=True):
            uneven = points + rng.normal(0, 0.25, points.shape)
            found.append(np.stack([(number + 1) * BOX * 1.1 - uneven[:, 1], uneven[:, 0] - COLUMN_FOOT * BOX], axis=1))
    start, end = np.concatenate(starts), np.concatenate(ends)
    thickness = hand.nib * rng.uniform(0.75, 1.0, len(start))
    return PenWriting(text, PenPath(start, end, thickness, len(text) * BOX * 1.1), size / BOX)
