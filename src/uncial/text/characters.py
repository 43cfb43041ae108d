"""How single code points are named to a person."""

import unicodedata


def describe(character: str) -> str:
    """Return a code point with its number and Unicode name, as in `'ꝑ' (U+A751 LATIN SMALL LETTER P WITH STROKE THROUGH
    DESCENDER)`.

    A code point that cannot be shown by itself (a control, a format character, white space) is given without its glyph,
    and a combining mark on a dotted circle.
    """
    label = f"{code_point(character)} {name(character)}"
    category = unicodedata.category(character)
    if category[0] in "CZ" and category != "Co":
        return label
    shown = f"\N{DOTTED CIRCLE}{character}" if category[0] == "M" else character
    return f"'{shown}' ({label})"


def code_point(character: str) -> str:
    """Return the number of a code point as `U+0041`."""
    return f"U+{ord(character):04X}"


def name(character: str) -> str:
    """Return the Unicode name of a code point, or what kind of code point it is where it has no name."""
    kinds = {"Co": "private use", "Cc": "control character", "Cs": "surrogate"}
    return unicodedata.name(character, "") or kinds.get(unicodedata.category(character), "unassigned")
