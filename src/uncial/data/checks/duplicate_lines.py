"""Lines whose images are equal or nearly so: counted twice, transcribed in two ways, or known to the evaluation.

Images alone prove little: the words that are printed on each page of a form look the same everywhere, and of two
entries a single number may differ. Texts clear what images suspect; the images are looked at where the texts differ.
"""

from collections.abc import Callable, Collection, Iterator
from functools import lru_cache

import cv2
import numpy as np
from rapidfuzz.distance import Levenshtein

from uncial.data.checks.findings import CheckedData, Finding, Severity
from uncial.data.checks.likeness import (
    Neighbours,
    find_nearest,
    list_numbers,
    share_contradicted,
    share_in_common,
    strip_to_letters,
)
from uncial.data.checks.measures import ROWS, measure_darkness

LIKE = 0.85
"""Correlation of two thumbnails from which a pair is compared at full size. Different lines stay far below."""

LIKE_OTHERWISE = 0.93
"""The same for lines with different texts."""

NEARLY_EQUAL = 0.93
"""Correlation at full size from which two images show the same piece of writing."""

LONG = 16
"""Characters from which nearly equal images of one text are no two impressions of one printed word."""

COPIED = 0.985
"""Correlation at full size from which shorter lines are copies too, and no two impressions."""

NEIGHBOURS = 6
"""Lines that each one is compared with at full size at most. A copy is the likest, so that more are not needed."""

PIECE = 3 * ROWS // 4
"""Width in pixels, of lines scaled to ROWS, of the pieces compared where two texts differ: a letter's."""

PIECE_EQUAL, APART = 0.88, 3.5
"""The correlation that the unlikest piece of two copies has at least, and how many times further than the usual piece
it is from being equal at most: another scan is worse everywhere, another number in one place."""

ALMOST = 0.98
"""The same correlation where two texts differ by so little that the images would too."""

MISREAD = 2
"""Letters by which two texts differ at most so that their images would differ by little."""

OTHER_PAGE = 0.25
"""What two pages have alone, as a share of their text, from which a line that looks the same on both is printed."""

SAME_PAGE = 0.75
"""What two pages have in common, letter by letter, from which a short line that looks the same on both is no printed
word."""

PRINTED, PRINTED_LONG = 5, 20
"""Lines of one text with nearly equal images from which they are one printed word, or sentence, and no copies."""

_REMEDY = "Keep one of the two."


def find_duplicate_lines(
    data: CheckedData,
    known_pages: Collection[frozenset[str]] = (),
    known_rows: Collection[int | None] = (),
    advance: Callable[[int], None] = lambda count: None,
) -> Iterator[Finding]:
    """Yield a finding about the later lines of each group of copies: an error where the two are in different parts, a
    warning otherwise; one piece of information for a word that is printed many times.

    Left out are pairs between two pages of `known_pages`, pairs of page ids that are told to be copies already, and
    the lines of `known_rows`. `advance` is told of each line.
    """
    seen = set(known_rows)
    equal = _find_equal(data)
    for rows in _find_copies(data, equal, advance).groups():
        if _is_printed(data, rows):
            yield _count_printed(data, rows)
            continue
        for second in rows[1:]:
            first = _describe_partner(data, rows, second, known_pages)
            if second not in seen and first is not None:
                seen.add(second)
                same = data.measures.checksums[first] == data.measures.checksums[second]
                yield _make_finding(data, first, second, bool(same))


def _describe_partner(data: CheckedData, rows: list[int], second: int, known: Collection[frozenset[str]]) -> int | None:
    """Return the earlier line that a line is told to be a copy of: one of another part before the first."""
    before = [row for row in rows if row < second]
    fitting = [row for row in before if frozenset((data.lines[row].page, data.lines[second].page)) not in known]
    return min(fitting, key=lambda row: (data.lines[row].part == data.lines[second].part, row), default=None)


