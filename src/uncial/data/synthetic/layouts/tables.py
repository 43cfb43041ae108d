"""Tables: cells of one or two lines in columns, with or without rules between them."""

from dataclasses import dataclass

import numpy as np

from uncial.data.synthetic.layouts.blocks import (
    UPRIGHT,
    Area,
    Block,
    BlockLine,
    Piece,
    Stroke,
    make_rectangle,
    place_line,
)
from uncial.data.synthetic.layouts.runs import FOOT, RunPlan
from uncial.data.synthetic.layouts.scribes import Scribe, fill_line
from uncial.data.synthetic.layouts.writings import Writing

MIN_COLUMN = 4.0
"""Width of the narrowest column, in sizes of the writing."""


@dataclass(frozen=True)
class Grid:
    """`edges` are the left and right ends of the columns in pixels, `kinds` says of each whether it holds numbers."""

    edges: np.ndarray
    has_numbers: tuple[bool, ...]
    row_height: float
    rows: int
    lines: int


def write_table(area: Area, plan: RunPlan, rng: np.random.Generator) -> Piece:
    """Return a table that fills the width of the area and, row by row, its height; nothing where no row fits."""
    grid = _plan_grid(area, plan, rng)
    lines = []
    for row in range(grid.rows):
        for column in _list_columns(grid, plan.scribe):
            lines += _write_cell(area, plan, grid, row, column, rng)
    if not lines:
        return Piece()
    bottom = area.top + grid.rows * grid.row_height
    corners = make_rectangle(area.left, area.top, area.left + area.width, bottom)
    block = Block("TableZone", tuple(lines), UPRIGHT, plan.scribe.direction, corners)
    return Piece((block,), tuple(_draw_rules(area, grid, rng)))


def _plan_grid(area: Area, plan: RunPlan, rng: np.random.Generator) -> Grid:
    most = int(np.clip(area.width / (MIN_COLUMN * plan.size), 1, 7))
    count = int(rng.integers(min(2, most), most + 1))
    shares = rng.uniform(1.0, 2.2, count)
    edges = area.left + area.width * np.concatenate([[0.0], np.cumsum(shares) / shares.sum()])
    lines = 2 if rng.random() < 0.2 else 1
    row_height = plan.pitch * rng.uniform(0.9, 1.4) * lines
    numbers = tuple(bool(n and rng.random() < 0.5) for n in range(count))
    return Grid(edges, numbers, row_height, int(area.height / row_height + 1e-6), lines)


def _list_columns(grid: Grid, scribe: Scribe) -> list[int]:
    columns = list(range(len(grid.has_numbers)))
    return columns[::-1] if scribe.direction == "rtl" else columns


def _write_cell(
    area: Area, plan: RunPlan, grid: Grid, row: int, column: int, rng: np.random.Generator
) -> list[BlockLine]:
    if rng.random() < 0.08:
        return []
    padding = 0.35 * plan.size
    left, width = grid.edges[column] + padding, grid.edges[column + 1] - grid.edges[column] - 2 * padding
    line_height = grid.row_height / grid.lines
    found = []
    for number in range(1 if grid.has_numbers[column] or rng.random() < 0.4 else grid.lines):
        written = _write_entry(plan, width, grid.has_numbers[column] and row > 0, rng)
        if written is None:
            break
        right = grid.has_numbers[column] or plan.scribe.direction == "rtl"
        x = left + (width - written.length if right else 0.0)
        y = area.top + row * grid.row_height + (number + FOOT) * line_height
        found.append(place_line(written, (x, y), plan.size, plan.style, rng))
    return found


def _write_entry(plan: RunPlan, width: float, is_number: bool, rng: np.random.Generator) -> Writing | None:
    if not is_number:
        return fill_line(plan.scribe, plan.size, width * rng.uniform(0.35, 1.0), rng)
    for digits in range(int(rng.integers(1, 6)), 0, -1):
        text = str(int(rng.integers(10 ** (digits - 1), 10**digits)))
        if plan.scribe.measure(text, plan.size) <= width:
            return plan.scribe.write(text, plan.size, rng)
    return None


def _draw_rules(area: Area, grid: Grid, rng: np.random.Generator) -> list[Stroke]:
    """Return the rules of the table: none, those between the columns, those under the head, or all."""
    kind = int(rng.integers(4))
    darkness, width = rng.uniform(0.25, 0.9), rng.uniform(0.8, 2.0)
    bottom, right = area.top + grid.rows * grid.row_height, area.left + area.width
    heights = area.top + np.arange(grid.rows + 1) * grid.row_height
    down = [np.array([[x, area.top], [x, bottom]]) for x in grid.edges]
    across = [np.array([[area.left, y], [right, y]]) for y in heights]
    chosen = {0: [], 1: down[1:-1], 2: [*down[1:-1], *across[:2], across[-1]], 3: [*down, *across]}[kind]
    return [Stroke(points, width, darkness) for points in chosen]
