"""Lines whose text is far too long or too short for what is written in their image."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from uncial.data.checks.checked import CheckedData
from uncial.data.checks.findings import Finding
from uncial.data.checks.measures import deviations, scales

CROWDED, SPARSE = 1.05, 1.2
"""Natural logarithms of the ratio to the hand's usual width of a character from which a line is a warning: a third of
it, and 3.3 times it."""

NOTABLE = 0.9
"""That from which a sparse line is information: 2.5 times the usual width."""

USUAL_SCALES = 4.5
"""A line must also lie this many standard deviations of its hand away."""

SHORT = 5
"""Characters below which widths say little: a sparse line must be the sparser, and crowded ones are not told."""


def proportions(data: CheckedData) -> Iterator[Finding]:
    """Compares the pixels a character of each line with its hand's, measured in two ways that both have to agree.

    A text that recurs with the same proportions, as a stamp does, is believed.
    """
    deviation = _deviation(data)
    believed = _recurring(data, deviation)
    known = data.lengths >= SHORT
    usual = scales(deviation, data.by_hand, known)
    for row in np.flatnonzero(np.isfinite(deviation)).tolist():
        size, length = float(deviation[row]), int(data.lengths[row])
        widened = USUAL_SCALES * float(usual[row])
        if size < 0 and -size > max(CROWDED, widened) and length >= SHORT and row not in believed:
            message = f"the text, {length} characters, has {np.exp(size):.2g} times the usual width for each character"
            remedy = "Look whether the image holds all of the text and nothing of other lines."
            yield data.finding(row, "warning", "crowded_line", message, remedy)
        elif size > max(NOTABLE, widened) + 0.3 * max(0, SHORT - length) and row not in believed:
            message = f"the text, {length} characters, has {np.exp(size):.2g} times the usual width for each character"
            least = max(SPARSE, widened) + 0.3 * max(0, SHORT - length)
            remedy = "Look whether the text is whole, or whether struck or large letters fill the line."
            yield data.finding(row, "warning" if size > least else "information", "sparse_line", message, remedy)


def _deviation(data: CheckedData) -> np.ndarray:
    """Logarithms of the width of a character against the hand's: of the two measures the one nearer to 0, 0 where they
    contradict one another."""
    measures = data.measures
    lengths = np.maximum(data.lengths, 1)
    known = (data.lengths >= SHORT) & (measures.extent > 0)
    by_height = np.log(np.maximum(measures.extent, 0.02) / lengths)
    height = np.sqrt(np.maximum(measures.spread, 0.1))
    by_ink = np.log(np.maximum(measures.written, 0.02) / height / lengths)
    one, other = (deviations(values, data.by_hand, known) for values in (by_height, by_ink))
    nearer = np.where(np.abs(one) < np.abs(other), one, other)
    return np.where(np.isnan(one), np.nan, np.where(one * other > 0, nearer, 0.0))


def _recurring(data: CheckedData, deviation: np.ndarray) -> set[int]:
    """Rows whose text another line has with about the same deviation."""
    by_text: dict[str, list[int]] = {}
    for row in np.flatnonzero(np.abs(np.nan_to_num(deviation)) > NOTABLE / 2).tolist():
        by_text.setdefault(data.lines[row].text.strip(), []).append(row)
    found: set[int] = set()
    for rows in by_text.values():
        rows.sort(key=lambda row: deviation[row])
        # Of the rows within reach the next one of another image in either direction is enough.
        for ordered in (rows, rows[::-1]):
            other = None
            for before, row in pairwise(ordered):
                if data.measures.checksums[before] != data.measures.checksums[row]:
                    other = before
                if other is not None and abs(deviation[other] - deviation[row]) < 0.5:
                    found.add(row)
    return found