def _make_finding(data: CheckedData, first: int, second: int, equal: bool) -> Finding:
    one, other = data.lines[first], data.lines[second]
    alike_words = "the same as" if equal else "nearly the same as"
    message = f"its image is {alike_words} that of {data.where(first)}"
    if one.text.strip() != other.text.strip():
        message += f", which is transcribed otherwise: ‘{one.text.strip()}’"
        if one.part == other.part:
            remedy = "Compare the two texts, and keep one of the two lines."
            return data.finding(second, "warning", "two_transcriptions", message, remedy)
    if one.part != other.part:
        message += f", which is in the part {one.part}, this in {other.part}"
        remedy = "Leave one of the two out: a score on lines that were trained on says nothing."
        return data.finding(second, "error", "leaking_line", message, remedy)
    return data.finding(second, "warning", "duplicate_line", message, _REMEDY)


def _is_printed(data: CheckedData, rows: list[int]) -> bool:
    """Return whether lines are too many to be copies of one: their images are not equal, and they have one text."""
    enough = PRINTED if max(int(data.lengths[row]) for row in rows) < LONG else PRINTED_LONG
    if len({int(data.measures.checksums[row]) for row in rows}) < enough:
        return False
    return len({strip_to_letters(data.lines[row].text) for row in rows}) == 1


def _count_printed(data: CheckedData, rows: list[int]) -> Finding:
    message = f"{len(rows):,} lines with this text have nearly the same image, as of printed words"
    remedy = "Nothing, where it is printed; else look whether lines are there several times."
    severity: Severity = "information" if data.lengths[rows[0]] < LONG else "warning"
    return data.finding(rows[0], severity, "printed_line", message, remedy)


def _find_equal(data: CheckedData) -> dict[int, list[int]]:
    """Return the rows with something to see by the checksum of their pixels."""
    measures = data.measures
    equal: dict[int, list[int]] = {}
    for row in np.flatnonzero(measures.thumbnails.any(axis=1)).tolist():
        equal.setdefault(int(measures.checksums[row]), []).append(row)
    return equal


class _Links:
    """Rows that are linked into groups, of which the first row is the root."""

    def __init__(self) -> None:
        self._parents: dict[int, int] = {}

    def root(self, row: int) -> int:
        parents = self._parents
        while parents.setdefault(row, row) != row:
            parents[row] = parents[parents[row]]
            row = parents[row]
        return row

    def link(self, one: int, other: int) -> None:
        low, high = sorted((self.root(one), self.root(other)))
        self._parents[high] = low

    def groups(self) -> list[list[int]]:
        """Return those of two and more rows, each sorted, by their first row."""
        groups: dict[int, list[int]] = {}
        for row in sorted(self._parents):
            groups.setdefault(self.root(row), []).append(row)
        return [groups[first] for first in sorted(groups) if len(groups[first]) > 1]


def _find_copies(data: CheckedData, equal: dict[int, list[int]], advance: Callable[[int], None]) -> _Links:
    """Lines that are equal, or equal but for the scan; of lines equal to the pixel the first stands for all.

    Each line is compared with its neighbours, the likest first, those with its text before others, up to the first of
    each kind that it is no copy of: in a crowd of like lines that is one or two comparisons a line.
    """
    links = _Links()
    for members in equal.values():
        for row in members[1:]:
            links.link(members[0], row)
    rows = np.array([members[0] for members in equal.values()], dtype=np.int64)
    aspects = data.measures.sizes[rows, 1] / np.maximum(data.measures.sizes[rows, 0], 1)
    near = find_nearest(data.measures.thumbnails[rows], aspects, LIKE, NEIGHBOURS)
    judge = _Judge(data)
    advance(len(data.lines) - len(rows))
    for place, row in enumerate(rows.tolist()):
        crowded = bool(near.rows[place, -1] >= 0)
        for same_text in (True, False):
            for other in _find_candidates(judge, near, rows, place, same_text):
                if links.root(row) != links.root(other):
                    if not judge.is_copy(row, other, crowded):
                        break
                    links.link(row, other)
        advance(1)
    return links


def _find_candidates(judge: "_Judge", near: Neighbours, rows: np.ndarray, place: int, same_text: bool) -> Iterator[int]:
    """Yield the neighbours of a line that have its text, or those that have another."""
    row = int(rows[place])
    for neighbour, likeness in near.of(place):
        other = int(rows[neighbour])
        if (judge.texts[row] == judge.texts[other]) is same_text and (
            same_text or (likeness >= LIKE_OTHERWISE and near.stands_out(place, likeness))
        ):
            yield other


