"""Whether the texts of two pages, or of two lines, can be those of one."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

from rapidfuzz import fuzz, process

LIKE = 70.0
"""Similarity in percent from which two lines may be two transcriptions of one piece of writing."""

_DIGITS = re.compile(r"\d+")


def plain(text: str | None) -> str:
    """A text without what two transcribers do differently anyway: case, spaces and the form of letters."""
    return "".join(unicodedata.normalize("NFKC", text or "").casefold().split())


def alone(own: Sequence[str], others: Sequence[str]) -> float:
    """The share of the characters of `own` in lines of which `others` has no like one, from 0 to 1; 0 without any.

    Texts as `plain` makes them. Lines with other numbers are not like one another: what differs in the entries of a
    form, and not in what is printed on it, may be no more than these.
    """
    rest = list((Counter(own) - Counter(others)).elements())
    left = list((Counter(others) - Counter(own)).elements())
    total = sum(map(len, own))
    return sum(map(len, _without_like(rest, left))) / total if total else 0.0


def contradicted(one: Sequence[str], other: Sequence[str]) -> float:
    """What each of two pages has alone, that of the page which has less of it.

    A page of which another one holds but a part is no other page.
    """
    return min(alone(one, other), alone(other, one))


def in_common(one: Sequence[str], other: Sequence[str]) -> float:
    """The share of the characters of one of two pages in lines that the other one has too, letter by letter; that of
    the page which has more of it."""
    both = sum(map(len, (Counter(one) & Counter(other)).elements()))
    return both / max(min(sum(map(len, one)), sum(map(len, other))), 1)


def numbers(text: str) -> list[str]:
    """The numbers in a text, in their order."""
    return _DIGITS.findall(text)


def _without_like(texts: Sequence[str], others: Sequence[str]) -> Iterable[str]:
    if not texts or not others:
        yield from texts
        return
    similar = process.cdist(texts, others, scorer=fuzz.ratio, score_cutoff=LIKE) > 0
    their_numbers = [numbers(other) for other in others]
    for text, row in zip(texts, similar, strict=True):
        mine = numbers(text)
        if not any(near and mine == theirs for near, theirs in zip(row, their_numbers, strict=True)):
            yield text
