"""Which way a text runs, told by its letters."""

from unicodedata import bidirectional

from uncial.text.scripts import line_script

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


def letter_counts(text: str) -> tuple[int, int]:
    """Count the characters that run from left to right, and those that run from right to left. Marks, digits,
    punctuation and white space run with their neighbours and count as neither.
    """
    classes = [bidirectional(character) for character in text]
    return classes.count("L"), sum(kind in RIGHT_TO_LEFT for kind in classes)


def runs_left(text: str) -> bool:
    """Whether most letters of the text run from right to left."""
    left, right = letter_counts(text)
    return right > left


def has_arabic_digits(text: str) -> bool:
    """Whether `text` holds digits of the Arabic script, which have no direction of their own but tell the line's."""
    return any(bidirectional(character) == "AN" for character in text)


def runs_down(text: str) -> bool:
    """Whether most letters of the text are of a script that is written downwards where it stands in a column."""
    return line_script(text) in COLUMN_SCRIPTS
