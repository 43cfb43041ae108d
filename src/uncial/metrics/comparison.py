"""Models compared on the same lines: which is better, how surely, and where."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from uncial.errors import UserError
from uncial.metrics.characters import CharacterScores, score_characters
from uncial.metrics.evaluation import EvaluationSettings
from uncial.metrics.intervals import Estimate, estimate_rate, sum_by_cluster
from uncial.metrics.lines import KEYS, EvaluatedLine, LineOrigin, choose_cluster_key, group_lines
from uncial.metrics.paired import PairedTest, adjust_by_holm, run_paired_test

Readings = Sequence[Sequence[EvaluatedLine]]
"""The same lines as one system read them: once, or once for each seed that it was trained with."""


@dataclass(frozen=True, slots=True)
class SystemScore:
    """One of the compared systems: error rates over all lines, the mean of its seeds, and what it does wrong.

    `characters` are of its first seed.
    """

    name: str
    seeds: int
    cer: Estimate
    wer: Estimate
    line_accuracy: float
    characters: CharacterScores


@dataclass(frozen=True, slots=True)
class PairScore:
    """Two systems against each other. `cer` and `wer` are tests of the first one's error rate less the second's.

    `p` is the CER's p-value corrected for the number of pairs, None where there is one page alone; `better` is the name
    of the system that is better at the level asked for, None where no difference is shown. `first_wins`, `ties` and
    `second_wins` count lines by which system needs fewer edits.
    """

    first: str
    second: str
    cer: PairedTest
    wer: PairedTest
    p: float | None
    better: str | None
    first_wins: int
    ties: int
    second_wins: int
    needed_lines: int | None


@dataclass(frozen=True, slots=True)
class GroupComparison:
    """Lines that share a `name` under `kind` (one of `KEYS`, or a measure of their images): each system's CER there, in
    the order of the systems, and the lines in which it alone needs fewest edits.
    """

    kind: str
    name: str
    lines: int
    characters: int
    cer: tuple[float, ...]
    wins: tuple[int, ...]

    @property
    def best(self) -> int | None:
        """The place of the system with the lowest CER, None where two share it or there is but one."""
        if len(self.cer) < 2:
            return None
        rates = [round(rate, 9) for rate in self.cer]  # Means over seeds that are equal may differ by rounding.
        return rates.index(min(rates)) if rates.count(min(rates)) == 1 else None


@dataclass(frozen=True, slots=True)
class ComparedLine:
    """A line with what each system read in it, in the order of the systems: the reading and the confidences of its
    first seed, and the edits needed, the mean over its seeds.
    """

    origin: LineOrigin
    truth: str
    script: str
    predictions: tuple[str, ...]
    edits: tuple[float, ...]
    confidences: tuple[float | None, ...]
    character_confidences: tuple[tuple[float, ...], ...]

    @property
    def page(self) -> str:
        """The page that the line is written on: what lines are grouped by."""
        return self.origin.sheet or self.origin.page

    @property
    def missed_by_all(self) -> bool:
        return min(self.edits) > 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """Systems on the same lines. `pairs` has every two of them, in the order of `systems`; none where there is one.
    `image_groups` has for each measure of the line images that divides the lines, which are groups of its kind too,
    the place among these of each line, -1 for one that has no measure.
    """

    settings: EvaluationSettings
    systems: tuple[SystemScore, ...]
    pairs: tuple[PairScore, ...]
    groups: tuple[GroupComparison, ...]
    lines: tuple[ComparedLine, ...]
    clusters: int
    characters: int
    image_groups: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def missed_by_all(self) -> tuple[ComparedLine, ...]:
        """Lines that no system reads without an error, those first in which the best one does worst."""
        missed = [line for line in self.lines if line.missed_by_all]
        return tuple(sorted(missed, key=lambda line: -min(line.edits) / max(len(line.truth), 1)))


def compare_systems(systems: Mapping[str, Readings], settings: EvaluationSettings) -> Comparison:
    """Compare two or more systems, by name. Every reading holds the same lines (page and line id, and truth).

    Raises `UserError` for fewer than two systems, for no line, and for readings of different lines.
    """
    if len(systems) < 2:
        settings.check()
        raise UserError("A comparison needs two models or sets of readings at least.")
    return score_systems(systems, settings)


def score_systems(systems: Mapping[str, Readings], settings: EvaluationSettings) -> Comparison:
    """Do what `compare_systems` does, also for one system, which is scored and not compared."""
    settings.check()
    ordered = {name: [_order_readings(reading) for reading in readings] for name, readings in systems.items()}
    first = next(iter(ordered.values()))[0]
    if not first:
        raise UserError("There is no line to compare.")
    for name, readings in ordered.items():
        if any(_identify_line(reading) != _identify_line(first) for reading in readings):
            raise UserError(f"{name} holds other lines or another ground truth than {next(iter(ordered))}.")
    tables = {name: _Table(readings, settings.cluster) for name, readings in ordered.items()}
    lines = tuple(_compare_lines(number, ordered) for number in range(len(first)))
    return Comparison(
        settings=settings,
        systems=tuple(_score_system(name, ordered[name], table, settings) for name, table in tables.items()),
        pairs=_score_pairs(tables, lines, settings),
        groups=_compare_groups(ordered, lines),
        lines=lines,
        clusters=len(next(iter(tables.values())).characters),
        characters=sum(line.counts.characters for line in first),
    )


class _Table:
    """Edits of each page as (seeds, P), and the pages' sizes (P,)."""

    def __init__(self, readings: Readings, cluster: str) -> None:
        clusters = [choose_cluster_key(cluster)(line) for line in readings[0]]
        sums = [
            sum_by_cluster(
                clusters,
                [line.counts.edits for line in reading],
                [line.counts.characters for line in reading],
                [line.counts.word_edits for line in reading],
                [line.counts.words for line in reading],
            )
            for reading in readings
        ]
        self.edits = np.stack([table[:, 0] for table in sums])
        self.characters = sums[0][:, 1]
        self.word_edits = np.stack([table[:, 2] for table in sums])
        self.words = sums[0][:, 3]


