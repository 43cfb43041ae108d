"""Drawing one page: image and ground truth from its number, the options and, if given, its texts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from uncial.data.synthetic.glyphs import find_undrawable
from uncial.data.synthetic.layout import Plan, PlannedLine, place_lines, plan_page
from uncial.data.synthetic.line_ink import Baseline, LineInk, ink_line, make_baseline, trace_outlines
from uncial.data.synthetic.options import DrawingOptions
from uncial.data.synthetic.paper import blend_ink, draw_paper, draw_show_through, spread_ink, take_photograph
from uncial.data.synthetic.text import generate_lines, with_long_s
from uncial.data.synthetic.typeface import SetLine, find_missing_characters, lay_line, select_fonts, set_line
from uncial.data.synthetic.writing import Hand, PenPath, draw_hand, write_line
from uncial.document import ImageSource, Page, Point, Region, TextLine
from uncial.text.rules import TextRules, find_mixed_direction

_PAGE_STREAM = 2
_LANGUAGES = {"latin": "Latin", "german": "German", "french": "French", "norwegian": "Norwegian", "spanish": "Spanish"}
_ITALIC = 0.25
_BOLD = 1.45


@dataclass(frozen=True)
class DrawnPage:
    """A page and the truth about it.

    `image` is (height, width, 3) RGB or (height, width) grey, uint8; `page` has exact baselines; `inks` holds the ink
    of each of its lines, in the same order.
    """

    image: NDArray[np.uint8]
    page: Page
    inks: tuple[LineInk, ...]


def draw_page(
    number: int, options: DrawingOptions, texts: Sequence[str] | None = None, fonts: Sequence[Path] = ()
) -> DrawnPage:
    """Page `number` of the set: the same pixels for the same number, options, texts and fonts.

    Without `texts` they are generated. With `fonts` (of which one must have all characters of a line) the page is set
    in one of them instead of written in strokes. Raises `KeyError` for a character without strokes, see `undrawable`.
    """
    rng = np.random.default_rng([options.seed, _PAGE_STREAM, number])
    hand = draw_hand(number % options.hands, options)
    font = fonts[number % options.hands % len(fonts)] if fonts else None
    language = options.languages[int(rng.integers(len(options.languages)))]
    own_text = texts is None
    if texts is None:
        texts = _generate_texts(language, options, rng, font, hand)
    fonts = () if font is None else (font, *fonts)
    numbered = font is None or not find_missing_characters(font, "0123456789")
    plan = plan_page(
        texts,
        options,
        rng,
        long_s=lambda line: hand.long_s and _has_long_s(line, fonts),
        furniture=own_text and numbered,
    )
    size = float(rng.uniform(*options.size))
    baselines, inks = _write(plan, hand, fonts, size, options, rng)
    height, width, inks, baselines = _place_on_sheet(inks, baselines, size, rng)
    ink = spread_ink(height, width, inks, hand, options.fading, rng)
    paper = draw_paper(height, width, np.array([b.y.mean() for b in baselines]), options, rng)
    paper = draw_show_through(paper, ink, options, rng)
    image = take_photograph(blend_ink(paper, ink, hand.ink), options, rng)
    shapes = trace_outlines(inks, baselines, height, width, body=0.3 * size, margin=max(2.0, 0.07 * size))
    truth = _make_truth(
        number, plan, shapes, baselines, (height, width), _LANGUAGES[language] if own_text else None, options
    )
    return DrawnPage(image, truth, tuple(inks))


def _generate_texts(
    language: str, options: DrawingOptions, rng: np.random.Generator, font: Path | None, hand: Hand
) -> list[str]:
    count = int(rng.integers(int(options.lines[0]), int(options.lines[1]) + 1))
    length = int(rng.integers(int(options.characters[0]), int(options.characters[1]) + 1))
    if font is not None:
        return generate_lines(
            language, count, length, rng, lambda word: not find_missing_characters(font, word + word.upper())
        )
    return generate_lines(language, count, length, rng, lambda word: not find_undrawable(word, hand.face))


def _write(
    plan: Plan,
    hand: Hand,
    fonts: Sequence[Path],
    size: float,
    options: DrawingOptions,
    rng: np.random.Generator,
) -> tuple[list[Baseline], list[LineInk]]:
    """Return the baselines and the ink of the plan's lines; the origin is not the page's yet."""
    scale = size / sum(hand.extent)
    if not fonts:
        paths = [_write_with_pen(line, hand, rng) for line in plan.lines]
        baselines = place_lines(plan, [p.length * scale for p in paths], size, options, rng)
        weights = [_BOLD if line.bold else 1.0 for line in plan.lines]
        inks = [ink_line(p, b, scale, w) for p, b, w in zip(paths, baselines, weights, strict=True)]
        return baselines, inks
    rules = TextRules(direction="auto", mixed=find_mixed_direction(line.text for line in plan.lines))
    lines = [_set_in_type(line, fonts, size, rules.base(line.text) or "L") for line in plan.lines]
    baselines = place_lines(plan, [max(t.length, 2.0) for t in lines], size, options, rng)
    inks = [lay_line(t, b, 0.012 * size * options.jitter, rng) for t, b in zip(lines, baselines, strict=True)]
    return baselines, inks


def _write_with_pen(line: PlannedLine, hand: Hand, rng: np.random.Generator) -> PenPath:
    leaning = replace(hand, slant=hand.slant + _ITALIC) if line.italic else hand
    return write_line(line.text, leaning, rng, underline=line.underline)


def _set_in_type(line: PlannedLine, fonts: Sequence[Path], size: float, base: str) -> SetLine:
    font = select_fonts(fonts, line.text)[0]
    return set_line(
        line.text,
        font,
        max(round(size / 1.2), 1),
        base=base,
        italic=line.italic,
        bold=line.bold,
        underline=line.underline,
    )


def _has_long_s(line: str, fonts: Sequence[Path]) -> bool:
    """Return whether the font that sets the line has the letter; the strokes have it."""
    return not fonts or not find_missing_characters(select_fonts(fonts, line)[0], with_long_s(line))


def _place_on_sheet(
    inks: list[LineInk], baselines: list[Baseline], size: float, rng: np.random.Generator
) -> tuple[int, int, list[LineInk], list[Baseline]]:
    """Return a sheet round the writing with uneven margins, and the lines moved onto it."""
    left, top = min(i.left for i in inks), min(i.top for i in inks)
    right = max(i.left + i.coverage.shape[1] for i in inks)
    bottom = max(i.top + i.coverage.shape[0] for i in inks)
    margins = np.round(rng.uniform([0.6, 0.6, 0.4, 0.6], [2.0, 1.4, 1.2, 1.8]) * size).astype(int)
    dx, dy = int(margins[0]) - left, int(margins[1]) - top
    height, width = bottom + dy + int(margins[3]), right + dx + int(margins[2])
    moved = [LineInk(i.left + dx, i.top + dy, i.coverage) for i in inks]
    return height, width, moved, [make_baseline(b.x + dx, b.y + dy) for b in baselines]


def _make_truth(
    number: int,
    plan: Plan,
    shapes: list[tuple[Point, ...]],
    baselines: list[Baseline],
    size: tuple[int, int],
    language: str | None,
    options: DrawingOptions,
) -> Page:
    name = format_page_name(number)
    lines = tuple(
        TextLine(
            id=f"r{line.region + 1}l{k + 1}",
            page_id=f"page/{name}",
            polygon=shape,
            baseline=curve.points(),
            text=line.text,
            region_id=f"r{line.region + 1}",
            language=language,
        )
        for k, (line, shape, curve) in enumerate(zip(plan.lines, shapes, baselines, strict=True))
    )
    regions = tuple(
        Region(
            f"r{n + 1}",
            kind,
            _find_bounding_points([p for line in lines if line.region_id == f"r{n + 1}" for p in line.polygon]),
            n,
        )
        for n, kind in enumerate(plan.regions)
    )
    hand = f"hand_{number % options.hands + 1:02d}"
    source = Path("page") / f"{name}.xml"
    return Page(
        id=f"page/{name}",
        source=source,
        image=ImageSource(Path(f"{name}.{options.image}")),
        width=size[1],
        height=size[0],
        regions=regions,
        lines=lines,
        document=hand,
        hand=hand,
    )


def format_page_name(number: int) -> str:
    """Return the file name, without suffix, of page `number`, counted from 0."""
    return f"drawn_{number + 1:04d}"


def _find_bounding_points(points: list[Point]) -> tuple[Point, ...]:
    x, y = [p[0] for p in points], [p[1] for p in points]
    return ((min(x), min(y)), (max(x), min(y)), (max(x), max(y)), (min(x), max(y)))
