"""Pages with exact truth on which finders of lines are known to fail: what users of other programs report.

Each is drawn, and every line of its truth must be found once and whole.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from uncial.data.synthetic.layouts.blocks import UPRIGHT, Area, Block, BlockLine, PageStyle, Piece, place_line
from uncial.data.synthetic.layouts.page import draw_piece
from uncial.data.synthetic.layouts.runs import RunPlan, write_run
from uncial.data.synthetic.layouts.scribes import ColumnScribe, PenScribe, make_hebrew_scribe
from uncial.data.synthetic.layouts.specials import write_turned
from uncial.data.synthetic.layouts.tables import write_table
from uncial.data.synthetic.options import LAYOUTS, DrawingOptions
from uncial.data.synthetic.page import DrawnPage
from uncial.data.synthetic.writing import draw_hand

OPTIONS = DrawingOptions(layouts=LAYOUTS, size=(20, 20), curvature=(0, 0), waviness=(0.01, 0.03), skew=(0, 0), seed=7)
SIZE, PITCH = 20.0, 24.0
WORDS = "et in terra pax hominibus bonae voluntatis gloria laus honor regem caelestem deus pater omnipotens agnus dei"
HAND = draw_hand(0, OPTIONS)
SCRIBE = PenScribe(HAND, tuple(WORDS.split()))
STYLE = PageStyle(0.0, OPTIONS)
PLAN = RunPlan(SCRIBE, SIZE, PITCH, STYLE, justified=True)
GAP = 4.0
"""Width of a wide gap, in distances of lines."""


def draw(*pieces: Piece) -> DrawnPage:
    """The pieces on one sheet."""
    blocks = tuple(block for piece in pieces for block in piece.blocks)
    strokes = tuple(stroke for piece in pieces for stroke in piece.strokes)
    return draw_piece(0, Piece(blocks, strokes), HAND, OPTIONS, np.random.default_rng(0))


def write(text: str, x: float, row: float, size: float = SIZE) -> BlockLine:
    """A line of this text that begins at `x`, in a row of the page."""
    rng = np.random.default_rng(len(text))
    return place_line(SCRIBE.write(text, size, rng), (x, row * PITCH), size, STYLE, rng)


def block(*lines: BlockLine, type: str = "MainZone") -> Piece:
    return Piece((Block(type, lines, UPRIGHT),))


def run(left: float, row: float, width: float, rows: int, plan: RunPlan = PLAN) -> Piece:
    """Running text from a row of the page."""
    area = Area(left, row * PITCH, width, rows * plan.pitch)
    return Piece(write_run(area, plan, np.random.default_rng(int(left) + rows)))


def draw_narrow_gutter() -> DrawnPage:
    """Two columns, the gutter as wide as their lines are apart."""
    return draw(run(0, 0, 300, 25), run(300 + PITCH, 0, 300, 25))


def draw_wide_gaps() -> DrawnPage:
    """A line that has a gap of four interlines in it, and below it two that such a gap parts."""
    spaces = " " * round(GAP * PITCH / SCRIBE.measure(" ", SIZE))
    first = write("gloria in excelsis", 0, 2)
    second = write("deo et in terra", first.writing.length + GAP * PITCH, 2)
    return draw(
        block(write(f"gloria in excelsis{spaces}deo et in terra", 0, 0)),
        block(first),
        block(second),
        run(0, 3.3, 500, 4),
    )


def draw_first_and_last() -> DrawnPage:
    """Five lines, the first and the last without a neighbour on one side, and each of other heights."""
    texts = ["nunc", "gloria laus et honor", "pax hominibus", "deus pater omnipotens", "amen"]
    return draw(*(block(write(text, 0, row * 1.2)) for row, text in enumerate(texts)))


def draw_page_number() -> DrawnPage:
    """A number of one character above the text."""
    return draw(block(write("7", 200, -2), type="NumberingZone"), run(0, 0, 400, 12))


def draw_directions() -> DrawnPage:
    """Upright, upside-down and both ways turned blocks, columns of ideographs, and Hebrew."""
    hebrew, columns = replace(PLAN, scribe=make_hebrew_scribe()), replace(PLAN, scribe=ColumnScribe(HAND), pitch=28.0)
    side = 240.0
    turned = [(PLAN, 180.0), (PLAN, 90.0), (PLAN, 270.0), (columns, 90.0)]
    places = [(1, 0), (2, 0), (0, 1), (1, 1)]
    pieces = [
        write_turned(
            Area(column * (side + 40), row * (side + 40), side, side), plan, degrees, np.random.default_rng(column)
        )
        for (plan, degrees), (column, row) in zip(turned, places, strict=True)
    ]
    rows = int(side / PITCH)
    return draw(run(0, 0, side, rows), *pieces, run(2 * (side + 40), (side + 40) / PITCH, side, rows, hebrew))


def draw_many_lines() -> DrawnPage:
    """560 short lines in seven columns."""
    return draw(*(run(column * 150, 0, 118, 80) for column in range(7)))


def draw_degenerate_polygons() -> DrawnPage:
    """Lines whose polygons are none: without points, without area, crossing themselves, or with a point far away."""
    drawn = draw(run(0, 0, 400, 12))
    left, top = drawn.page.lines[0].polygon[0]
    broken = [
        (),
        ((left, top), (left + 50, top)),
        ((left, top), (left, top), (left, top)),
        tuple((x, top + 20) for x in np.linspace(left, left + 300, 20)),
        ((left, top), (left + 300, top + 30), (left + 300, top), (left, top + 30)),
        (*drawn.page.lines[5].polygon[:-1], (9e5, 9e5)),
    ]
    lines = [
        replace(line, polygon=broken[number] if number < len(broken) else line.polygon)
        for number, line in enumerate(drawn.page.lines)
    ]
    return replace(drawn, page=replace(drawn.page, lines=tuple(lines)))


def draw_over_regions() -> DrawnPage:
    """Two columns so near to each other that their lines run on in one another."""
    return draw(run(0, 0, 300, 14), run(314, 0, 300, 14))


def draw_table() -> DrawnPage:
    """A table of several columns with text above and below it."""
    table = write_table(Area(0, 4 * PITCH, 560, 20 * PITCH), replace(PLAN, pitch=0.9 * PITCH), np.random.default_rng(5))
    return draw(run(0, 0, 560, 3), table, run(0, 25.5, 560, 3))


PAGES: dict[str, Callable[[], DrawnPage]] = {
    "narrow_gutter": draw_narrow_gutter,
    "wide_gaps": draw_wide_gaps,
    "first_and_last": draw_first_and_last,
    "page_number": draw_page_number,
    "directions": draw_directions,
    "many_lines": draw_many_lines,
    "degenerate_polygons": draw_degenerate_polygons,
    "over_regions": draw_over_regions,
    "table": draw_table,
}
