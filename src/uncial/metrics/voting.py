"""Several readings of one line made into one, character by character."""

from collections.abc import Sequence
from math import exp, log

from rapidfuzz.distance import Levenshtein

from uncial.document import Transcription

Vote = tuple[str, float]
"""A character, or nothing (''), and how sure the reading is of it."""

Slot = list[Vote]
"""One place of the line with the vote of each reading, in the order in which the readings were added."""

MIN_WEIGHT = 1e-6
"""What a confidence of 0 is taken for in a mean of logarithms."""


def vote_on_readings(readings: Sequence[Transcription]) -> Transcription:
    """Return what the readings of one line together say; the first counts where two are as sure.

    ROVER (Fiscus 1997) with characters for words: the readings are aligned one after the other to a network of slots,
    beginning with the one that is nearest to all, and in each slot the confidences of those that read the same are
    added up. Where a reading has nothing its vote is as sure as the less sure of the characters beside the place. A
    character's confidence is the sum of the votes for it over the number of readings, the line's their geometric mean.
    Positions are not kept. Raises `ValueError` for no reading.
    """
    if not readings:
        raise ValueError("there is no reading to vote with")
    if len({reading.text for reading in readings}) == 1:
        slots = [list(column) for column in zip(*map(_collect_votes, readings), strict=True)]
    else:
        slots = []
        ordered = _sort_by_nearness(readings)
        for number, reading in enumerate(ordered):
            slots = _add_reading(slots, _collect_votes(reading), [other.confidence for other in ordered[: number + 1]])
    winners = [winner for winner in map(_find_winner, slots) if winner[0]]
    sure = tuple(confidence for _, confidence in winners)
    nothing = sum(reading.confidence for reading in readings if not reading.text) / len(readings)
    confidence = exp(sum(log(max(one, MIN_WEIGHT)) for one in sure) / len(sure)) if sure else nothing
    return Transcription("".join(character for character, _ in winners), confidence, sure)


def _collect_votes(reading: Transcription) -> list[Vote]:
    """Return a reading without confidences of its characters votes with that of the line."""
    known = reading.character_confidences
    sure = known if len(known) == len(reading.text) else [reading.confidence] * len(reading.text)
    return list(zip(reading.text, sure, strict=True))


def _sort_by_nearness(readings: Sequence[Transcription]) -> list[Transcription]:
    def distance(place: int) -> tuple[int, float]:
        own = readings[place]
        return sum(Levenshtein.distance(own.text, other.text) for other in readings), -own.confidence

    first = min(range(len(readings)), key=distance)
    return [readings[first], *readings[:first], *readings[first + 1 :]]


def _add_reading(slots: list[Slot], votes: list[Vote], lines: Sequence[float]) -> list[Slot]:
    """Return the slots with one reading more; `lines` are the confidences of those that have voted already, and its
    own."""
    *before, line = lines
    if not before:
        return [[one] for one in votes]
    found: list[Slot] = []
    next_slot = next_vote = 0
    for slot, place in _align_steps(slots, votes):
        if slot is None:
            beside = [*found[-1:], *slots[next_slot : next_slot + 1]]
            earlier = [("", min((one[number][1] for one in beside), default=own)) for number, own in enumerate(before)]
        else:
            earlier, next_slot = slots[slot], slot + 1
        if place is None:
            near = votes[max(next_vote - 1, 0) : next_vote + 1]
            new = ("", min((confidence for _, confidence in near), default=line))
        else:
            new, next_vote = votes[place], place + 1
        found.append([*earlier, new])
    return found


def _align_steps(slots: Sequence[Slot], votes: Sequence[Vote]) -> list[tuple[int | None, int | None]]:
    """Return a cheapest alignment of slots (S) with votes (V): their numbers, None where one side has nothing there.

    A slot costs nothing where one of its votes is the same; a pair is preferred to a gap that costs the same.
    """
    rows, columns = len(slots), len(votes)
    read = [{character for character, _ in slot} for slot in slots]
    costs = [[float(column) for column in range(columns + 1)]]
    for row in range(1, rows + 1):
        skip = 0.0 if "" in read[row - 1] else 1.0
        above, line = costs[-1], [costs[-1][0] + skip]
        for column in range(1, columns + 1):
            pair = above[column - 1] + (votes[column - 1][0] not in read[row - 1])
            line.append(min(pair, above[column] + skip, line[-1] + 1))
        costs.append(line)
    steps: list[tuple[int | None, int | None]] = []
    row, column = rows, columns
    while row or column:
        here = costs[row][column]
        if row and column and here == costs[row - 1][column - 1] + (votes[column - 1][0] not in read[row - 1]):
            row, column = row - 1, column - 1
            steps.append((row, column))
        elif row and here == costs[row - 1][column] + (0.0 if "" in read[row - 1] else 1.0):
            row -= 1
            steps.append((row, None))
        else:
            column -= 1
            steps.append((None, column))
    return steps[::-1]


def _find_winner(slot: Slot) -> Vote:
    sums: dict[str, float] = {}
    for character, confidence in slot:
        sums[character] = sums.get(character, 0.0) + confidence
    best = max(sums, key=lambda character: sums[character])
    return best, sums[best] / len(slot)
