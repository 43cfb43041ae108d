"""Drawing one page with a layout: image and exact truth from its number and the options, without any file."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from uncial.data.synthetic.layouts.blocks import (
    BlockLine,
    Piece,
    Stroke,
    find_bounds,
    outline_block,
    outline_line,
    trace_baseline,
)
from uncial.data.synthetic.layouts.placement import Placement
from uncial.data.synthetic.layouts.plan import Scribes, choose_features, plan_page
from uncial.data.synthetic.layouts.scribes import (
    PRINT_FONTS,
    ColumnScribe,
    PenScribe,
    Scribe,
    TypeScribe,
    find_print_font,
    make_hebrew_scribe,
    make_pen_scribe,
    make_type_scribe,
)
from uncial.data.synthetic.line_ink import LineInk
from uncial.data.synthetic.options import DrawingOptions
from uncial.data.synthetic.page import DrawnPage, format_page_name
from uncial.data.synthetic.paper import blend_ink, draw_paper, draw_show_through, spread_ink, take_photograph
from uncial.data.synthetic.writing import Hand, draw_hand
from uncial.document import ImageSource, Page, Point, Region, TextLine
from uncial.text.characters import is_right_to_left

_LAYOUT_STREAM = 4
"""Of the random numbers, so that a page with a layout has others than one without."""

PAPER_SCALE = 2
"""How many times smaller the paper is drawn: its clouds and shadows are soft."""

RUBRICS = ((150, 40, 30), (160, 60, 40), (40, 60, 130), (52, 38, 26))
Floats = NDArray[np.float32]


def draw_layout_page(
    number: int, options: DrawingOptions, texts: Sequence[str] | None = None, fonts: Sequence[Path] = ()
) -> DrawnPage:
    """Return page `number` of the set, with what `options.layouts` names: the same for the same number, options, texts
    and fonts.

    The regions of its truth have SegmOnto's types. Each line's polygon is its baseline, offset by as much as its ink
    reaches above and below it. `inks` holds the ink of each line, in the order of `page.lines`.
    """
    rng = np.random.default_rng([options.seed, _LAYOUT_STREAM, number])
    features = choose_features(options.layouts, rng)
    hand = draw_hand(number % options.hands, options)
    scribes = _choose_scribes(number, features, options, fonts, rng, texts)
    piece = Piece() if "blank" in features and texts is None else plan_page(features, scribes, options, rng, texts)
    return draw_piece(number, piece, hand, options, rng)


def draw_piece(number: int, piece: Piece, hand: Hand, options: DrawingOptions, rng: np.random.Generator) -> DrawnPage:
    """Return a sheet with what was planned on it, as askew as the options say, as page `number` of the set."""
    piece = piece.within(Placement(0.0, 0.0, float(rng.uniform(*options.skew))))
    piece, height, width = _place_on_sheet(piece, options, rng)
    lines = [(line, block.placement) for block in piece.blocks for line in block.lines]
    inks = [_crop(line.writing.ink(line.baseline, place), height, width) for line, place in lines]
    image = _draw_image(piece, lines, inks, (height, width), hand, options, rng)
    return DrawnPage(image, _make_truth(number, piece, (height, width), options), tuple(inks))


def _choose_scribes(
    number: int,
    features: frozenset[str],
    options: DrawingOptions,
    fonts: Sequence[Path],
    rng: np.random.Generator,
    texts: Sequence[str] | None,
) -> Scribes:
    language = options.languages[int(rng.integers(len(options.languages)))]
    hand, other = (draw_hand((number + n) % options.hands, options) for n in (0, 1))
    printed = find_print_font(PRINT_FONTS[int(rng.integers(len(PRINT_FONTS)))])
    main: Scribe
    if texts is not None:
        words = tuple(" ".join(texts).split())
        direction = "rtl" if is_right_to_left(" ".join(texts)) else None
        main = (
            TypeScribe(_begin_with_own(number, fonts, options), words, direction) if fonts else PenScribe(hand, words)
        )
        return Scribes(main, main, ColumnScribe(hand))
    if "right_to_left" in features:
        main = make_hebrew_scribe()
    elif fonts or "print" in features:
        main = make_type_scribe(_begin_with_own(number, fonts, options) or (printed,), language, rng)
    else:
        main = make_pen_scribe(hand, language, rng)
    notes = main if fonts or rng.random() < 0.5 else make_pen_scribe(other, language, rng)
    return Scribes(main, notes, ColumnScribe(hand))


def _begin_with_own(number: int, fonts: Sequence[Path], options: DrawingOptions) -> tuple[Path, ...]:
    """Return the fonts, that of the page's hand before all others."""
    return (fonts[number % options.hands % len(fonts)], *fonts) if fonts else ()


