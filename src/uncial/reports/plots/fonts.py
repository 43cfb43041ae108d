"""Fonts for text in any script: the one that comes with matplotlib, and for what it lacks those of the system."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import matplotlib
from matplotlib.font_manager import findSystemFonts
from matplotlib.ft2font import FT2Font

SEARCHED_FONTS = 400
"""System fonts that are opened at most for characters that the first one lacks."""

WIDE_COVERAGE = re.compile(
    r"noto|junicode|cardo|andron|palemonas|freeser|freesans|gentium|dejavu|arial|unifont", re.IGNORECASE
)
SAYS_NOTHING = re.compile(r"lastresort|adobeblank|emoji|color", re.IGNORECASE)
"""Fonts that have a glyph for everything without showing what it is, or glyphs that are pictures."""


def fonts_for(characters: Iterable[str]) -> list[tuple[Path, frozenset[str]]]:
    """Return fonts with the characters each has of those asked for, the preferred one first; what no font has is in
    none of the sets.
    """
    wanted = set(characters)
    chosen: list[tuple[Path, frozenset[str]]] = []
    for path in _candidates():
        found = frozenset(wanted & _characters_of(path))
        if found or not chosen:
            chosen.append((path, found))
            wanted -= found
        if not wanted:
            break
    return chosen


def _candidates() -> Iterator[Path]:
    bundled = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    yield from (bundled / name for name in ("DejaVuSans.ttf", "STIXGeneral.ttf"))
    yield from _system_fonts()


@cache
def _system_fonts() -> tuple[Path, ...]:
    paths = (Path(path) for path in findSystemFonts(fontext="ttf"))
    useful = [path for path in paths if not SAYS_NOTHING.search(path.name)]
    return tuple(sorted(useful, key=lambda path: (not WIDE_COVERAGE.search(path.name), path.name)))[:SEARCHED_FONTS]


@cache
def _characters_of(path: Path) -> frozenset[str]:
    try:
        characters = map(chr, FT2Font(str(path)).get_charmap())
    except (OSError, RuntimeError):
        return frozenset()
    return frozenset(character for character in characters if unicodedata.category(character) != "Cc")
