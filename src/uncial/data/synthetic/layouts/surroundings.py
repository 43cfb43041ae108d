"""What stands round the columns of a page: running titles, numbers, notes in the margins, rules and frames."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from uncial.data.synthetic.layouts.blocks import UPRIGHT, Area, Block, Piece, Stroke, make_rectangle, place_line
from uncial.data.synthetic.layouts.runs import RunPlan, write_run
from uncial.data.synthetic.layouts.scribes import fill_line
from uncial.data.synthetic.layouts.specials import write_turned

ROMAN = ((100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))


def write_header(body: Area, plan: RunPlan, titles: bool, number: bool, rng: np.random.Generator) -> tuple[Block, ...]:
    """Return a running title above the body, one for each half perhaps, and a number beside it or above it."""
    blocks: list[Block] = []
    y = body.top - rng.uniform(1.0, 2.2) * plan.pitch
    if titles:
        halves = 2 if rng.random() < 0.25 else 1
        width = body.width / halves
        for half in range(halves):
            size = plan.size * rng.uniform(0.8, 1.3 if halves == 1 else 1.0)
            written = fill_line(plan.scribe, size, width * rng.uniform(0.25, 0.6), rng)
            if written is not None:
                x = body.left + half * width + (width - written.length) / 2
                line = place_line(written, (x, y), size, plan.style, rng, ink=int(rng.random() < 0.3))
                blocks.append(Block("RunningTitleZone", (line,), UPRIGHT, plan.scribe.direction))
    if number:
        size = plan.size * rng.uniform(0.7, 1.1)
        written = plan.scribe.write(_draw_number(plan, rng), size, rng)
        x = body.left if rng.random() < 0.4 else body.left + body.width - written.length
        if blocks and (rng.random() < 0.2 or _is_near(blocks, x, x + written.length, plan.size)):
            y -= 1.6 * plan.pitch
        blocks.append(Block("NumberingZone", (place_line(written, (x, y), size, plan.style, rng),), UPRIGHT))
    return tuple(blocks)


def _is_near(blocks: Sequence[Block], left: float, right: float, distance: float) -> bool:
    """Return whether the lines of the blocks come near a stretch from `left` to `right`."""
    ends = [(line.baseline.x[0], line.baseline.x[-1]) for block in blocks for line in block.lines]
    return any(first < right + distance and last > left - distance for first, last in ends)


def write_footer(body: Area, plan: RunPlan, number: bool, rng: np.random.Generator) -> tuple[Block, ...]:
    """Return a number below the body, or the signature of a quire."""
    size = plan.size * rng.uniform(0.7, 1.0)
    text = _draw_number(plan, rng) if number else f"{'ABCDEFGH'[int(rng.integers(8))]}{int(rng.integers(1, 5))}"
    written = plan.scribe.write(text, size, rng)
    x = body.left + (body.width - written.length) * (0.5 if number else rng.uniform(0.5, 1.0))
    y = body.top + body.height + rng.uniform(1.2, 2.0) * plan.pitch
    line = place_line(written, (x, y), size, plan.style, rng)
    return (Block("NumberingZone" if number else "QuireMarksZone", (line,), UPRIGHT),)


def _draw_number(plan: RunPlan, rng: np.random.Generator) -> str:
    value = int(rng.integers(1, 10 ** int(rng.integers(1, 4))))
    if plan.scribe.direction == "rtl" or rng.random() < 0.75:
        return str(value)
    text, value = "", value % 300 + 1
    for worth, letters in ROMAN:
        text += letters * (value // worth)
        value %= worth
    return text


def write_margin(body: Area, plan: RunPlan, on_left: bool, turned: bool, rng: np.random.Generator) -> Piece:
    """Return notes beside the body, from top to bottom; or one that is turned and runs along it."""
    small = plan.resized(rng.uniform(0.55, 0.9), rng.uniform(0.95, 1.3))
    small = replace(small, type="MarginTextZone", initials=False, headings=False, notes=False, justified=False)
    gap, width = rng.uniform(0.9, 2.0) * plan.size, rng.uniform(4.0, 9.0) * small.size
    if turned:
        width = rng.uniform(1, 3.5) * small.pitch
    left = body.left - gap - width if on_left else body.left + body.width + gap
    if turned:
        height = body.height * rng.uniform(0.4, 0.95)
        area = Area(left, body.top + rng.uniform(0, body.height - height), width, height)
        return write_turned(area, small, float(rng.choice([90, 270])), rng)
    blocks: list[Block] = []
    y = body.top + rng.uniform(0, 0.3) * body.height
    for _ in range(int(rng.integers(1, 5))):
        height = int(rng.integers(1, 7)) * small.pitch
        if y + height > body.top + body.height:
            break
        blocks += write_run(Area(left, y, width, height), small, rng)
        y += height + rng.uniform(0.8, 8.0) * plan.pitch
    return Piece(tuple(blocks))


def draw_decoration(body: Area, columns: list[Area], pitch: float, rng: np.random.Generator) -> tuple[Stroke, ...]:
    """Return rules, frames and flourishes: what is no writing and belongs to no region."""
    strokes: list[Stroke] = []
    right, bottom = body.left + body.width, body.top + body.height
    darkness = float(rng.choice([rng.uniform(0.08, 0.2), rng.uniform(0.3, 0.9)]))
    width = rng.uniform(0.8, 2.2)
    away = rng.uniform(0.3, 0.6) * pitch
    frame, between, bounds, header, flourish = rng.random(5) < [0.2, 0.35, 0.25, 0.25, 0.25]
    if frame:
        corners = make_rectangle(body.left - away, body.top - away, right + away, bottom + away)
        strokes.append(Stroke(np.concatenate([corners, corners[:1]]), width, darkness))
    if between:
        for one, other in pairwise(columns):
            x = (one.left + one.width + other.left) / 2
            strokes.append(Stroke(np.array([[x, body.top], [x, bottom]]), width, darkness))
    if bounds:  # Ruled with a point or lead before the page was written.
        faint = rng.uniform(0.06, 0.2)
        for column in columns:
            for x in (column.left - 0.2 * pitch, column.left + column.width + 0.2 * pitch):
                strokes.append(Stroke(np.array([[x, body.top - 2 * pitch], [x, bottom + 2 * pitch]]), 1.0, faint))
    if header:
        y = body.top - away
        strokes.append(Stroke(np.array([[body.left, y], [right, y]]), width, darkness))
    if flourish:
        along = np.linspace(0, rng.uniform(2, 6) * pitch, 40)
        wave = bottom + rng.uniform(0.6, 1.0) * pitch + 0.25 * pitch * np.sin(along * rng.uniform(0.6, 1.4) * 6 / pitch)
        strokes.append(Stroke(np.stack([body.left + 0.2 * body.width + along, wave], 1), width, rng.uniform(0.3, 0.8)))
    return tuple(strokes)