def _place_on_sheet(piece: Piece, options: DrawingOptions, rng: np.random.Generator) -> tuple[Piece, int, int]:
    """Return the piece moved onto a sheet with uneven margins, and the height and width of the sheet."""
    size = float(np.mean(options.size))
    outlines = [outline_line(line, block.placement) for block in piece.blocks for line in (*block.lines, *block.loose)]
    outlines += [outline_block(block, 0.0) for block in piece.blocks]
    left, top, right, bottom = find_bounds(outlines)
    if not piece.blocks:
        right, bottom = 0.45 * size * float(np.mean(options.characters)), 1.2 * size * float(np.mean(options.lines))
    margins = rng.uniform([0.5, 0.5, 0.5, 0.5], [3.0, 2.5, 3.0, 3.0]) * size
    height = int(np.ceil(bottom - top + margins[1] + margins[3]))
    width = int(np.ceil(right - left + margins[0] + margins[2]))
    return piece.within(Placement(float(margins[0]) - left, float(margins[1]) - top)), height, width


def _crop(ink: LineInk, height: int, width: int) -> LineInk:
    """Return the part of the ink that lies on the sheet."""
    rows, columns = ink.coverage.shape
    top, left = np.clip(ink.top, 0, height), np.clip(ink.left, 0, width)
    bottom, right = np.clip(ink.top + rows, top, height), np.clip(ink.left + columns, left, width)
    coverage = ink.coverage[top - ink.top : bottom - ink.top, left - ink.left : right - ink.left]
    return LineInk(int(left), int(top), coverage) if coverage.size else LineInk(0, 0, np.zeros((1, 1), np.uint8))


def _draw_image(
    piece: Piece,
    lines: Sequence[tuple[BlockLine, Placement]],
    inks: Sequence[LineInk],
    size: tuple[int, int],
    hand: Hand,
    options: DrawingOptions,
    rng: np.random.Generator,
) -> NDArray[np.uint8]:
    height, width = size
    loose = [(line, block.placement) for block in piece.blocks for line in block.loose]
    drawn = [_crop(line.writing.ink(line.baseline, place), height, width) for line, place in loose]
    every = list(zip([line.ink for line, _ in (*lines, *loose)], [*inks, *drawn], strict=True))
    ink = spread_ink(height, width, [one for number, one in every if not number], hand, options.fading, rng)
    rows = np.array([trace_baseline(line, place)[:, 1].mean() for line, place in lines if not place.degrees % 180])
    small = draw_paper(height // PAPER_SCALE + 1, width // PAPER_SCALE + 1, rows / PAPER_SCALE, options, rng)
    paper = np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.float32)
    paper = draw_show_through(paper, ink, options, rng)
    rubric = RUBRICS[int(rng.integers(len(RUBRICS)))]
    if piece.strokes:
        paper = blend_ink(paper, _draw_strokes(piece.strokes, height, width), RUBRICS[int(rng.integers(len(RUBRICS)))])
    paper = blend_ink(paper, ink, hand.ink)
    if any(number for number, _ in every):
        red = spread_ink(height, width, [one for number, one in every if number], hand, options.fading, rng)
        paper = blend_ink(paper, red, rubric)
    return take_photograph(paper, options, rng)


def _draw_strokes(strokes: Sequence[Stroke], height: int, width: int) -> Floats:
    """Return how dark the strokes make the sheet (height, width), from 0 to 1."""
    layer = np.zeros((height, width), np.uint8)
    for stroke in strokes:
        points = np.round(stroke.points * 16).astype(np.int32).reshape(-1, 1, 2)
        tone = int(255 * stroke.darkness)
        if stroke.filled:
            cv2.fillPoly(layer, [points], tone, cv2.LINE_AA, 4)
        else:
            cv2.polylines(layer, [points], False, tone, max(1, round(stroke.width)), cv2.LINE_AA, 4)
    return layer.astype(np.float32) / np.float32(255)


def _make_truth(number: int, piece: Piece, size: tuple[int, int], options: DrawingOptions) -> Page:
    name = format_page_name(number)
    page_id = f"page/{name}"
    padding = 0.15 * float(np.mean(options.size))
    regions, lines = [], []
    for order, block in enumerate(piece.blocks):
        region_id = f"r{order + 1}"
        regions.append(Region(region_id, block.type, _to_truth(outline_block(block, padding), size), order))
        for count, line in enumerate(block.lines, start=1):
            lines.append(
                TextLine(
                    id=f"{region_id}l{count}",
                    page_id=page_id,
                    polygon=_to_truth(outline_line(line, block.placement), size),
                    baseline=_to_points(trace_baseline(line, block.placement)),
                    text=line.writing.text,
                    region_id=region_id,
                    direction=block.direction,
                    tags=() if line.tag is None else (line.tag,),
                )
            )
    hand = f"hand_{number % options.hands + 1:02d}"
    return Page(
        id=page_id,
        source=Path("page") / f"{name}.xml",
        image=ImageSource(Path(f"{name}.{options.image}")),
        width=size[1],
        height=size[0],
        regions=tuple(regions),
        lines=tuple(lines),
        document=hand,
        hand=hand,
    )


def _to_truth(outline: NDArray[np.float64], size: tuple[int, int]) -> tuple[Point, ...]:
    """Return an outline in whole pixels of the page."""
    return _to_points(np.clip(np.round(outline), 0, [size[1] - 1, size[0] - 1]))


def _to_points(points: NDArray[np.float64]) -> tuple[Point, ...]:
    return tuple((float(x), float(y)) for x, y in points)
