"""Blocks of a page: lines that are placed upright in a frame of their own, which is then placed on the sheet."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from uncial.data.synthetic.layouts.placement import PlacedBaseline, Placement
from uncial.data.synthetic.layouts.writings import Writing
from uncial.data.synthetic.line_ink import Baseline, draw_baseline, make_baseline
from uncial.data.synthetic.options import DrawingOptions

Array = NDArray[np.float64]

MARGIN = 1.5
"""Pixels by which the polygon of a line goes round its ink: coordinates are rounded to whole ones."""

MIN_RATIO = 1.7
"""How much higher above its baseline than below it a turned line is said to be at least: by that readers know which
side of an upside-down line is up."""


UPRIGHT = Placement(0.0, 0.0)


@dataclass(frozen=True)
class BlockLine:
    """A written line on its baseline; `tag` is the structure type that its file states, `ink` the number of the ink
    that it is written in."""

    writing: Writing
    baseline: Baseline
    tag: str | None = None
    ink: int = 0


@dataclass(frozen=True)
class Block:
    """Lines in reading order that make a region of a type. `corners` (N, 2) is the region's outline in the block's
    frame; without it, the region is the box around its lines. `loose` are lines that are drawn but are no lines of the
    truth: initials."""

    type: str
    lines: tuple[BlockLine, ...]
    placement: Placement
    direction: str | None = None
    corners: Array | None = None
    loose: tuple[BlockLine, ...] = ()

    def within(self, outer: Placement) -> "Block":
        """Return the block on a sheet that is itself placed by `outer`."""
        return replace(self, placement=self.placement.within(outer))


@dataclass(frozen=True)
class PageStyle:
    """How uneven the lines of a page are: the height of a line's arc as a fraction of its length, and the options."""

    bow: float
    options: DrawingOptions


def place_line(
    writing: Writing,
    start: tuple[float, float],
    size: float,
    style: PageStyle,
    rng: np.random.Generator,
    tag: str | None = None,
    ink: int = 0,
) -> BlockLine:
    """Return the line on a baseline from `start`, as straight as the page's style says."""
    waves = []
    for wavelength in rng.uniform([4.5, 9], [9, 18]) * size:
        amplitude = 0.5 * size * rng.uniform(*style.options.waviness) * rng.uniform(0.5, 1)
        waves += [amplitude, wavelength, rng.uniform(0, 2 * np.pi)]
    slope = 0.003 * style.options.jitter * float(np.clip(rng.normal(), -2, 2))
    bow = style.bow * writing.length
    return BlockLine(writing, draw_baseline(start, writing.length, slope, bow, tuple(waves)), tag, ink)


def place_line_along(
    writing: Writing, start: float, course_x: Array, course_y: Array, drop: float, ink: int = 0
) -> BlockLine:
    """Return the line on a part of a curve that begins at x = `start`, moved down by `drop`."""
    x = start + np.arange(int(np.ceil(writing.length)) + 1, dtype=np.float64)
    # As long along the curve as the writing is.
    baseline = make_baseline(x, np.interp(x, course_x, course_y) + drop).until(writing.length)
    return BlockLine(writing, baseline, None, ink)


def outline_line(line: BlockLine, placement: Placement) -> Array:
    """Return the polygon (N, 2) of a line on the sheet: as far from its baseline everywhere as its ink is anywhere."""
    extent = line.writing.extent
    up, down = extent.up + MARGIN, max(extent.down, 0.0) + MARGIN
    if placement.degrees % 360:
        up = max(up, MIN_RATIO * down)
    first, last = min(extent.left, 0.0) - MARGIN, max(extent.right, line.baseline.length[-1]) + MARGIN
    s = np.linspace(first, last, max(2, round((last - first) / 16) + 1))
    course = PlacedBaseline(line.baseline, placement)
    above, below = (np.stack(course.at(s, np.full_like(s, height)), axis=1) for height in (up, -down))
    return np.concatenate([above, below[::-1]])


def trace_baseline(line: BlockLine, placement: Placement) -> Array:
    """Return the baseline (N, 2) on the sheet, from the left end of the upright writing to the right one."""
    return placement.move(np.array(line.baseline.points()))


def outline_block(block: Block, padding: float) -> Array:
    """Return the region's outline (N, 2) on the sheet."""
    if block.corners is not None:
        return block.placement.move(block.corners)
    points = np.concatenate([outline_line(line, UPRIGHT) for line in (*block.lines, *block.loose)])
    low, high = points.min(axis=0) - padding, points.max(axis=0) + padding
    return block.placement.move(make_rectangle(low[0], low[1], high[0], high[1]))


@dataclass(frozen=True)
class Stroke:
    """What is drawn and no writing: a line through points (N, 2), `width` pixels wide and so dark, from 0 to 1; or an
    area where it is filled."""

    points: Array
    width: float
    darkness: float
    filled: bool = False


@dataclass(frozen=True)
class Piece:
    """What stands in one place of a page, in reading order, and what is drawn there."""

    blocks: tuple[Block, ...] = ()
    strokes: tuple[Stroke, ...] = ()

    def within(self, outer: Placement) -> "Piece":
        """Return the piece on a sheet that is itself placed by `outer`."""
        strokes = tuple(replace(stroke, points=outer.move(stroke.points)) for stroke in self.strokes)
        return Piece(tuple(block.within(outer) for block in self.blocks), strokes)


def join_pieces(pieces: Iterable[Piece]) -> Piece:
    """Return all of them as one, in their order."""
    every = list(pieces)
    return Piece(
        tuple(block for piece in every for block in piece.blocks),
        tuple(stroke for piece in every for stroke in piece.strokes),
    )


@dataclass(frozen=True)
class Area:
    """An upright part of a page, in pixels."""

    left: float
    top: float
    width: float
    height: float

    @property
    def middle(self) -> Array:
        return np.array([self.left + self.width / 2, self.top + self.height / 2])


def make_rectangle(left: float, top: float, right: float, bottom: float) -> Array:
    """Return the corners (4, 2), clockwise from the top left."""
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], dtype=np.float64)


def find_bounds(outlines: Iterable[Array]) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom of all of them together; zeros where there is none."""
    every: Sequence[Array] = list(outlines)
    if not every:
        return 0.0, 0.0, 0.0, 0.0
    points = np.concatenate(every)
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    return float(left), float(top), float(right), float(bottom)
