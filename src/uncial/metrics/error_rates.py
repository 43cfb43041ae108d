"""The one implementation of CER, WER and line accuracy: validation, test and every report use it."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from uncial.metrics.counts import MACRO_UNITS, Counts, compare
from uncial.metrics.profiles import form
from uncial.text.normalization import DEFAULT_PROFILE


@dataclass(frozen=True, slots=True)
class Scores:
    """Error rates as fractions (0.05 is 5 %), which may exceed 1, and the counts they come from.

    `cer` is all edits over all truth characters, `wer` all word edits over all truth words, `cer_macro` the mean over
    lines of the line's own CER, `line_accuracy` the share of lines without an edit.
    """

    cer: float
    wer: float
    cer_macro: float
    line_accuracy: float
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
