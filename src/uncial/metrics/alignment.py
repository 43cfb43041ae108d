"""Which character was read as which, and what kind of error each edit is."""

import unicodedata
from collections.abc import Iterator
from typing import Literal, get_args

from rapidfuzz.distance import Levenshtein

from uncial.metrics.profiles import in_small_letters, is_diacritic, without_diacritics

Pair = tuple[str, str]
"""A character of the truth and what was read for it: the second is empty for a deletion, the first for an insertion."""

ErrorKind = Literal["space", "punctuation", "digit", "case", "diacritic", "letter"]
ERROR_KINDS: tuple[ErrorKind, ...] = get_args(ErrorKind)
"""In the order of `error_kind`: an edit is of the first kind that fits."""


def aligned(truth: str, prediction: str) -> Iterator[Pair]:
    """Yield the pairs of a cheapest alignment by code points, in order; those that differ are the edits that the scores
    count (see `uncial.metrics.counts.compare`).
    """
    for operation in Levenshtein.opcodes(truth, prediction):
        one = truth[operation.src_start : operation.src_end]
        other = prediction[operation.dest_start : operation.dest_end]
        if operation.tag == "insert":
            yield from (("", character) for character in other)
        elif operation.tag == "delete":
            yield from ((character, "") for character in one)
        else:
            yield from zip(one, other, strict=True)


def error_kind(truth: str, read: str) -> ErrorKind:
    """Tell what kind of error an edit is: about a space, a punctuation mark or a digit if either side is one; else the
    same letter in other case or with other marks; else a letter.
    """
    categories = {unicodedata.category(character) for character in (truth, read) if character}
    if truth.isspace() or read.isspace():
        return "space"
    if any(category[0] in "PS" for category in categories):
        return "punctuation"
    if any(category[0] == "N" for category in categories):
        return "digit"
    if truth and read and in_small_letters(truth) == in_small_letters(read):
        return "case"
    if all(is_diacritic(character) for character in truth + read):
        return "diacritic"
    if truth and read and in_small_letters(without_diacritics(truth)) == in_small_letters(without_diacritics(read)):
        return "diacritic"
    return "letter"
