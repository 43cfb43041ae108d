"""The letter shapes: Hershey's stroke fonts, composed with diacritics and with strokes of our own.

A. V. Hershey, Calligraphy for Computers, 1967; the coordinates come from the package Hershey-Fonts.
"""

import functools
import unicodedata
from dataclasses import dataclass, replace

import numpy as np
from HersheyFonts import HersheyFonts
from numpy.typing import NDArray

from uncial.data.synthetic import marks

Strokes = tuple[NDArray[np.float64], ...]

_HERSHEY_BASELINE = 9
_PLAIN_SCALE = 0.74
_PLAIN = "rowmans"
_CURSIVE = "scripts"


@dataclass(frozen=True)
class Glyph:
    """One letter: strokes of (n, 2) points in font units, y upwards from the baseline, x from the letter's left side.

    `entry` and `exit` number the strokes with which the pen comes from the letter before and goes on to the next one,
    None where the letter does not join.
    """

    strokes: Strokes
    width: float
    entry: int | None = None
    exit: int | None = None


@dataclass(frozen=True)
class Face:
    """A way to write the letters. `capitals` and `small` are `cursive` or `plain` (print letters)."""

    small: str = "cursive"
    capitals: str = "cursive"

    def glyph(self, grapheme: str) -> Glyph | None:
        """Return the shape of a character with its combining marks, None where it cannot be drawn."""
        return _compose(grapheme, self)


def split_graphemes(text: str) -> list[str]:
    """Return the text cut into characters, each with the combining marks that follow it."""
    parts: list[str] = []
    for character in text:
        if parts and unicodedata.category(character).startswith("M"):
            parts[-1] += character
        else:
            parts.append(character)
    return parts


def find_undrawable(text: str, face: Face | None = None) -> list[str]:
    """Return the graphemes of `text` that have no strokes, each once, sorted."""
    face = face or Face()
    return sorted({g for g in split_graphemes(text) if not g.isspace() and face.glyph(g) is None})


@functools.lru_cache(maxsize=8192)
def _compose(grapheme: str, face: Face) -> Glyph | None:
    whole = _find_letter(unicodedata.normalize("NFC", grapheme), face)
    if whole is not None:
        return whole
    decomposed = unicodedata.normalize("NFD", grapheme)
    base, combining = decomposed[:1], decomposed[1:]
    above = [m for m in combining if m in marks.ABOVE or m in marks.SMALL_LETTERS_ABOVE]
    if base in "ij" and above:
        base = {"i": "ı", "j": "ȷ"}[base]
    glyph = _find_letter(base, face)
    for mark in combining:
        if glyph is None:
            return None
        glyph = _add_mark(glyph, mark, face)
    return glyph


def _find_letter(character: str, face: Face) -> Glyph | None:
    """Return a character that is drawn without composing; None where there is none."""
    style = face.small if character.islower() else face.capitals
    slant = _find_slant(face)
    if character in "ıȷ":
        return _drop_dot(_load_hershey(_CURSIVE if style == "cursive" else _PLAIN)["i" if character == "ı" else "j"])
    if character in marks.BARS:
        return _add_bar(*marks.BARS[character], face)
    for table, joins in ((marks.JOINED_LETTERS, True), (marks.LOOSE_LETTERS, False)):
        if character in table:
            glyph = _make_glyph(*table[character], joins=joins and style == "cursive", slant=slant)
            return _measure_space(glyph) if joins and style == "plain" else glyph
    if character.isascii() and character.isalpha():
        glyph = _load_hershey(_CURSIVE if style == "cursive" else _PLAIN)[character]
        return glyph if style == "cursive" else _shear(glyph, slant)
    glyph_or_none = _load_hershey(_PLAIN).get(character)
    return None if glyph_or_none is None else _shear(glyph_or_none, slant)


@functools.lru_cache(maxsize=8)
def _load_hershey(name: str) -> dict[str, Glyph]:
    font = HersheyFonts(load_default_font=name)
    scale = _PLAIN_SCALE if name == _PLAIN else 1.0
    glyphs = {}
    for character, raw in font.all_glyphs.items():
        if not "!" <= character <= "~":
            continue
        origin = np.array([raw.left_offset, 0.0])
        strokes = tuple(
            ((np.array(s, dtype=np.float64) - origin) * [1, -1] + [0, _HERSHEY_BASELINE]) * scale for s in raw.strokes
        )
        glyph = Glyph(tuple(s for s in strokes if len(s) > 1), raw.char_width * scale)
        glyphs[character] = _add_joins(glyph) if name == _CURSIVE else glyph
    return glyphs


