"""What codecs have in common: text cut into what their labels stand for, and labels into what they write."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from uncial.errors import UnusableInput
from uncial.text.characters import describe

Encoded = tuple[str, tuple[int, ...] | None]
"""A piece of text with its labels, None where the codec cannot write it."""


class LabelSpan(NamedTuple):
    """What the labels from `start` to before `end` write together."""

    text: str
    start: int
    end: int


def labels_of(pieces: Iterable[Encoded]) -> list[int]:
    """The labels of a whole text. Raises `UnusableInput` where the codec cannot write all of it."""
    pieces = list(pieces)
    unknown = unknown_in(pieces)
    if unknown:
        raise UnusableInput(unknown_message(unknown))
    return labels_of_known(pieces)


def labels_of_known(pieces: Iterable[Encoded]) -> list[int]:
    """The labels of what the codec can write."""
    return [label for _, labels in pieces for label in labels or ()]


def unknown_in(pieces: Iterable[Encoded]) -> list[str]:
    """The distinct pieces that the codec cannot write, in order of appearance."""
    return list(dict.fromkeys(text for text, labels in pieces if labels is None))


def unknown_message(pieces: Sequence[str]) -> str:
    """One sentence about what a codec lacks."""
    shown = ", ".join(map(described, pieces[:5]))
    more = f" and {len(pieces) - 5} more" if len(pieces) > 5 else ""
    return f"the text holds {shown}{more}, which the model's alphabet lacks"


def described(piece: str) -> str:
    """Every code point of a piece with its number and name."""
    return " + ".join(map(describe, piece))
