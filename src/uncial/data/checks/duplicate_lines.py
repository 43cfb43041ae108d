"""Lines whose images are equal or nearly so: counted twice, transcribed in two ways, or known to the evaluation."""

from collections.abc import Collection, Iterator

import cv2
import numpy as np

from uncial.data.checks.alike import alike
from uncial.data.checks.checked import CheckedData
from uncial.data.checks.findings import Finding
from uncial.data.checks.measures import darkness_of

LIKE = 0.85
"""Correlation of two thumbnails from which a pair is compared at full size. Different lines stay far below."""

NEARLY_EQUAL = 0.93
"""Correlation at full size from which two images show the same piece of writing."""

LONG = 16
"""Characters from which nearly equal images of one text are no two impressions of one printed word."""

COPIED = 0.985
"""Correlation at full size from which shorter lines are copies too, and no two impressions."""

_REMEDY = "Keep one of the two."


def duplicate_lines(
    data: CheckedData, known_pages: Collection[frozenset[str]] = (), known_rows: Collection[int | None] = ()
) -> Iterator[Finding]:
    """A finding about the later line of each pair: an error where the two are in different parts, a warning otherwise.

    Left out are pairs between two pages of `known_pages`, pairs of page ids that are told to be copies already, and
    the lines of `known_rows`.
    """
    seen = set(known_rows)
    for first, second, equal in sorted(_pairs(data)):
        pages = frozenset((data.lines[first].page, data.lines[second].page))
        if second not in seen and pages not in known_pages:
            seen.add(second)
            yield _finding(data, first, second, equal)


def _finding(data: CheckedData, first: int, second: int, equal: bool) -> Finding:
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


def _pairs(data: CheckedData) -> Iterator[tuple[int, int, bool]]:
    """(earlier row, later row, whether they are equal to the pixel)."""
    measures = data.measures
    equal: dict[int, list[int]] = {}
    for row, checksum in enumerate(measures.checksums.tolist()):
        if measures.thumbnails[row].any():
            equal.setdefault(checksum, []).append(row)
    for rows in equal.values():
        yield from ((rows[0], row, True) for row in rows[1:])
    aspects = measures.sizes[:, 1] / np.maximum(measures.sizes[:, 0], 1)
    for first, second, _ in alike(measures.thumbnails, aspects, LIKE):
        if measures.checksums[first] != measures.checksums[second]:
            # Running heads, stamps and printed words are nearly as alike as two scans.
            least = NEARLY_EQUAL if min(data.lengths[first], data.lengths[second]) >= LONG else COPIED
            if likeness(data.store.strip(first), data.store.strip(second)) >= least:
                yield first, second, False


def likeness(one: np.ndarray, other: np.ndarray) -> float:
    """The correlation of two line images at ROWS pixels of height, from -1 to 1, the better of shifts by one pixel."""
    first, second = darkness_of(one), darkness_of(other)
    second = cv2.resize(second, first.shape[::-1], interpolation=cv2.INTER_AREA)
    padded = cv2.copyMakeBorder(second, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    template = first - first.mean()
    return float(cv2.matchTemplate(padded, template, cv2.TM_CCOEFF_NORMED).max()) if template.any() else 0.0
