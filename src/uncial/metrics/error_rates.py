"""The one implementation of CER, WER and line accuracy: validation, test and every report use it."""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Literal, Self, get_args

from rapidfuzz.distance import Levenshtein

from uncial.metrics.profiles import drop_diacritics, form, is_diacritic, to_lower_case
from uncial.text.normalization import DEFAULT_PROFILE

MACRO_UNITS = 10**9
"""Per-line error rates are summed in whole billionths, so that the sum does not depend on the order of the lines."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Edits and sizes of the lines compared so far. All are whole numbers, so that sums over processes are exact.

    `insertions`, `deletions` and `substitutions` are edits of characters that turn truth into prediction: an insertion
    is a character of the prediction that the truth lacks. `macro` is the sum of the lines' own CER in units of
    `MACRO_UNITS`.
    """

    insertions: int = 0
    deletions: int = 0
    substitutions: int = 0
    characters: int = 0
    word_edits: int = 0
    words: int = 0
    correct_lines: int = 0
    lines: int = 0
    macro: int = 0

    @property
    def edits(self) -> int:
        return self.insertions + self.deletions + self.substitutions

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(mine + theirs for mine, theirs in zip(self.vector(), other.vector(), strict=True)))

    def vector(self) -> tuple[int, ...]:
        """Return the counts as whole numbers that a process group can sum (they fit int64)."""
        # Not dataclasses.astuple, which copies each number and takes a hundred times as long.
        return (
            self.insertions,
            self.deletions,
            self.substitutions,
            self.characters,
            self.word_edits,
            self.words,
            self.correct_lines,
            self.lines,
            self.macro,
        )

    @classmethod
    def from_vector(cls, values: Sequence[int]) -> Self:
        """Make counts of what `vector` returned, or of a sum of such vectors."""
        return cls(*(int(value) for value in values))


def compare(truth: str, prediction: str) -> Counts:
    """Count the edits between two lines that are already normalised.

    Characters are code points, words what `str.split` yields. Where several alignments need equally few edits, the
    kinds are those of rapidfuzz's, which jiwer reports too; their sum is the same for all.
    """
    kinds = {"insert": 0, "delete": 0, "replace": 0}
    for operation in Levenshtein.editops(truth, prediction):
        kinds[operation.tag] += 1
    edits = sum(kinds.values())
    truth_words = truth.split()
    return Counts(
        insertions=kinds["insert"],
        deletions=kinds["delete"],
        substitutions=kinds["replace"],
        characters=len(truth),
        word_edits=Levenshtein.distance(truth_words, prediction.split()),
        words=len(truth_words),
        correct_lines=int(truth == prediction),
        lines=1,
        macro=round(MACRO_UNITS * edits / max(len(truth), 1)),
    )


Pair = tuple[str, str]
"""A character of the truth and what was read for it: the second is empty for a deletion, the first for an insertion."""

ErrorKind = Literal["space", "punctuation", "digit", "case", "diacritic", "letter"]
ERROR_KINDS: tuple[ErrorKind, ...] = get_args(ErrorKind)
"""In the order of `find_error_kind`: an edit is of the first kind that fits."""


def align_texts(truth: str, prediction: str) -> Iterator[Pair]:
    """Yield the pairs of a cheapest alignment by code points, in order; those that differ are the edits that the scores
    count (see `uncial.metrics.error_rates.compare`).
    """
    for operation in Levenshtein.opcodes(truth, prediction):
        one = truth[operation.src_start : operation.src_end]
        other = prediction[operation.dest_start : operation.dest_end]
        if operation.tag == "insert":
            yield from (("", character) for character in other)
        elif operation.tag == "delete":
            yield from ((character, "") for character in one)
        else:
            yield from zip(one, other, strict=True)


def find_error_kind(truth: str, read: str) -> ErrorKind:
    """Tell what kind of error an edit is: about a space, a punctuation mark or a digit if either side is one; else the
    same letter in other case or with other marks; else a letter.
    """
    categories = {unicodedata.category(character) for character in (truth, read) if character}
    if truth.isspace() or read.isspace():
        return "space"
    if any(category[0] in "PS" for category in categories):
        return "punctuation"
    if any(category[0] == "N" for category in categories):
        return "digit"
    if truth and read and to_lower_case(truth) == to_lower_case(read):
        return "case"
    if all(is_diacritic(character) for character in truth + read):
        return "diacritic"
    if truth and read and to_lower_case(drop_diacritics(truth)) == to_lower_case(drop_diacritics(read)):
        return "diacritic"
    return "letter"


