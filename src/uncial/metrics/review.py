"""Which lines a person should read first, and how far the error rate falls by it.

What a line costs is expected from its confidence, which at the model's temperature is the share of its characters that
is right (uncial.metrics.calibration): 1 - confidence of the characters that were read are wrong. The line with the most
errors to be expected comes first. A line that was read is taken for right from then on.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class ReadLine:
    """A line as a model read it: the `characters` that it read, and how sure it is (a fraction). `edits` and
    `truth_characters` are known where there is a ground truth.
    """

    page: str
    line: str
    characters: int
    confidence: float
    edits: int | None = None
    truth_characters: int | None = None


@dataclass(frozen=True, slots=True)
class Review:
    """Lines (N) in the order in which to read them. `expected` (N + 1,) is the CER of the whole text as confidences let
    expect it when so many lines have been read and put right, `rest` (N,) that of the lines that are not yet read,
    before each line; `measured` and `best` (N + 1,) are the true CER in this order and in the best there is, None
    without ground truth.
    """

    lines: tuple[ReadLine, ...]
    expected_edits: np.ndarray
    expected: np.ndarray
    rest: np.ndarray
    measured: np.ndarray | None = None
    best: np.ndarray | None = None

    def needed(self, target: float, curve: np.ndarray) -> int:
        """Return how many lines have to be read before `curve` is at `target` or below; it ends at 0."""
        return int(np.flatnonzero(curve <= target)[0])


def rank_for_review(lines: Sequence[ReadLine]) -> Review:
    """Order lines. A line of which nothing was read counts as one of usual length that is wholly missed."""
    lengths = np.array([line.characters for line in lines], float)
    usual = float(np.median(lengths[lengths > 0])) if (lengths > 0).any() else 1.0
    doubts = np.array([1.0 if not line.characters else 1 - line.confidence for line in lines])
    lengths = np.where(lengths > 0, lengths, usual)
    expected = lengths * doubts
    order = np.argsort(-expected, kind="stable")
    expected, lengths = expected[order], lengths[order]
    ordered = tuple(lines[place] for place in order)
    left = _estimate_remaining_errors(expected)
    found = Review(
        ordered, expected, left / max(float(lengths.sum()), 1.0), left[:-1] / _estimate_remaining_errors(lengths)[:-1]
    )
    if any(line.edits is None or line.truth_characters is None for line in ordered):
        return found
    edits = np.array([line.edits for line in ordered], float)
    characters = max(float(sum(line.truth_characters or 0 for line in ordered)), 1.0)
    measured, best = (
        _estimate_remaining_errors(edits) / characters,
        _estimate_remaining_errors(-np.sort(-edits)) / characters,
    )
    return Review(found.lines, expected, found.expected, found.rest, measured, best)


def _estimate_remaining_errors(values: np.ndarray) -> np.ndarray:
    """Return what is left of the sum (N,) after none, one, … and all of the values: (N + 1,), the last exactly 0."""
    return np.append(np.cumsum(values[::-1])[::-1], 0.0)
