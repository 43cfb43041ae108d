"""Running text: lines one below the other in an area, with initials, headings and notes between the lines."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from uncial.data.synthetic.layouts.blocks import (
    UPRIGHT,
    Area,
    Block,
    BlockLine,
    PageStyle,
    find_bounds,
    make_rectangle,
    outline_line,
    place_line,
    place_line_along,
)
from uncial.data.synthetic.layouts.scribes import Scribe, fill_line
from uncial.data.synthetic.layouts.writings import Writing

FOOT = 0.72
"""Where in a row its baseline lies, from its top."""

RUBRIC = 1
"""The number of the ink of headings and initials."""

NOTE_SIZE = 0.5
"""Of a note between two lines, in sizes of these."""

MIN_SIZE = 9.0
"""Pixels: small writing is no smaller, unless all of the page is."""


@dataclass(frozen=True)
class RunPlan:
    """How running text is written: `size` and `pitch` (from line to line) in pixels, and what is in it. `least_pitch`
    is that below which no part of the page goes: layout models see all of it at one scale."""

    scribe: Scribe
    size: float
    pitch: float
    style: PageStyle
    type: str = "MainZone"
    justified: bool = False
    initials: bool = False
    headings: bool = False
    notes: bool = False
    least_pitch: float = 0.0

    def resized(self, factor: float, leading: float) -> "RunPlan":
        """Return the plan for writing `factor` times as large, as long as it can be read, the lines `leading` times its
        size apart."""
        size = max(self.size * factor, min(self.size, MIN_SIZE))
        return replace(self, size=size, pitch=max(size * leading, self.least_pitch))


def write_run(
    area: Area, plan: RunPlan, rng: np.random.Generator, texts: Iterator[str] | None = None
) -> tuple[Block, ...]:
    """Return a block of lines that fill the area from its top, and blocks of its initials before it.

    With `texts` these are written, one a line, until they are out. An area in which no line fits has no block.
    """
    rows = int(area.height / plan.pitch + 1e-6)
    lines: list[BlockLine] = []
    initials: list[Initial] = []
    row = 0
    while row < rows:
        count = min(rows - row, int(rng.integers(3, 12)))
        count = rows - row if rows - row - count < 2 else count
        initial = None
        if plan.initials and texts is None and count > 1 and (not row or rng.random() < 0.4):
            initial = _write_initial(area, plan, row, min(count, int(rng.integers(2, 5))), rng)
            initials.append(initial)
        heading = plan.headings and texts is None and initial is None and count > 2 and rng.random() < 0.4
        for number in range(count):
            inset = _find_inset(number, initial, plan, rng)
            found = _write_row(area, plan, row + number, inset, rng, texts, heading and not number, number == count - 1)
            if not found and texts is not None:
                row = rows
                break
            lines += found
        row += count
    if not lines:
        return ()
    letters = tuple(initial.letter for initial in initials)
    run = Block(plan.type, tuple(lines), UPRIGHT, plan.scribe.direction, loose=letters)
    return (*(Block("DropCapitalZone", (), UPRIGHT, corners=_box_letter(letter)) for letter in letters), run)


@dataclass(frozen=True)
class Initial:
    """A letter that is `rows` rows high; lines beside it begin `width` pixels further in."""

    letter: BlockLine
    rows: int
    width: float


def _write_initial(area: Area, plan: RunPlan, row: int, rows: int, rng: np.random.Generator) -> Initial:
    wanted = (rows - 1) * plan.pitch + 0.55 * plan.size
    letter = _draw_letter(plan.scribe, rng)
    first = plan.scribe.write(letter, plan.size, rng)
    size = plan.size * wanted / max(first.extent.up, 1.0)
    written = plan.scribe.write(letter, size, np.random.default_rng(0))
    width = written.extent.right + 0.35 * plan.size
    if width > 0.4 * area.width:
        return _write_initial(area, plan, row, rows - 1, rng) if rows > 2 else _make_small_initial(area, plan, row, rng)
    return _place_initial(area, plan, row, rows, written, rng)


def _make_small_initial(area: Area, plan: RunPlan, row: int, rng: np.random.Generator) -> Initial:
    """In a column too narrow for a higher one: a letter of one row."""
    return _place_initial(area, plan, row, 1, plan.scribe.write(_draw_letter(plan.scribe, rng), plan.size, rng), rng)


def _place_initial(
    area: Area, plan: RunPlan, row: int, rows: int, written: Writing, rng: np.random.Generator
) -> Initial:
    width = written.extent.right + 0.35 * plan.size
    x = area.left + area.width - written.extent.right if plan.scribe.direction == "rtl" else area.left
    y = area.top + (row + rows - 1 + FOOT) * plan.pitch
    line = place_line(written, (x, y), plan.size, plan.style, rng, ink=RUBRIC if rng.random() < 0.7 else 0)
    return Initial(line, rows, width)


def _box_letter(letter: BlockLine) -> np.ndarray:
    return make_rectangle(*find_bounds([outline_line(letter, UPRIGHT)]))


def _draw_letter(scribe: Scribe, rng: np.random.Generator) -> str:
    if scribe.direction == "rtl":
        return scribe.words[int(rng.integers(len(scribe.words)))][0]
    return "ABCDEFGHIKLMNOPQRSTV"[int(rng.integers(20))]


def _find_inset(number: int, initial: Initial | None, plan: RunPlan, rng: np.random.Generator) -> float:
    """Return by how much a line begins further in than its column."""
    if initial is not None:
        return initial.width if number < initial.rows else 0.0
    return 0.9 * plan.size if not number and rng.random() < 0.5 else 0.0


def _write_row(
    area: Area,
    plan: RunPlan,
    row: int,
    inset: float,
    rng: np.random.Generator,
    texts: Iterator[str] | None,
    is_heading: bool,
    is_last: bool,
) -> list[BlockLine]:
    """Return the line of a row, after the note above it if it has one; nothing where no word fits, or none is left."""
    is_rtl = plan.scribe.direction == "rtl"
    width = area.width - inset
    if texts is not None:
        text = next(texts, None)
        written = None if text is None else plan.scribe.write(text, plan.size, rng)
    else:
        share = rng.uniform(0.3, 0.95) if is_last or is_heading else 1.0
        written = fill_line(plan.scribe, plan.size, width * share, rng, justified=plan.justified and share == 1.0)
    if written is None:
        return []
    x = area.left + (0.0 if is_rtl else inset)
    if is_heading:
        x += (width - written.length) / 2
    elif is_rtl:
        x += width - written.length
    else:
        x += 0.12 * plan.style.options.jitter * plan.size * float(np.clip(rng.normal(), -1, 2))
    y = area.top + (row + FOOT) * plan.pitch
    y += plan.pitch * plan.style.options.jitter * float(np.clip(rng.normal(0, 0.03), -0.05, 0.05))
    line = place_line(written, (x, y), plan.size, plan.style, rng, ink=RUBRIC if is_heading else 0)
    note = _write_note(area, plan, y, rng) if plan.notes and row and texts is None and rng.random() < 0.3 else None
    return [line] if note is None else [note, line]


def _write_note(area: Area, plan: RunPlan, y: float, rng: np.random.Generator) -> BlockLine | None:
    """Return a small line above the line on `y`."""
    size = plan.resized(NOTE_SIZE, 1.0).size
    written = fill_line(plan.scribe, size, area.width * rng.uniform(0.15, 0.5), rng)
    if written is None:
        return None
    x = area.left + rng.uniform(0, max(area.width - written.length, 1.0))
    return place_line(written, (x, y - 0.68 * plan.size - 0.4 * size), size, plan.style, rng, tag="InterlinearLine")


def write_curved_run(area: Area, plan: RunPlan, rng: np.random.Generator) -> tuple[Block, ...]:
    """Return a block of lines that are bent alike: an arc or a wave that takes up to a third of the area's height."""
    depth = min(rng.uniform(0.06, 0.16) * area.width, area.height / 3) * (1 if rng.random() < 0.5 else -1)
    u = np.linspace(0, 1, max(int(area.width), 2) + 1)
    course = depth * (4 * u * (1 - u) if rng.random() < 0.6 else 0.5 * np.sin(2 * np.pi * u))
    course -= course.min()
    lines = []
    for row in range(int((area.height - np.ptp(course)) / plan.pitch)):
        written = fill_line(plan.scribe, plan.size, 0.94 * area.width, rng, justified=False)
        if written is None:
            break
        spare = max(area.width - 1.02 * written.length, 0.0)
        start = area.left + spare * (1.0 if plan.scribe.direction == "rtl" else rng.uniform(0, 0.3))
        drop = area.top + (row + FOOT) * plan.pitch
        lines.append(place_line_along(written, start, area.left + u * area.width, course, drop))
    return (Block(plan.type, tuple(lines), UPRIGHT, plan.scribe.direction),) if lines else ()
