"""The scripts that characters and lines are written in, by Unicode's Script property."""

import unicodedata
from collections import Counter
from functools import cache

from fontTools import unicodedata as unicode_tables

COMMON, INHERITED, PRIVATE = "Common", "Inherited", "Private use"


@cache
def script(character: str) -> str:
    """Return the script of a code point, as in `Latin`; digits, punctuation and spaces are `Common`, combining marks
    mostly `Inherited`, and MUFI's code points `Private use`.
    """
    if unicodedata.category(character) == "Co":
        return PRIVATE
    return str(unicode_tables.script_name(unicode_tables.script(character)))


def scripts(text: str) -> list[str]:
    """Return the script of each code point of `text`; a mark that inherits its script has that of the letter it
    stands on.
    """
    found: list[str] = []
    for character in text:
        own = script(character)
        found.append(found[-1] if own == INHERITED and found else own)
    return found


def line_script(text: str) -> str:
    """Return the script that most letters of a line belong to, the first in it where two have as many; `Common` where
    it has no letter.
    """
    counts = Counter(name for name in scripts(text) if name not in (COMMON, INHERITED, PRIVATE))
    return max(counts, key=lambda name: counts[name]) if counts else COMMON
