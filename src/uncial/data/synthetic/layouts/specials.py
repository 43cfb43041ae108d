"""What may stand in a column beside running text: blocks that are turned, bent, or written in columns, and pictures."""

from dataclasses import replace

import numpy as np

from uncial.data.synthetic.layouts.blocks import UPRIGHT, Area, Block, Piece, Stroke, make_rectangle
from uncial.data.synthetic.layouts.placement import Placement
from uncial.data.synthetic.layouts.runs import RunPlan, write_curved_run, write_run
from uncial.data.synthetic.layouts.scribes import Scribe
from uncial.data.synthetic.layouts.tables import write_table

SPECIALS = ("tables", "curved", "turned", "vertical", "graphics")
"""The names of layouts that `write_special` knows."""


def write_special(name: str, area: Area, plan: RunPlan, column_scribe: Scribe, rng: np.random.Generator) -> Piece:
    """Return what a name of `SPECIALS` stands for, in the area; nothing where it does not fit."""
    plan = replace(plan, initials=False, headings=False, notes=False)
    if plan.pitch > 1.4 * plan.size:  # There is room for notes between the lines of the main text alone.
        plan = plan.resized(1.0, rng.uniform(1.0, 1.3))
    if name == "tables":
        return write_table(area, plan, rng)
    if name == "curved":
        return Piece(write_curved_run(area, plan, rng))
    if name == "turned":
        return write_turned(area, plan, draw_turn(rng), rng)
    if name == "vertical":
        pitch = max(plan.size * rng.uniform(1.2, 1.7), plan.least_pitch)
        columns = replace(plan, scribe=column_scribe, pitch=pitch, justified=False)
        return write_turned(area, columns, 90.0, rng)
    return draw_picture(area, rng)


def draw_turn(rng: np.random.Generator) -> float:
    """Return by how many degrees a block is turned: by quarters mostly."""
    if rng.random() < 0.6:
        return float(rng.choice([90, 180, 270]))
    return float(rng.uniform(8, 60) * (1 if rng.random() < 0.5 else -1))


def write_turned(area: Area, plan: RunPlan, degrees: float, rng: np.random.Generator) -> Piece:
    """Return running text that is turned by `degrees` round the middle of the area, as much of it as fits there."""
    cos, sin = (abs(float(f(np.radians(degrees)))) for f in (np.cos, np.sin))
    for rows in range(int(max(area.width, area.height) / plan.pitch), 0, -1):
        height = rows * plan.pitch
        room = [(area.width - height * sin) / max(cos, 1e-6), (area.height - height * cos) / max(sin, 1e-6)]
        width = min(room)
        if width > 5 * plan.size and (height < 1.3 * width or sin > 0.99 or cos > 0.99):
            inner = Area(0.0, 0.0, width, height)
            turned = Placement(0.0, 0.0, degrees).move(inner.middle[None])[0]
            x, y = (area.middle - turned).tolist()
            place = Placement(x, y, degrees)
            return Piece(write_run(inner, plan, rng)).within(place)
    return Piece()


def draw_picture(area: Area, rng: np.random.Generator) -> Piece:
    """Return a picture: a frame with strokes and blots in it, and no writing."""
    width, height = area.width * rng.uniform(0.4, 0.95), area.height * rng.uniform(0.6, 0.9)
    left = area.left + rng.uniform(0, area.width - width)
    top = area.top + rng.uniform(0, area.height - height)
    corners = make_rectangle(left, top, left + width, top + height)
    inner = Area(left + 0.05 * width, top + 0.05 * height, 0.9 * width, 0.9 * height)
    strokes = [_draw_doodle(inner, rng) for _ in range(int(rng.integers(4, 24)))]
    if rng.random() < 0.7:
        strokes.append(Stroke(np.concatenate([corners, corners[:1]]), rng.uniform(1, 4), rng.uniform(0.3, 0.9)))
    return Piece((Block("GraphicZone", (), UPRIGHT, corners=corners),), tuple(strokes))


def _draw_doodle(area: Area, rng: np.random.Generator) -> Stroke:
    count = int(rng.integers(3, 9))
    knots = rng.uniform([area.left, area.top], [area.left + area.width, area.top + area.height], (count, 2))
    if rng.random() < 0.4:
        angles = np.linspace(0, 2 * np.pi, 24)
        reach = np.minimum(
            knots[0] - [area.left, area.top], [area.left + area.width, area.top + area.height] - knots[0]
        )
        radii = np.minimum(reach, rng.uniform(0.05, 0.3) * min(area.width, area.height))
        knots = knots[0] + radii * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return Stroke(knots, rng.uniform(0.8, 3.5), rng.uniform(0.15, 0.8), filled=bool(rng.random() < 0.25))
