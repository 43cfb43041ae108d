"""What single characters are: their names, the units that a reader takes for one, their scripts and directions."""

import unicodedata
from collections import Counter
from functools import cache
from unicodedata import bidirectional

import regex
from fontTools import unicodedata as unicode_tables


def describe(character: str) -> str:
    """Return a code point with its number and Unicode name, as in `'ꝑ' (U+A751 LATIN SMALL LETTER P WITH STROKE THROUGH
    DESCENDER)`.

    A code point that cannot be shown by itself (a control, a format character, white space) is given without its glyph,
    and a combining mark on a dotted circle.
    """
    label = f"{format_code_point(character)} {name(character)}"
    category = unicodedata.category(character)
    if category[0] in "CZ" and category != "Co":
        return label
    shown = f"\N{DOTTED CIRCLE}{character}" if category[0] == "M" else character
    return f"'{shown}' ({label})"


def format_code_point(character: str) -> str:
    """Return the number of a code point as `U+0041`."""
    return f"U+{ord(character):04X}"


def name(character: str) -> str:
    """Return the Unicode name of a code point, or what kind of code point it is where it has no name."""
    kinds = {"Co": "private use", "Cc": "control character", "Cs": "surrogate"}
    return unicodedata.name(character, "") or kinds.get(unicodedata.category(character), "unassigned")


_CLUSTER = regex.compile(r"\X")

UNITS = ("code_point", "grapheme")


def split_units(text: str, unit: str) -> list[str]:
    """Split `text` into code points, or into extended grapheme clusters (UAX #29): a base with its marks, a conjunct.

    The pieces joined are the text.
    """
    return list(text) if unit == "code_point" else _CLUSTER.findall(text)


COMMON, INHERITED, PRIVATE = "Common", "Inherited", "Private use"


@cache
def find_script(character: str) -> str:
    """Return the script of a code point, as in `Latin`; digits, punctuation and spaces are `Common`, combining marks
    mostly `Inherited`, and MUFI's code points `Private use`.
    """
    if unicodedata.category(character) == "Co":
        return PRIVATE
    return str(unicode_tables.script_name(unicode_tables.script(character)))


def find_scripts(text: str) -> list[str]:
    """Return the script of each code point of `text`; a mark that inherits its script has that of the letter it
    stands on.
    """
    found: list[str] = []
    for character in text:
        own = find_script(character)
        found.append(found[-1] if own == INHERITED and found else own)
    return found


def find_line_script(text: str) -> str:
    """Return the script that most letters of a line belong to, the first in it where two have as many; `Common` where
    it has no letter.
    """
    counts = Counter(name for name in find_scripts(text) if name not in (COMMON, INHERITED, PRIVATE))
    return max(counts, key=lambda name: counts[name]) if counts else COMMON


RIGHT_TO_LEFT = ("R", "AL")
"""The bidirectional classes of letters that run from right to left."""

COLUMN_SCRIPTS = (
    "Han",
    "Hiragana",
    "Katakana",
    "Bopomofo",
    "Hangul",
    "Mongolian",
    "Phags Pa",
    "Tangut",
    "Khitan Small Script",
    "Nushu",
)
"""The scripts that are written in columns from top to bottom, by themselves or beside rows."""


def count_letters(text: str) -> tuple[int, int]:
    """Count the characters that run from left to right, and those that run from right to left. Marks, digits,
    punctuation and white space run with their neighbours and count as neither.
    """
    classes = [bidirectional(character) for character in text]
    return classes.count("L"), sum(kind in RIGHT_TO_LEFT for kind in classes)


def is_right_to_left(text: str) -> bool:
    """Return whether most letters of the text run from right to left."""
    left, right = count_letters(text)
    return right > left


def has_arabic_digits(text: str) -> bool:
    """Return whether `text` holds digits of the Arabic script, which have no direction of their own but tell the
    line's."""
    return any(bidirectional(character) == "AN" for character in text)


def is_vertical(text: str) -> bool:
    """Return whether most letters of the text are of a script that is written downwards where it stands in a column."""
    return find_line_script(text) in COLUMN_SCRIPTS
