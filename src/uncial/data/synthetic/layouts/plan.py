"""What stands where on a page: columns of text, tables and other blocks, and what stands round them."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from uncial.data.synthetic.layouts.blocks import Area, Block, PageStyle, Piece, join_pieces
from uncial.data.synthetic.layouts.runs import RunPlan, write_run
from uncial.data.synthetic.layouts.scribes import Scribe
from uncial.data.synthetic.layouts.specials import SPECIALS, write_special
from uncial.data.synthetic.layouts.surroundings import draw_decoration, write_footer, write_header, write_margin
from uncial.data.synthetic.options import DrawingOptions

CHANCES = {
    "columns": 0.6,
    "margins": 0.45,
    "numbers": 0.6,
    "titles": 0.5,
    "initials": 0.45,
    "tables": 0.3,
    "interlinear": 0.25,
    "curved": 0.2,
    "turned": 0.3,
    "vertical": 0.15,
    "right_to_left": 0.12,
    "sizes": 0.4,
    "graphics": 0.5,
    "print": 0.3,
    "blank": 0.04,
}
"""How often a page has what the name says where all of them are asked for."""

NARROW = 0.6
"""A page of n columns has lines n to this power times as short."""

NOTE_ROOM = 1.6
"""How many times further apart lines are that have notes between them."""

LEAST_PITCH = 0.5
"""Distance of the lines of the smallest writing on a page, in those of its main text."""

OTHER_SIZES = (0.65, 0.8, 1.25, 1.5)


@dataclass(frozen=True)
class Scribes:
    """Who writes the columns, the notes beside them, and blocks of ideographs."""

    main: Scribe
    notes: Scribe
    columns: Scribe


def choose_features(layouts: Sequence[str], rng: np.random.Generator) -> frozenset[str]:
    """Return which of the layouts a page has. The fewer are asked for, the more often each of them is there."""
    draws = dict(zip(CHANCES, rng.random(len(CHANCES)), strict=True))
    least = 1 / max(len(layouts), 1)
    chances = {name: CHANCES[name] if name == "blank" else max(CHANCES[name], least) for name in layouts}
    return frozenset(name for name in CHANCES if name in chances and draws[name] < chances[name])


def plan_page(
    features: Collection[str],
    scribes: Scribes,
    options: DrawingOptions,
    rng: np.random.Generator,
    texts: Sequence[str] | None = None,
) -> Piece:
    """Return all that stands on a page, the top left corner of its columns at the origin, in reading order.

    With `texts` these are the lines of its running text, in their order.
    """
    size = float(rng.uniform(*options.size))
    pitch = size * float(rng.uniform(*options.spacing)) * (NOTE_ROOM if "interlinear" in features else 1.0)
    style = PageStyle(float(rng.uniform(*options.curvature)), options)
    plan = RunPlan(
        scribes.main,
        size,
        pitch,
        style,
        justified=bool(rng.random() < 0.6),
        initials="initials" in features,
        headings=bool(rng.random() < 0.3),
        notes="interlinear" in features,
        least_pitch=LEAST_PITCH * pitch,
    )
    columns = _plan_columns(plan, features, options, rng, texts)
    body = Area(0.0, 0.0, columns[-1].left + columns[-1].width, columns[0].height)
    numbered = "numbers" in features
    on_foot = numbered and rng.random() < 0.3
    pieces = [Piece(write_header(body, plan, "titles" in features, numbered and not on_foot, rng))]
    pieces += _fill_columns(columns, plan, features, scribes, rng, texts)
    if "margins" in features:
        pieces += _write_margins(body, replace(plan, scribe=scribes.notes), features, rng)
    if on_foot or (numbered and rng.random() < 0.2):
        pieces.append(Piece(write_footer(body, plan, on_foot, rng)))
    if "graphics" in features:
        pieces.append(Piece((), draw_decoration(body, columns, pitch, rng)))
    return _put_pictures_last(join_pieces(pieces))


def _plan_columns(
    plan: RunPlan,
    features: Collection[str],
    options: DrawingOptions,
    rng: np.random.Generator,
    texts: Sequence[str] | None,
) -> list[Area]:
    """Return the columns in reading order."""
    count = int(rng.choice([2, 3], p=[0.75, 0.25])) if "columns" in features else 1
    rows = int(rng.integers(int(options.lines[0]), int(options.lines[1]) + 1))
    characters = float(rng.uniform(*options.characters)) / count**NARROW
    sample = " ".join(plan.scribe.words[:12])
    width = max(characters, 10.0) * plan.scribe.measure(sample, plan.size) / len(sample)
    if texts is not None:
        rows = -(-len(texts) // count)
        width = max([width, *(1.05 * plan.scribe.measure(text, plan.size) for text in texts)])
    gutter = rng.uniform(1.0, 3.5) * plan.size
    return [Area(number * (width + gutter), 0.0, width, rows * plan.pitch) for number in range(count)]


def _fill_columns(
    columns: Sequence[Area],
    plan: RunPlan,
    features: Collection[str],
    scribes: Scribes,
    rng: np.random.Generator,
    texts: Sequence[str] | None,
) -> list[Piece]:
    specials = [name for name in SPECIALS if name in features and texts is None]
    rng.shuffle(specials)
    places = [int(rng.integers(len(columns))) for _ in specials]
    copy = None if texts is None else iter(texts)
    order = range(len(columns))
    if plan.scribe.direction == "rtl":
        order = order[::-1]
    return [
        _fill_column(
            columns[number],
            [name for name, place in zip(specials, places, strict=True) if place == number],
            plan,
            "sizes" in features,
            scribes,
            rng,
            copy,
        )
        for number in order
    ]


def _fill_column(
    column: Area,
    specials: Sequence[str],
    plan: RunPlan,
    other_sizes: bool,
    scribes: Scribes,
    rng: np.random.Generator,
    texts: Iterator[str] | None,
) -> Piece:
    """Return running text with the specials between its parts, which share the height of the column."""
    # Of a short column every part has two rows at least.
    specials = specials[: max(int(column.height / (2.9 * plan.pitch) - 1) // 2, 0)]
    if len(specials) == 1 and rng.random() < 0.25:
        parts: list[str | None] = [specials[0]]
    else:
        parts = [part for name in specials for part in (None, name)] + [None]
    weights = np.array([rng.uniform(0.6, 1.4) if part is None else rng.uniform(0.7, 1.6) for part in parts])
    gap = 0.9 * plan.pitch
    room = column.height - gap * (len(parts) - 1)
    pieces, top = [], column.top
    for part, height in zip(parts, room * weights / weights.sum(), strict=True):
        area = Area(column.left, top, column.width, float(height))
        own = _change_size(plan, rng) if other_sizes and texts is None and rng.random() < 0.5 else plan
        if part is None:
            pieces.append(Piece(write_run(area, own, rng, texts)))
        else:
            pieces.append(write_special(part, area, own, scribes.columns, rng))
        top += float(height) + gap
    return join_pieces(pieces)


def _change_size(plan: RunPlan, rng: np.random.Generator) -> RunPlan:
    resized = plan.resized(float(rng.choice(OTHER_SIZES)), rng.uniform(0.95, 1.4))
    return replace(resized, notes=False)


def _write_margins(body: Area, plan: RunPlan, features: Collection[str], rng: np.random.Generator) -> list[Piece]:
    on_left = bool(rng.random() < 0.5)
    sides = [on_left, not on_left] if rng.random() < 0.3 else [on_left]
    return [write_margin(body, plan, side, "turned" in features and rng.random() < 0.5, rng) for side in sides]


def _put_pictures_last(piece: Piece) -> Piece:
    """Return the piece with the regions that nobody reads behind all others, as they stand in the file."""
    pictures: list[Block] = [block for block in piece.blocks if block.type == "GraphicZone"]
    return Piece((*(block for block in piece.blocks if block.type != "GraphicZone"), *pictures), piece.strokes)