@dataclass(frozen=True, slots=True)
class Scores:
    """Error rates as fractions (0.05 is 5 %), which may exceed 1, and the counts they come from.

    `cer` is all edits over all truth characters, `wer` all word edits over all truth words, `cer_macro` the mean over
    lines of the line's own CER, `line_accuracy` the share of lines without an edit. `word_accuracy` is 1 - `wer`, as
    kraken and others report it: below 0 where there are more edits than words.
    """

    cer: float
    wer: float
    cer_macro: float
    line_accuracy: float
    word_accuracy: float
    insertions: int
    deletions: int
    substitutions: int
    characters: int
    words: int
    lines: int
    profile: str

    def to_json(self) -> dict[str, float | int | str]:
        """Return the scores as plain types, by name."""
        return asdict(self)


class ErrorRates:
    """Accumulates lines and turns them into `Scores`.

    Truth and prediction are normalised by the named profile first. A line with empty truth adds no characters and all
    its insertions; where no line has any truth character (or, for WER, word), the edits are divided by one. Without any
    line every error rate is 0.
    """

    def __init__(self, profile: str = DEFAULT_PROFILE) -> None:
        """Start from no line. Raises `UserError` when no profile has that name (see `uncial.metrics.profiles`)."""
        self._form = form(profile)
        self.profile = profile
        self._counts = Counts()

    def update(self, truth: str, prediction: str) -> Counts:
        """Add one line, and return what it alone counts."""
        line = compare(self._form(truth), self._form(prediction))
        self._counts += line
        return line

    def aggregate(self, others: Iterable[Counts]) -> None:
        """Add lines counted elsewhere, for instance in other processes, under the same profile."""
        for counts in others:
            self._counts += counts

    def counts(self) -> Counts:
        """Return what has been counted since the start or the last `reset`."""
        return self._counts

    def compute(self) -> Scores:
        """Return the scores of all lines so far."""
        return scores(self._counts, self.profile)

    def reset(self) -> None:
        """Forget every line."""
        self._counts = Counts()


def scores(counts: Counts, profile: str = DEFAULT_PROFILE) -> Scores:
    """Turn counts into scores. `profile` only says how the text had been normalised."""
    return Scores(
        cer=counts.edits / max(counts.characters, 1),
        wer=counts.word_edits / max(counts.words, 1),
        cer_macro=counts.macro / MACRO_UNITS / max(counts.lines, 1),
        line_accuracy=counts.correct_lines / max(counts.lines, 1),
        word_accuracy=1 - counts.word_edits / max(counts.words, 1),
        insertions=counts.insertions,
        deletions=counts.deletions,
        substitutions=counts.substitutions,
        characters=counts.characters,
        words=counts.words,
        lines=counts.lines,
        profile=profile,
    )


def count(truths: Sequence[str], predictions: Sequence[str], profile: str = DEFAULT_PROFILE) -> Counts:
    """Count the edits of lines, `truths[i]` read as `predictions[i]`. Raises `ValueError` where one list is longer, and
    `UserError` for an unknown profile.
    """
    rates = ErrorRates(profile)
    for truth, prediction in zip(truths, predictions, strict=True):
        rates.update(truth, prediction)
    return rates.counts()


def cer(truths: Sequence[str], predictions: Sequence[str], profile: str = DEFAULT_PROFILE) -> float:
    """Return the character error rate as a fraction: all edits over all truth characters. Arguments as in `count`."""
    return scores(count(truths, predictions, profile)).cer


def wer(truths: Sequence[str], predictions: Sequence[str], profile: str = DEFAULT_PROFILE) -> float:
    """Return the word error rate as a fraction: all word edits over all truth words. Arguments as in `count`."""
    return scores(count(truths, predictions, profile)).wer


def line_accuracy(truths: Sequence[str], predictions: Sequence[str], profile: str = DEFAULT_PROFILE) -> float:
    """Return the share of lines without an edit as a fraction. Arguments as in `count`."""
    return scores(count(truths, predictions, profile)).line_accuracy
