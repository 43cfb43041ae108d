"""Lines set in a TrueType or OpenType font, laid along a curved baseline."""

import functools
import math
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from matplotlib.ft2font import FT2Font
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, features

from uncial.data.synthetic.line_ink import Baseline, LineInk
from uncial.data.synthetic.text import needs_glyph
from uncial.errors import UserError
from uncial.text.characters import RIGHT_TO_LEFT

_SUFFIXES = {".ttf", ".otf", ".ttc"}
_ITALIC = 0.22
_SHOWN = 32
_PLACEHOLDER = 16
"""A glyph that stands for more characters than these is that of no character: Apple's Last Resort font has such."""


@dataclass(frozen=True)
class SetLine:
    """A line of type: `coverage` (h, w) uint8, its baseline's row, its start's column, and its advance in pixels."""

    coverage: NDArray[np.uint8]
    baseline_row: int
    start_column: int
    length: float


def find_fonts(folder: Path) -> tuple[Path, ...]:
    """Return the fonts below `folder` (or the one font that it names), sorted. Raises `UserError` where none is."""
    files = [folder] if folder.is_file() else sorted(p for p in folder.rglob("*") if p.suffix.lower() in _SUFFIXES)
    if not files:
        raise UserError(f"data.options.fonts: no font (.ttf, .otf or .ttc) is found in {folder}.")
    for path in files:
        try:
            read_font_characters(path)
            _load_font(path, _SHOWN)
        except (OSError, RuntimeError, ValueError) as error:
            raise UserError(f"data.options.fonts: {path} cannot be read as a font ({error}); remove it.") from error
    return tuple(files)


@functools.lru_cache(maxsize=256)
def read_font_characters(path: Path) -> frozenset[str]:
    """Return the characters for which the font has a glyph of their own."""
    with path.open("rb") as file:
        file.read(4)  # An unreadable file raises here, as OSError.
    glyphs = FT2Font(str(path)).get_charmap()
    shared = {glyph for glyph, count in Counter(glyphs.values()).items() if count > _PLACEHOLDER}
    return frozenset(chr(code) for code, glyph in glyphs.items() if glyph not in shared)


def find_missing_characters(path: Path, text: str) -> list[str]:
    """Return the characters of `text` that the font lacks or leaves blank, each once, sorted.

    Control and joining characters need no glyph.
    """
    has = read_font_characters(path)
    return sorted(c for c in set(text) if needs_glyph(c) and not (c in has and _leaves_ink(path, c)))


@functools.lru_cache(maxsize=65536)
def _leaves_ink(path: Path, character: str) -> bool:
    """Return whether the glyph has an outline: fonts of handwriting often have empty ones for accented letters."""
    try:
        return _load_font(path, _SHOWN).getmask(character).getbbox() is not None
    except OSError:  # A damaged glyph.
        return False


def select_fonts(fonts: Iterable[Path], text: str) -> list[Path]:
    """Return those of the fonts that have every character of `text`."""
    return [path for path in fonts if not find_missing_characters(path, text)]


def check_fonts(fonts: Sequence[Path], lines: Iterable[str]) -> None:
    """Raise `UserError` for a line that none of the fonts can set, with the characters that are wanting."""
    shapes = features.check("raqm")
    for line in lines:
        if not shapes and any(unicodedata.bidirectional(c) in RIGHT_TO_LEFT for c in line):
            raise UserError(
                f"data.options.text: the line {line!r} runs from right to left, which Pillow sets with the libraries "
                "Raqm and FriBiDi, and they are not found here; install FriBiDi (Debian: apt install libfribidi0)."
            )
        if not select_fonts(fonts, line):
            best = min((find_missing_characters(path, line) for path in fonts), key=len)
            raise UserError(
                f"data.options.fonts: no font there has all characters of the line {line!r} (the best one lacks "
                f"{name_characters(best)}); add a font that has them, or take them out of the text."
            )


def name_characters(characters: Iterable[str]) -> str:
    """Return the characters with their code points, as messages show them."""
    return ", ".join(f"{c} ({' '.join(f'U+{ord(p):04X}' for p in c)})" for c in characters)


@functools.lru_cache(maxsize=64)
def _load_font(path: Path, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(path), size)


