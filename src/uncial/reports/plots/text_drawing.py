"""Setting a line of text in any script as pixels.

Pillow shapes and orders a run of text where it was built with libraqm (its wheels are): Arabic and Syriac letters join,
right-to-left text runs right to left, marks sit on their letters. Where libraqm or FriBiDi is missing, right-to-left
text is put in visual order by whole clusters, without joining. A character that no font has is written as its code
point.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path

import matplotlib
from matplotlib.font_manager import findSystemFonts
from matplotlib.ft2font import FT2Font
from PIL import ImageDraw, ImageFont, features

from uncial.text.bidi import to_display
from uncial.text.characters import format_code_point

MISSING_COLOUR = (176, 84, 0)
UNSETTABLE = ("Cc", "Cs", "Zl", "Zp")
"""Control characters and separators of lines and paragraphs: libraqm sets no text with some of them, and a font that
has them shows nothing. They are written as their code points."""

SMALL = 0.6
"""Size of a code point that stands for a missing glyph, beside that of the text."""


@dataclass(frozen=True, slots=True)
class FontRun:
    """Text that one font sets, or code points in place of what no font has."""

    text: str
    font: ImageFont.FreeTypeFont
    is_missing: bool


class Lettering:
    """Sets text of one size with fonts that cover the given texts as far as the machine has them."""

    def __init__(self, texts: Iterable[str], size: int) -> None:
        fonts = find_fonts(set("…").union(*texts))
        self._fonts = [(ImageFont.truetype(str(path), size), characters) for path, characters in fonts]
        self._small = ImageFont.truetype(str(fonts[0][0]), round(SMALL * size))
        self.row_height = round(1.45 * size)

    def runs(self, text: str) -> list[FontRun]:
        """Return the runs of one row from left to right."""
        runs_left = is_right_to_left(text)
        pieces = [
            (piece, self._font_of(piece)) for cluster in split_clusters(text) for piece in self._coverable(cluster)
        ]
        runs = []
        for number, group in groupby(pieces, key=lambda piece: piece[1]):
            run = [piece for piece, _ in group]
            if number is None:
                runs.append(FontRun(_format_code_points(reversed(run) if runs_left else run), self._small, True))
            else:
                runs.append(FontRun("".join(run), self._fonts[number][0], False))
        return runs[::-1] if runs_left else runs

    def width(self, text: str) -> float:
        """Return the width of one row in pixels."""
        return sum(run.font.getlength(_reorder(run.text)) for run in self.runs(text))

    def draw(self, draw: ImageDraw.ImageDraw, x: float, y: float, text: str, fill: tuple[int, int, int]) -> None:
        """Draw one row with its left end at x and its middle at y."""
        for run in self.runs(text):
            ordered = _reorder(run.text)
            draw.text((x, y), ordered, font=run.font, fill=MISSING_COLOUR if run.is_missing else fill, anchor="lm")
            x += run.font.getlength(ordered)

    def wrap(self, text: str, width: float) -> list[str]:
        """Break a text, in reading order, into rows that are no wider than `width`, at spaces where there are any."""
        rows, row = [], ""
        for piece in _split_breakable(text):
            if row and self.width((row + piece).rstrip()) > width:
                rows.append(row.strip())
                row = ""
            row += piece
            while self.width(row.rstrip()) > width and len(split_clusters(row)) > 1:
                head = self._fitting(row, width)
                rows.append(head)
                row = row[len(head) :]
        return [*rows, row.strip()] if row.strip() or not rows else rows

    def _fitting(self, text: str, width: float) -> str:
        head = ""
        for cluster in split_clusters(text):
            if head and self.width(head + cluster) > width:
                break
            head += cluster
        return head

    def _coverable(self, cluster: str) -> list[str]:
        """Return the cluster whole where one font has all of it, else its characters: the letter still shows where its
        mark cannot."""
        return [cluster] if self._font_of(cluster) is not None else list(cluster)

    def _font_of(self, cluster: str) -> int | None:
        if any(unicodedata.category(character) in UNSETTABLE for character in cluster):
            return None
        for number, (_, characters) in enumerate(self._fonts):
            if all(character in characters or _is_without_glyph(character) for character in cluster):
                return number
        return None


def split_clusters(text: str) -> list[str]:
    """Split a text before every character that is no mark or joiner: a letter keeps what is written on it."""
    parts: list[str] = []
    for character in text:
        if parts and (unicodedata.category(character)[0] == "M" or character == "\N{ZERO WIDTH JOINER}"):
            parts[-1] += character
        else:
            parts.append(character)
    return parts


def is_right_to_left(text: str) -> bool:
    """Tell whether the first character with a direction of its own runs from right to left."""
    directions = (unicodedata.bidirectional(character) for character in text)
    return next((direction in ("R", "AL") for direction in directions if direction in ("L", "R", "AL")), False)


def to_visual_order(text: str) -> str:
    """Return a text as its clusters stand from left to right."""
    return "".join(to_display(split_clusters(text), "R" if is_right_to_left(text) else "L")[0])


def _reorder(text: str) -> str:
    return text if features.check("raqm") else to_visual_order(text)


def _is_without_glyph(character: str) -> bool:
    return unicodedata.category(character) == "Cf"


def _format_code_points(text: Iterable[str]) -> str:
    return "".join(f"[{format_code_point(character)}]" for character in text)


def _split_breakable(text: str) -> list[str]:
    words = text.split(" ")
    return [word + " " for word in words[:-1]] + words[-1:]


SEARCHED_FONTS = 400
"""System fonts that are opened at most for characters that the first one lacks."""

WIDE_COVERAGE = re.compile(
    r"noto|junicode|cardo|andron|palemonas|freeser|freesans|gentium|dejavu|arial|unifont", re.IGNORECASE
)
SAYS_NOTHING = re.compile(r"lastresort|adobeblank|emoji|color", re.IGNORECASE)
"""Fonts that have a glyph for everything without showing what it is, or glyphs that are pictures."""


def find_fonts(characters: Iterable[str]) -> list[tuple[Path, frozenset[str]]]:
    """Return fonts with the characters each has of those asked for, the preferred one first; what no font has is in
    none of the sets.
    """
    wanted = set(characters)
    chosen: list[tuple[Path, frozenset[str]]] = []
    for path in _list_candidates():
        found = frozenset(wanted & _read_characters(path))
        if found or not chosen:
            chosen.append((path, found))
            wanted -= found
        if not wanted:
            break
    return chosen


def _list_candidates() -> Iterator[Path]:
    bundled = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    yield from (bundled / name for name in ("DejaVuSans.ttf", "STIXGeneral.ttf"))
    yield from _find_system_fonts()


@cache
def _find_system_fonts() -> tuple[Path, ...]:
    paths = (Path(path) for path in findSystemFonts(fontext="ttf"))
    useful = [path for path in paths if not SAYS_NOTHING.search(path.name)]
    return tuple(sorted(useful, key=lambda path: (not WIDE_COVERAGE.search(path.name), path.name)))[:SEARCHED_FONTS]


@cache
def _read_characters(path: Path) -> frozenset[str]:
    try:
        characters = map(chr, FT2Font(str(path)).get_charmap())
    except (OSError, RuntimeError):
        return frozenset()
    return frozenset(character for character in characters if unicodedata.category(character) != "Cc")
