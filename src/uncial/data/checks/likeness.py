"""Which pictures are most like each other among very many, and whether the texts of two can be those of one."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from rapidfuzz import fuzz, process

LIKE = 70.0
"""Similarity in percent from which two lines may be two transcriptions of one piece of writing."""

_DIGITS = re.compile(r"\d+")


def strip_to_letters(text: str | None) -> str:
    """Return a text without what two transcribers do differently anyway: case, spaces and the form of letters."""
    return "".join(unicodedata.normalize("NFKC", text or "").casefold().split())


def share_missing(own: Sequence[str], others: Sequence[str]) -> float:
    """Return the share of the characters of `own` in lines of which `others` has no like one, from 0 to 1; 0 without
    any.

    Texts as `plain` makes them. Lines with other numbers are not like one another: what differs in the entries of a
    form, and not in what is printed on it, may be no more than these.
    """
    rest = list((Counter(own) - Counter(others)).elements())
    left = list((Counter(others) - Counter(own)).elements())
    total = sum(map(len, own))
    return sum(map(len, _drop_similar(rest, left))) / total if total else 0.0


def share_contradicted(one: Sequence[str], other: Sequence[str]) -> float:
    """Return what each of two pages has alone, that of the page which has less of it.

    A page of which another one holds but a part is no other page.
    """
    return min(share_missing(one, other), share_missing(other, one))


def share_in_common(one: Sequence[str], other: Sequence[str]) -> float:
    """Return the share of the characters of one of two pages in lines that the other one has too, letter by letter;
    that of the page which has more of it."""
    both = sum(map(len, (Counter(one) & Counter(other)).elements()))
    return both / max(min(sum(map(len, one)), sum(map(len, other))), 1)


def list_numbers(text: str) -> list[str]:
    """Return the numbers in a text, in their order."""
    return _DIGITS.findall(text)


def _drop_similar(texts: Sequence[str], others: Sequence[str]) -> Iterable[str]:
    if not texts or not others:
        yield from texts
        return
    similar = process.cdist(texts, others, scorer=fuzz.ratio, score_cutoff=LIKE) > 0
    their_numbers = [list_numbers(other) for other in others]
    for text, row in zip(texts, similar, strict=True):
        mine = list_numbers(text)
        if not any(near and mine == theirs for near, theirs in zip(row, their_numbers, strict=True)):
            yield text


BLOCK = 1024
"""Pictures whose neighbours are looked for at once."""

COLUMNS = 8192
"""Pictures that they are compared with at once."""

ASPECT = 0.05
"""How far the logarithms of two aspects may be apart: copies of one picture have the same but for rounding."""

CROWD = 0.5
"""How near, against the last of the neighbours that are known, a copy is. In a crowd of pictures that are all like one
another, as the pages of a form are, what is hardly nearer than the others is no copy."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """For each picture those that are most like it, the likest first: `rows` (n, k) int64, -1 where there are no more,
    and their correlations, `likeness` (n, k) float32."""

    rows: np.ndarray
    likeness: np.ndarray

    def of(self, row: int) -> list[tuple[int, float]]:
        """Return the neighbours of one picture with their correlations."""
        found = self.rows[row] >= 0
        return list(zip(self.rows[row][found].tolist(), self.likeness[row][found].tolist(), strict=True))

    def stands_out(self, row: int, likeness: float) -> bool:
        """Return whether a neighbour of this correlation is much nearer than the others, or the others are few."""
        if self.rows[row, -1] < 0:
            return True
        return 1 - likeness <= CROWD * (1 - float(self.likeness[row, -1]))


def find_nearest(thumbnails: np.ndarray, aspects: np.ndarray, least: float, count: int) -> Neighbours:
    """Return the `count` rows that correlate most with each row, by `least` or more.

    `thumbnails` (n, d) are centred and of length 1, or 0 for pictures without content, which are like none.
    `aspects` (n,) are width over height; only pictures of like aspect are compared. The number of neighbours is
    bounded, so that what follows takes time in proportion to n however many pictures are alike; the comparison itself
    is one product of matrices: twenty thousand rows of one aspect take seconds on one core.
    """
    order = np.argsort(aspects, kind="stable")
    logs = np.log(np.maximum(aspects[order], 1e-6))
    rows = np.full((len(order), count), -1, np.int64)
    likeness = np.full((len(order), count), -np.inf, np.float32)
    for start in range(0, len(order), BLOCK):
        block = slice(start, min(start + BLOCK, len(order)))
        first = int(np.searchsorted(logs, logs[start] - ASPECT, side="left"))
        last = int(np.searchsorted(logs, logs[block.stop - 1] + ASPECT, side="right"))
        own = thumbnails[order[block]].astype(np.float32)
        for column in range(first, last, COLUMNS):
            others = slice(column, min(column + COLUMNS, last))
            found = own @ thumbnails[order[others]].astype(np.float32).T
            found[np.abs(logs[block, None] - logs[None, others]) > ASPECT] = -np.inf
            here = np.arange(max(block.start, others.start), min(block.stop, others.stop))
            found[here - block.start, here - others.start] = -np.inf
            _keep_best(rows[block], likeness[block], found, column)
    rows[likeness < least] = -1
    known = rows >= 0
    rows[known] = order[rows[known]]
    in_order = Neighbours(np.empty_like(rows), np.empty_like(likeness))
    in_order.rows[order], in_order.likeness[order] = rows, likeness
    return in_order


def _keep_best(rows: np.ndarray, likeness: np.ndarray, found: np.ndarray, column: int) -> None:
    """Merges correlations (b, c) with the columns from `column` on into the best so far, in place and sorted."""
    count = rows.shape[1]
    if found.shape[1] > count:
        places = np.argpartition(found, -count, axis=1)[:, -count:]
    else:
        places = np.broadcast_to(np.arange(found.shape[1]), found.shape)
    merged = np.concatenate([likeness, np.take_along_axis(found, places, axis=1)], axis=1)
    named = np.concatenate([rows, places + column], axis=1)
    best = np.argsort(-merged, axis=1, kind="stable")[:, :count]
    likeness[:] = np.take_along_axis(merged, best, axis=1)
    rows[:] = np.take_along_axis(named, best, axis=1)
