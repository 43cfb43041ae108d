"""Scores of single characters and of scripts, and which characters are mistaken for which."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from uncial.metrics.error_rates import ERROR_KINDS, align_texts, find_error_kind
from uncial.metrics.lines import EvaluatedLine
from uncial.text.characters import find_scripts


@dataclass(frozen=True, slots=True)
class Confusion:
    """`count` times `truth` was read as `read`; `read` is empty for a deletion, `truth` for an insertion."""

    truth: str
    read: str
    count: int


@dataclass(frozen=True, slots=True)
class UnitScore:
    """How well a character, or the characters of a script, were read. `unit` is the code point, or the script's name.

    `count` is how often it stands in the truth; so many were deleted and read as something else. `insertions` counts
    those that were read where the truth has nothing, `wrongly_read` those that were read for another one.
    """

    unit: str
    count: int
    deletions: int
    substitutions: int
    insertions: int
    wrongly_read: int

    @property
    def edits(self) -> int:
        return self.deletions + self.substitutions + self.insertions

    @property
    def cer(self) -> float:
        """Edits over occurrences, as the CER of a whole set; edits where there is none."""
        return self.edits / max(self.count, 1)

    @property
    def recall(self) -> float | None:
        """The share of its occurrences that were read right, None where it does not occur."""
        return (self.count - self.deletions - self.substitutions) / self.count if self.count else None

    @property
    def precision(self) -> float | None:
        """The share of its readings that are right, None where it was never read."""
        right = self.count - self.deletions - self.substitutions
        readings = right + self.insertions + self.wrongly_read
        return right / readings if readings else None


@dataclass(frozen=True, slots=True)
class CharacterScores:
    """What alignment tells about a set of lines.

    `confusions` are the edits, the most frequent first; `characters` the most frequent of the truth first, `scripts` by
    name: their edits add up to those of the set. `kinds` counts the edits of each kind (see `find_error_kind`).
    """

    confusions: tuple[Confusion, ...]
    characters: tuple[UnitScore, ...]
    scripts: tuple[UnitScore, ...]
    kinds: dict[str, int]


def score_characters(lines: Iterable[EvaluatedLine]) -> CharacterScores:
    """Align every line and count."""
    pairs: Counter[tuple[str, str]] = Counter()
    script_pairs: Counter[tuple[str, str, bool]] = Counter()
    for line in lines:
        _count_units(line, pairs, script_pairs)
    edits = Counter({pair: count for pair, count in pairs.items() if pair[0] != pair[1]})
    kinds = dict.fromkeys(map(str, ERROR_KINDS), 0)
    for (truth, read), count in edits.items():
        kinds[find_error_kind(truth, read)] += count
    characters = _score_units((truth, read, truth == read, count) for (truth, read), count in pairs.items())
    by_script = _score_units((truth, read, same, count) for (truth, read, same), count in script_pairs.items())
    return CharacterScores(
        confusions=tuple(Confusion(*pair, count) for pair, count in sorted(edits.items(), key=_sort_by_frequency)),
        characters=tuple(sorted(characters, key=lambda score: (-score.count, score.unit))),
        scripts=tuple(sorted(by_script, key=lambda score: score.unit)),
        kinds=kinds,
    )


def confusions(truths: Sequence[str], predictions: Sequence[str]) -> tuple[Confusion, ...]:
    """Return what was read as what, the most frequent first, of lines that are already normalised. Raises `ValueError`
    where one list is longer.
    """
    pairs: Counter[tuple[str, str]] = Counter()
    for truth, prediction in zip(truths, predictions, strict=True):
        pairs.update(pair for pair in align_texts(truth, prediction) if pair[0] != pair[1])
    return tuple(Confusion(*pair, count) for pair, count in sorted(pairs.items(), key=_sort_by_frequency))


def _sort_by_frequency(item: tuple[tuple[str, str], int]) -> tuple[int, tuple[str, str]]:
    return -item[1], item[0]


def _count_units(
    line: EvaluatedLine, pairs: Counter[tuple[str, str]], script_pairs: Counter[tuple[str, str, bool]]
) -> None:
    of_truth, of_prediction = iter(find_scripts(line.truth)), iter(find_scripts(line.prediction))
    for truth, read in align_texts(line.truth, line.prediction):
        pairs[truth, read] += 1
        own = next(of_truth) if truth else ""
        other = next(of_prediction) if read else ""
        script_pairs[own, other, truth == read] += 1


def _score_units(pairs: Iterable[tuple[str, str, bool, int]]) -> list[UnitScore]:
    """`pairs` are (unit of the truth, unit that was read, whether the characters are the same, how often)."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for truth, read, same, count in pairs:
        if truth:
            found[truth]["count"] += count
        if same:
            continue
        if not truth:
            found[read]["insertions"] += count
        elif not read:
            found[truth]["deletions"] += count
        else:
            found[truth]["substitutions"] += count
            found[read]["wrongly_read"] += count
    names = ("count", "deletions", "substitutions", "insertions", "wrongly_read")
    return [UnitScore(unit, *(counts[name] for name in names)) for unit, counts in found.items()]