class _Judge:
    """Says of two lines whether one is a copy of the other, each pair once."""

    def __init__(self, data: CheckedData) -> None:
        self.data = data
        self.texts = [strip_to_letters(line.text) for line in data.lines]
        self._known: dict[tuple[int, int, bool], bool] = {}
        self._other_pages = lru_cache(maxsize=1 << 16)(self._is_other_page)

    def is_copy(self, one: int, other: int, crowded: bool) -> bool:
        """Return whether they show one piece of writing. Of a crowd of like lines those whose texts differ by a letter,
        and of any lines those whose numbers differ, must be equal almost to the pixel."""
        pair = (min(one, other), max(one, other), crowded)
        if pair not in self._known:
            self._known[pair] = self._compare(*pair)
        return self._known[pair]

    def _compare(self, one: int, other: int, crowded: bool) -> bool:
        texts = self.texts[one], self.texts[other]
        same_text = texts[0] == texts[1]
        long = bool(min(self.data.lengths[one], self.data.lengths[other]) >= LONG)
        sheets = self.data.lines[one].sheet, self.data.lines[other].sheet
        if same_text and sheets[0] != sheets[1] and self._other_pages(*sorted(sheets), long):
            return False
        first, second = _scale_alike(self.data.store.strip(one), self.data.store.strip(other))
        if _measure_likeness(first, second) < (NEARLY_EQUAL if long else COPIED):
            return False
        close = list_numbers(texts[0]) != list_numbers(texts[1]) or (
            crowded and Levenshtein.distance(*texts) <= MISREAD
        )
        return same_text or _is_same_everywhere(first, second, *((ALMOST, 2.0) if close else (PIECE_EQUAL, APART)))

    def _is_other_page(self, one: str, other: str, long: bool) -> bool:
        """Return whether two pages hold so much that the other does not that what they share is printed on both."""
        rows = (self.data.by_sheet[sheet] for sheet in (one, other))
        texts = tuple([self.texts[row] for row in own] for own in rows)
        return share_contradicted(*texts) > OTHER_PAGE if long else share_in_common(*texts) < SAME_PAGE


def _measure_likeness(first: np.ndarray, second: np.ndarray) -> float:
    """Return the correlation of two line images of one size, from -1 to 1, the better of shifts by one pixel."""
    padded = cv2.copyMakeBorder(second, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    template = first - first.mean()
    return float(cv2.matchTemplate(padded, template, cv2.TM_CCOEFF_NORMED).max()) if template.any() else 0.0


def _is_same_everywhere(first: np.ndarray, second: np.ndarray, least: float, apart: float) -> bool:
    """Return whether two line images that look nearly the same do so in each of their pieces: no letter or digit
    differs.

    `least` is what the unlikest piece correlates by at least, `apart` how many times further from being equal than the
    usual piece it is at most.
    """
    found = _cut_pieces(first, second)
    if not len(found):
        return False
    unlikest, usual = float(found.min()), float(np.median(found))
    # Where the usual piece is equal to the pixel, rounding alone makes another one many times as far from it.
    return unlikest >= least and 1 - unlikest <= apart * max(1 - usual, 0.01)


def _cut_pieces(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the correlations of the pieces with ink of two line images of one size, each at its best shift by three
    pixels along the line and two across."""
    padded = cv2.copyMakeBorder(second, 2, 2, 3, 3, cv2.BORDER_REPLICATE)
    width = min(PIECE, first.shape[1])
    starts = [*range(0, first.shape[1] - width, PIECE // 3), first.shape[1] - width]
    pieces = [(first[:, x : x + width], padded[:, x : x + width + 6]) for x in starts]
    ink = np.array([max(float(one.std()), float(other.std())) for one, other in pieces])
    inked = ink >= 0.4 * np.sqrt((ink**2).mean())
    return np.array(
        [
            float(cv2.matchTemplate(other, one, cv2.TM_CCOEFF_NORMED).max()) if one.std() > 1e-3 else 0.0
            for (one, other), counts in zip(pieces, inked, strict=True)
            if counts
        ]
    )


def _scale_alike(one: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    first, second = measure_darkness(one), measure_darkness(other)
    return first, cv2.resize(second, first.shape[::-1], interpolation=cv2.INTER_AREA)
