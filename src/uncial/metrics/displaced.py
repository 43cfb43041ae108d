"""Texts that stand in another line of their page than the one whose image holds them.

One line too many or too few in a page's segmentation, and every text after it that was typed or imported in order
stands one line off. Models that never saw the page read on, and what they read is the truth of a neighbour.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

from uncial.metrics.suspicion import UNRELATED

RELATED = 0.5
"""Edits for each character of the longer text, up to which a reading may be of another truth; from `UNRELATED` on it is
not of its own."""

NEARER = 0.2
"""By so much the other truth has to be more like the reading than the line's own."""

LEAST_CHARACTERS = 8
"""Shorter texts are like many others."""

LEAST_LINES = 3
"""Fewer that are off by as much are swapped lines, not a shift."""


@dataclass(frozen=True, slots=True)
class Shift:
    """A run of lines whose texts stand as far from where they belong.

    `first` and `last` are places in the page, counted from 0, `lines` those between them that were seen to be off.
    `offset` says where the text of an image is found: in so many lines after it, or before it where negative.
    """

    first: int
    last: int
    lines: int
    offset: int


def displaced(truths: Sequence[str], readings: Sequence[str]) -> dict[int, int]:
    """Return for lines of one page, by their places, the place whose truth is what was read in their image instead of
    their own; `truths[i]` was read as `readings[i]`."""
    found = {}
    for place, reading in enumerate(readings):
        own = Levenshtein.normalized_distance(truths[place], reading)
        if own < UNRELATED or len(reading) < LEAST_CHARACTERS:
            continue
        distances = {
            other: Levenshtein.normalized_distance(truth, reading)
            for other, truth in enumerate(truths)
            if len(truth) >= LEAST_CHARACTERS
        }
        if not distances:
            continue
        nearest = min(distances, key=lambda other: (distances[other], abs(other - place)))
        if distances[nearest] <= min(RELATED, own - NEARER):
            found[place] = nearest
    return found


def shifts(truths: Sequence[str], readings: Sequence[str], found: Mapping[int, int]) -> list[Shift]:
    """Return the runs in what `displaced` found: lines with one offset, between which no line was read as its own
    truth, and none as one with another offset."""
    runs: list[list[int]] = []
    for place, (truth, reading) in enumerate(zip(truths, readings, strict=True)):
        if place in found:
            if runs and runs[-1] and found[place] - place == found[runs[-1][-1]] - runs[-1][-1]:
                runs[-1].append(place)
            else:
                runs.append([place])
        elif Levenshtein.normalized_distance(truth, reading) < UNRELATED:
            runs.append([])
    return [Shift(run[0], run[-1], len(run), found[run[0]] - run[0]) for run in runs if len(run) >= LEAST_LINES]
