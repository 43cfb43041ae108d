"""What one line, or any number of lines, adds up to before it becomes a score."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from rapidfuzz.distance import Levenshtein

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