def _order_readings(reading: Sequence[EvaluatedLine]) -> list[EvaluatedLine]:
    return sorted(reading, key=lambda line: (line.origin.page, line.origin.line, line.origin.row or 0))


def _identify_line(reading: Sequence[EvaluatedLine]) -> list[tuple[str, str, str]]:
    return [(line.origin.page, line.origin.line, line.truth) for line in reading]


def _compare_lines(number: int, systems: Mapping[str, Readings]) -> ComparedLine:
    shown = [readings[0][number] for readings in systems.values()]
    return ComparedLine(
        origin=shown[0].origin,
        truth=shown[0].truth,
        script=shown[0].script,
        predictions=tuple(line.prediction for line in shown),
        edits=tuple(
            sum(reading[number].counts.edits for reading in readings) / len(readings) for readings in systems.values()
        ),
        confidences=tuple(line.confidence for line in shown),
        character_confidences=tuple(line.character_confidences for line in shown),
    )


def _score_system(name: str, readings: Readings, table: _Table, settings: EvaluationSettings) -> SystemScore:
    correct = sum(line.counts.correct_lines for reading in readings for line in reading)
    # What was read where the truth has no line counts as none.
    number = sum(line.counts.lines for reading in readings for line in reading)
    return SystemScore(
        name=name,
        seeds=len(readings),
        cer=estimate_rate(table.edits, table.characters, settings.bootstrap, settings.cluster),
        wer=estimate_rate(table.word_edits, table.words, settings.bootstrap, settings.cluster),
        line_accuracy=correct / max(number, 1),
        characters=score_characters(readings[0]),
    )


def _score_pairs(
    tables: Mapping[str, _Table], lines: Sequence[ComparedLine], settings: EvaluationSettings
) -> tuple[PairScore, ...]:
    names = list(tables)
    places = list(combinations(range(len(names)), 2))
    how = (settings.bootstrap, len(places), settings.cluster)
    tests = []
    for first, second in places:
        one, other = tables[names[first]], tables[names[second]]
        tests.append(
            (
                run_paired_test(one.edits, other.edits, one.characters, *how),
                run_paired_test(one.word_edits, other.word_edits, one.words, *how),
            )
        )
    known = [cer.p for cer, _ in tests if cer.p is not None]
    corrected: Sequence[float | None] = adjust_by_holm(known) if len(known) == len(tests) else [None] * len(tests)
    return tuple(
        _score_pair(names, place, test, p, lines, 1 - settings.bootstrap.level)
        for place, test, p in zip(places, tests, corrected, strict=True)
    )


def _score_pair(
    names: Sequence[str],
    places: tuple[int, int],
    tests: tuple[PairedTest, PairedTest],
    p: float | None,
    lines: Sequence[ComparedLine],
    alpha: float,
) -> PairScore:
    first, second = places
    cer, wer = tests
    better = None
    if p is not None and p <= alpha:
        better = names[second] if cer.difference.value > 0 else names[first]
    wins = sum(line.edits[first] < line.edits[second] for line in lines)
    losses = sum(line.edits[first] > line.edits[second] for line in lines)
    needed = None
    if better is None and cer.needed_clusters is not None:
        pages = max(cer.needed_clusters, cer.clusters + 1)
        needed = round(pages * len(lines) / cer.clusters)
    return PairScore(
        first=names[first],
        second=names[second],
        cer=cer,
        wer=wer,
        p=p,
        better=better,
        first_wins=wins,
        ties=len(lines) - wins - losses,
        second_wins=losses,
        needed_lines=needed,
    )


def _compare_groups(systems: Mapping[str, Readings], lines: Sequence[ComparedLine]) -> tuple[GroupComparison, ...]:
    first = next(iter(systems.values()))[0]
    place = {id(line): number for number, line in enumerate(first)}
    found = []
    for kind, key in KEYS.items():
        for name, members in group_lines(first, key).items():
            if name:
                found.append(compare_group(kind, name, [lines[place[id(line)]] for line in members]))
    return tuple(found)


def compare_group(kind: str, name: str, members: Sequence[ComparedLine]) -> GroupComparison:
    """Compare the systems in the lines of a group."""
    characters = sum(len(line.truth) for line in members)
    edits = np.array([line.edits for line in members], float)
    lowest = edits == edits.min(axis=1, keepdims=True)
    alone = lowest & (lowest.sum(axis=1, keepdims=True) == 1)
    return GroupComparison(
        kind=kind,
        name=name,
        lines=len(members),
        characters=characters,
        cer=tuple((edits.sum(axis=0) / max(characters, 1)).tolist()),
        wins=tuple(alone.sum(axis=0).tolist()),
    )
