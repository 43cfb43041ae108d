"""Text in the pieces that a reader takes for one character."""

import regex

_CLUSTER = regex.compile(r"\X")

UNITS = ("code_point", "grapheme")


def split_units(text: str, unit: str) -> list[str]:
    """Split `text` into code points, or into extended grapheme clusters (UAX #29): a base with its marks, a conjunct.

    The pieces joined are the text.
    """
    return list(text) if unit == "code_point" else _CLUSTER.findall(text)