@functools.lru_cache(maxsize=16384)
def measure_line(text: str, path: Path, size: int, *, base: str) -> float:
    """Return the advance of the text in pixels, set at `size` pixels an em in a line of the direction `base`."""
    return _load_font(path, size).getlength(text, direction=_choose_direction(base))


def has_bidirectional_setting() -> bool:
    """Return whether Pillow brings letters into the order in which they are seen, for which it needs libraries."""
    return bool(features.check("raqm"))


def _choose_direction(base: str) -> str | None:
    return {"L": "ltr", "R": "rtl"}[base] if has_bidirectional_setting() else None


def set_line(
    text: str, path: Path, size: int, *, base: str, italic: bool = False, bold: bool = False, underline: bool = False
) -> SetLine:
    """Return the text set at `size` pixels an em; italic is sheared, bold thickened, underline drawn below the
    baseline.

    `base` is the line's direction, `L` or `R`: what stands in it the other way is placed by it.
    """
    font = _load_font(path, size)
    weight = max(1, round(size / 40)) if bold else 0
    direction = _choose_direction(base)
    length = font.getlength(text, direction=direction)
    ascent, descent = font.getmetrics()
    pad = size // 2
    # Swashes, stacked marks: letters may reach far beyond the font's own measures.
    left, top, right, bottom = font.getbbox(text, anchor="ls", stroke_width=weight, direction=direction)
    sheared = _ITALIC if italic else 0.0
    column = max(pad, math.ceil(sheared * bottom - left) + 2)
    row = max(pad + ascent, math.ceil(-top) + 2)
    columns = max(int(length) + pad, math.ceil(right - sheared * top) + 2) + column
    image = Image.new("L", (columns, row + max(descent + pad, math.ceil(bottom) + 2)), 0)
    pen = ImageDraw.Draw(image)
    pen.text((column, row), text, fill=255, font=font, anchor="ls", stroke_width=weight, direction=direction)
    if underline:
        below = row + max(2, round(size * 0.08))
        pen.line([(column, below), (column + length, below)], fill=255, width=max(1, round(size / 24)))
    coverage = np.asarray(image, dtype=np.uint8)
    if italic:
        shear = np.array([[1, -_ITALIC, _ITALIC * row], [0, 1, 0]])
        coverage = np.asarray(cv2.warpAffine(coverage, shear, coverage.shape[::-1]), dtype=np.uint8)
    return SetLine(coverage, row, column, length)


def lay_line(line: SetLine, baseline: Baseline, jitter: float, rng: np.random.Generator) -> LineInk:
    """Return the line of type bent along the baseline, its letters unsettled by a smooth field of `jitter` pixels."""
    rows, columns = line.coverage.shape
    s = np.linspace(-line.start_column, columns - line.start_column, 64)
    edges = [baseline.at(s, np.full_like(s, h)) for h in (line.baseline_row, line.baseline_row - rows)]
    x, y = np.concatenate([e[0] for e in edges]), np.concatenate([e[1] for e in edges])
    left, top = int(np.floor(x.min())), int(np.floor(y.min()))
    grid_y, grid_x = np.mgrid[top : int(np.ceil(y.max())), left : int(np.ceil(x.max()))].astype(np.float64) + 0.5
    along, height = baseline.coordinates(grid_x, grid_y)
    waves, phases = rng.uniform(0.02, 0.09, 4), rng.uniform(0, 2 * np.pi, 4)
    height = height + jitter * sum(np.sin(along * w + p) for w, p in zip(waves[:2], phases[:2], strict=True))
    along = along + jitter * sum(np.sin(along * w + p) for w, p in zip(waves[2:], phases[2:], strict=True))
    map_x = (along + line.start_column - 0.5).astype(np.float32)
    map_y = (line.baseline_row - height - 0.5).astype(np.float32)
    coverage = cv2.remap(line.coverage, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0)
    return _crop_ink(LineInk(left, top, np.asarray(coverage, dtype=np.uint8)))


def _crop_ink(ink: LineInk) -> LineInk:
    rows, columns = np.flatnonzero(ink.coverage.any(axis=1)), np.flatnonzero(ink.coverage.any(axis=0))
    if not len(rows):
        return LineInk(0, 0, np.zeros((1, 1), np.uint8))
    part = ink.coverage[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return LineInk(ink.left + int(columns[0]), ink.top + int(rows[0]), np.ascontiguousarray(part))
