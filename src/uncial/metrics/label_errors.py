"""How surely a ground truth is wrong, or stands in another line, from what a model that never saw it finds likely."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

GAP = 2
"""Characters that are read as they are transcribed between two differences of one place."""

LEFT_OUT = math.log(2)
"""What each further character that a slip leaves out costs, in nats: the longer the rarer."""

UNRELATED = 0.5
"""Edits for each character of the longer text from which a truth may be that of another line."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where truth and reading differ: what stands at `start` of the truth, and what was read there."""

    start: int
    truth: str
    reading: str


def find_places(truth: str, reading: str) -> tuple[Place, ...]:
    """Return where the texts differ, differences with at most GAP characters between them joined, in order."""
    joined: list[list[int]] = []
    for operation in Levenshtein.opcodes(truth, reading):
        if operation.tag == "equal":
            continue
        span = [operation.src_start, operation.src_end, operation.dest_start, operation.dest_end]
        if joined and span[0] - joined[-1][1] <= GAP:
            joined[-1][1], joined[-1][3] = span[1], span[3]
        else:
            joined.append(span)
    return tuple(Place(start, truth[start:end], reading[begin:stop]) for start, end, begin, stop in joined)


def list_alternatives(truth: str, found: Sequence[Place]) -> list[tuple[str, tuple[Place, ...]]]:
    """Return the texts that may have been meant, with the places in which they differ from the truth: one place as it
    was read, for each, and all of them."""
    chosen = [(place,) for place in found] + ([tuple(found)] if len(found) > 1 else [])
    return [(_apply_corrections(truth, some), some) for some in chosen]


def _apply_corrections(truth: str, changed: Sequence[Place]) -> str:
    pieces, end = [], 0
    for place in changed:
        pieces += [truth[end : place.start], place.reading]
        end = place.start + len(place.truth)
    return "".join([*pieces, truth[end:]])


def compute_surprisals(texts: Iterable[str]) -> dict[str, float]:
    """Return -ln of the share of each character in the texts, and under "" that of one never seen."""
    counts = Counter(character for text in texts for character in text)
    total = counts.total() + 1
    return {character: math.log(total / count) for character, count in counts.items()} | {"": math.log(total)}


def compute_typo_cost(truth: str, changed: Sequence[Place], surprise: Mapping[str, float]) -> float:
    """Return -ln P(t | u), in nats: that a slip in these places made the truth out of what was read there."""
    cost = 0.0
    for place in changed:
        cost += math.log(len(truth) + 1)
        for operation in Levenshtein.editops(place.truth, place.reading):
            if operation.tag == "insert":
                cost += LEFT_OUT
            else:
                character = place.truth[operation.src_pos]
                cost += surprise.get(character, surprise[""])
    return cost


def compute_other_line_cost(truth: str, meant: str, lines: int) -> float:
    """Return -ln P(t | u) where the truth is the text of another one of so many lines, infinite where it is too like
    what was meant."""
    return math.log(max(2, lines)) if Levenshtein.normalized_distance(truth, meant) > UNRELATED else math.inf


def compute_log_odds(prior: float, ratios: Sequence[float], costs: Sequence[float]) -> float:
    """Return the natural logarithm of the odds that a truth is wrong. `prior` is the share of lines that are expected
    to be, `ratios` and `costs` are ln P(u | image) - ln P(t | image) and -ln P(t | u) of each alternative.

    -inf where nothing was read otherwise.
    """
    terms = [ratio - cost for ratio, cost in zip(ratios, costs, strict=True)]
    if not terms:
        return -math.inf
    most = max(terms)
    return math.log(prior / (1 - prior)) + most + math.log(sum(math.exp(term - most) for term in terms))


def convert_odds(odds: float) -> float:
    """Return the probability of log-odds."""
    return 1 / (1 + math.exp(-odds)) if odds > -700 else 0.0


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
class LineShift:
    """A run of lines whose texts stand as far from where they belong.

    `first` and `last` are places in the page, counted from 0, `lines` those between them that were seen to be off.
    `offset` says where the text of an image is found: in so many lines after it, or before it where negative.
    """

    first: int
    last: int
    lines: int
    offset: int


def find_misaligned(truths: Sequence[str], readings: Sequence[str]) -> dict[int, int]:
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


def find_shifts(truths: Sequence[str], readings: Sequence[str], found: Mapping[int, int]) -> list[LineShift]:
    """Return the runs in what `misaligned` found: lines with one offset, between which no line was read as its own
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
    return [LineShift(run[0], run[-1], len(run), found[run[0]] - run[0]) for run in runs if len(run) >= LEAST_LINES]
