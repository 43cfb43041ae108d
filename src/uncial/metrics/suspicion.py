"""How surely a ground truth is wrong, from what a model that never saw it finds likely in the line's image.

By Bayes' rule. Either the truth t is what stands there, or it was made from another text u by a slip of the
transcriber's; the texts u that are weighed are the truth with one place, or all places, as the model reads them. The
odds are

    P(wrong) / P(right) = prior odds * sum over u of  P(u | image) / P(t | image) * P(t | u)

where P(t | u), how likely that slip is, has the place drawn from the line and each written letter from the letters of
the data; or, where truth and reading have little in common, the whole truth from the lines of the data. The ratios
P(u | image) / P(t | image) are the model's; where it is uncertain they stay near 1, so that lines that are merely hard
to read are not suspected.
"""

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


def places(truth: str, reading: str) -> tuple[Place, ...]:
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


def alternatives(truth: str, found: Sequence[Place]) -> list[tuple[str, tuple[Place, ...]]]:
    """Return the texts that may have been meant, with the places in which they differ from the truth: one place as it
    was read, for each, and all of them."""
    chosen = [(place,) for place in found] + ([tuple(found)] if len(found) > 1 else [])
    return [(_corrected(truth, some), some) for some in chosen]


def _corrected(truth: str, changed: Sequence[Place]) -> str:
    pieces, end = [], 0
    for place in changed:
        pieces += [truth[end : place.start], place.reading]
        end = place.start + len(place.truth)
    return "".join([*pieces, truth[end:]])


def surprisals(texts: Iterable[str]) -> dict[str, float]:
    """Return -ln of the share of each character in the texts, and under "" that of one never seen."""
    counts = Counter(character for text in texts for character in text)
    total = counts.total() + 1
    return {character: math.log(total / count) for character, count in counts.items()} | {"": math.log(total)}


def slip_cost(truth: str, changed: Sequence[Place], surprise: Mapping[str, float]) -> float:
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


def other_line_cost(truth: str, meant: str, lines: int) -> float:
    """Return -ln P(t | u) where the truth is the text of another one of so many lines, infinite where it is too like
    what was meant."""
    return math.log(max(2, lines)) if Levenshtein.normalized_distance(truth, meant) > UNRELATED else math.inf


def log_odds(prior: float, ratios: Sequence[float], costs: Sequence[float]) -> float:
    """Return the natural logarithm of the odds that a truth is wrong. `prior` is the share of lines that are expected
    to be, `ratios` and `costs` are ln P(u | image) - ln P(t | image) and -ln P(t | u) of each alternative.

    -inf where nothing was read otherwise.
    """
    terms = [ratio - cost for ratio, cost in zip(ratios, costs, strict=True)]
    if not terms:
        return -math.inf
    most = max(terms)
    return math.log(prior / (1 - prior)) + most + math.log(sum(math.exp(term - most) for term in terms))


def probability(odds: float) -> float:
    """Return the probability of log-odds."""
    return 1 / (1 + math.exp(-odds)) if odds > -700 else 0.0