def _add_joins(glyph: Glyph) -> Glyph:
    """Finds the strokes that begin at the left side and end at the right side, at half the x-height."""

    def joins(point: NDArray[np.float64], x: float) -> bool:
        return abs(point[0] - x) < 2.6 and 3.5 < point[1] < 6.5

    entry = next((i for i, s in enumerate(glyph.strokes) if joins(s[0], 0.0)), None)
    leaving = next((i for i, s in enumerate(glyph.strokes) if joins(s[-1], glyph.width)), None)
    return replace(glyph, entry=entry, exit=leaving)


def _make_glyph(width: float, written: str, *, joins: bool, slant: float) -> Glyph:
    """Return a glyph from the tables, which are drawn with the cursive slant; `slant` is the one wanted."""
    glyph = Glyph(marks.parse_strokes(written), width)
    glyph = _shear(glyph, slant - marks.CURSIVE_SLANT)
    return _add_joins(glyph) if joins else glyph


def _shear(glyph: Glyph, slant: float) -> Glyph:
    if not slant:
        return glyph
    return replace(glyph, strokes=tuple(s + np.stack([s[:, 1] * slant, np.zeros(len(s))], 1) for s in glyph.strokes))


def _find_slant(face: Face) -> float:
    """Return how far the face leans: print letters beside cursive ones lean with them."""
    return marks.CURSIVE_SLANT if face.small == "cursive" else 0.0


def _measure_space(glyph: Glyph) -> Glyph:
    """With the bearings that a letter needs among print letters, which do not touch."""
    return replace(glyph, strokes=tuple(s + np.array([1.8, 0.0]) for s in glyph.strokes), width=glyph.width + 1.8)


def _drop_dot(glyph: Glyph) -> Glyph:
    body = [i for i, s in enumerate(glyph.strokes) if np.ptp(s[:, 0]) > 2 or np.ptp(s[:, 1]) > 2]
    bare = Glyph(tuple(glyph.strokes[i] for i in body), glyph.width)
    return _add_joins(bare) if glyph.exit is not None or glyph.entry is not None else bare


def _add_bar(base: str, cursive: str, plain: str, face: Face) -> Glyph | None:
    glyph = _find_letter(base, face)
    if glyph is None:
        return None
    if (face.small if base.islower() else face.capitals) == "cursive":
        bar = _make_glyph(0.0, cursive, joins=False, slant=_find_slant(face))
    else:
        bar = _shear(Glyph(marks.parse_strokes(plain), 0.0), _find_slant(face))
    return replace(glyph, strokes=glyph.strokes + bar.strokes)


def _find_box(strokes: Strokes) -> NDArray[np.float64]:
    points = np.concatenate(strokes)
    return np.concatenate([points.min(axis=0), points.max(axis=0)])


def _add_mark(glyph: Glyph, mark: str, face: Face) -> Glyph | None:
    """Return the glyph with one more combining mark, above or below what is there already."""
    slant = _find_slant(face)
    points = np.concatenate(glyph.strokes)
    upright = points[:, 0] - slant * points[:, 1]
    # The pen's way in and out lies outside the letter's body: the middle of the ink carries the mark, not of its box.
    centre = float((np.quantile(upright, 0.12) + np.quantile(upright, 0.80)) / 2)
    if mark in marks.ABOVE or mark in marks.SMALL_LETTERS_ABOVE:
        bottom = float(points[:, 1].max()) + 2.0
        if mark in marks.SMALL_LETTERS_ABOVE:
            strokes = _small_letter(marks.SMALL_LETTERS_ABOVE[mark], face)
        else:
            strokes = marks.parse_strokes(marks.ABOVE[mark])
    elif mark in marks.BELOW:
        bottom = min(0.0, float(points[:, 1].min()))
        strokes = marks.parse_strokes(marks.BELOW[mark])
    else:
        return None
    origin = np.array([centre + slant * bottom, bottom])
    return replace(glyph, strokes=glyph.strokes + tuple(s + origin for s in strokes))


def _small_letter(character: str, face: Face) -> Strokes:
    glyph = _find_letter(character, face)
    assert glyph is not None
    low, high = _find_box(glyph.strokes)[:2], _find_box(glyph.strokes)[2:]
    return tuple((s - [(low[0] + high[0]) / 2, low[1]]) * 0.5 for s in glyph.strokes)
