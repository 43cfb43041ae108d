"""Who writes the lines of a page: a hand, a typeface, or a hand that writes ideographs in columns; each with words."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import matplotlib
import numpy as np

from uncial.data.synthetic.glyphs import Face
from uncial.data.synthetic.layouts.ideographs import STROKES
from uncial.data.synthetic.layouts.writings import (
    PenWriting,
    TypeWriting,
    Writing,
    measure_with_pen,
    write_column,
    write_with_pen,
)
from uncial.data.synthetic.text import generate_lines
from uncial.data.synthetic.typeface import (
    find_missing_characters,
    has_bidirectional_setting,
    measure_line,
    select_fonts,
    set_line,
)
from uncial.data.synthetic.writing import Hand
from uncial.text.bidi import to_display

PRINT_FONTS = ("DejaVuSerif.ttf", "DejaVuSans.ttf", "STIXGeneral.ttf", "STIXGeneralItalic.ttf")
"""Of matplotlib, which every installation has."""

HEBREW_FONT = "DejaVuSans.ttf"

HEBREW = (
    "את של על לא כי אשר כל הוא גם זה אם היה אל בן יום ארץ בית מלך איש דבר אדם עיר שנה ספר מים שמים "
    "אור לילה עץ דרך שלום תורה חכמה אמת טוב גדול קטן ראש לב עין יד פה אב אח בת שם עם רוח נפש חיים "
    "זמן מקום ראשון אחרון כתב אמר נתן ראה ידע שמע הלך בא עשה קרא זכר בין תחת לפני אחר כן עוד רק אך "
    "אז מאד יחד עתה תמיד"
)
MAX_STRETCH = 1.8
"""How much wider spaces get so that lines end at one margin; a line that needs more stays short."""


class Scribe(Protocol):
    """Writes lines of any size, in pixels from ascender to descender."""

    @property
    def words(self) -> Sequence[str]: ...
    @property
    def direction(self) -> str | None:
        """`rtl` or `ttb`; None for writing that runs to the right."""

    def measure(self, text: str, size: float) -> float:
        """Return about how long the text gets, in pixels."""

    def write(self, text: str, size: float, rng: np.random.Generator, word_space: float = 1.0) -> Writing:
        """Return the written text. Raises `KeyError` for a character that cannot be written."""


@dataclass(frozen=True)
class PenScribe:
    hand: Hand
    words: tuple[str, ...]
    direction: str | None = None

    def measure(self, text: str, size: float) -> float:
        return measure_with_pen(text, self.hand, size)

    def write(self, text: str, size: float, rng: np.random.Generator, word_space: float = 1.0) -> PenWriting:
        return write_with_pen(text, self.hand, size, rng, word_space)


@dataclass(frozen=True)
class TypeScribe:
    """Sets each line in the first of the fonts that has all characters of it."""

    fonts: tuple[Path, ...]
    words: tuple[str, ...]
    direction: str | None = None

    def measure(self, text: str, size: float) -> float:
        return measure_line(text, self._find_font(text), _find_em(size), base=self._base)

    def write(self, text: str, size: float, rng: np.random.Generator, word_space: float = 1.0) -> TypeWriting:
        """Return the text set with the font's own spaces, whatever `word_space` is."""
        # Where Pillow does not bring the letters into the order in which they are seen.
        shown = text if has_bidirectional_setting() else "".join(to_display(text, self._base)[0])
        return TypeWriting(text, set_line(shown, self._find_font(text), _find_em(size), base=self._base))

    def _find_font(self, text: str) -> Path:
        if len(self.fonts) == 1:
            return self.fonts[0]
        return next(iter(select_fonts(self.fonts, text)), self.fonts[0])

    @property
    def _base(self) -> str:
        return "R" if self.direction == "rtl" else "L"


@dataclass(frozen=True)
class ColumnScribe:
    hand: Hand
    words: tuple[str, ...] = tuple(STROKES)
    direction: str | None = "ttb"

    def measure(self, text: str, size: float) -> float:
        return 1.1 * size * len(text)

    def write(self, text: str, size: float, rng: np.random.Generator, word_space: float = 1.0) -> PenWriting:
        return write_column(text, self.hand, size, rng)


def _find_em(size: float) -> int:
    return max(round(size / 1.2), 6)


def make_pen_scribe(hand: Hand, language: str, rng: np.random.Generator) -> PenScribe:
    """Return a hand that writes words of a language."""
    return PenScribe(hand, _generate_words(language, rng, functools.partial(_can_write, hand.face)))


def make_type_scribe(fonts: tuple[Path, ...], language: str, rng: np.random.Generator) -> TypeScribe:
    """Return a typeface that sets words of a language. Raises `UserError` where the first font has not the letters."""
    return TypeScribe(fonts, _generate_words(language, rng, lambda word: not find_missing_characters(fonts[0], word)))


def make_hebrew_scribe() -> TypeScribe:
    return TypeScribe((find_print_font(HEBREW_FONT),), tuple(HEBREW.split()), "rtl")


def find_print_font(name: str) -> Path:
    """Return the file of one of matplotlib's fonts."""
    return Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name


def _generate_words(language: str, rng: np.random.Generator, drawable: "Drawable") -> tuple[str, ...]:
    return tuple(" ".join(generate_lines(language, 24, 60, rng, drawable)).split())


class Drawable(Protocol):
    def __call__(self, word: str, /) -> bool: ...


def _can_write(face: Face, word: str) -> bool:
    return all(_has_strokes(face, character) for character in word)


@functools.lru_cache(maxsize=4096)
def _has_strokes(face: Face, character: str) -> bool:
    return face.glyph(character) is not None


def fill_line(
    scribe: Scribe, size: float, width: float, rng: np.random.Generator, *, justified: bool = False
) -> Writing | None:
    """Return a line of the scribe's words that is at most `width` pixels long; None where not one letter fits.

    A justified one has wider spaces, so that it ends where all others do.
    """
    first = int(rng.integers(len(scribe.words)))
    words: list[str] = []
    separator = "" if scribe.direction == "ttb" else " "
    space, used = scribe.measure(separator, size), 0.0
    while len(words) < 200:
        word = scribe.words[(first + len(words)) % len(scribe.words)]
        used += scribe.measure(word, size) + (space if words else 0.0)
        if used > width:
            break
        words.append(word)
    text = separator.join(words) or _cut_word(scribe, scribe.words[first], size, width)
    if not text:
        return None
    written = scribe.write(text, size, rng)
    if justified and len(words) > 2 and written.length > 0.75 * width:
        natural = scribe.measure(" ", size) * (len(words) - 1)
        stretch = 1 + (width - written.length) / max(natural, 1.0)
        return scribe.write(text, size, rng, float(np.clip(stretch, 0.8, MAX_STRETCH)))
    return written


def _cut_word(scribe: Scribe, word: str, size: float, width: float) -> str:
    while word and scribe.measure(word, size) > width:
        word = word[:-1]
    return word
