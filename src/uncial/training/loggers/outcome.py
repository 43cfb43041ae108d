"""What a dashboard is told of a run beside its numbers over the steps."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from uncial.metrics.characters import Confusion


@dataclass(frozen=True)
class Job:
    """A run as a dashboard lists it. `group` is the sweep that it is a job of, if any; `config` holds plain types;
    `monitor` is the score that chooses the best model, and `mode` (min, max) its better end."""

    folder: Path
    name: str
    group: str | None
    task: str
    config: Mapping[str, Any]
    tags: tuple[str, ...] = ()
    monitor: str = ""
    mode: str = ""

    def best_end(self, score: str) -> str | None:
        """Return which end of a score (`val/cer`) is the better one, min or max; None where that is not known."""
        if score == self.monitor and self.mode in ("min", "max"):
            return self.mode
        return find_better_end(score)


ERRORS = frozenset({"cer", "wer", "ser", "loss", "error", "errors", "missed", "ece", "distance", "perplexity"})
SUCCESSES = frozenset({"accuracy", "acc", "precision", "recall", "f", "f1", "iou", "map", "auc", "correct"})
"""Words in the names of scores that say which end is the better one."""


def find_better_end(score: str) -> str | None:
    """Return which end of a score is the better one by its name, min or max; None where that does not say."""
    words = set(re.split(r"[^a-z0-9]+", score.partition("/")[2].lower()))
    return "min" if words & ERRORS else "max" if words & SUCCESSES else None


@dataclass(frozen=True, eq=False)
class ReadLine:
    """A line as the best model reads it; `image` is (h, w) or (h, w, 3) uint8, `confidence` a fraction."""

    page: str
    line: str
    image: np.ndarray
    truth: str
    prediction: str
    confidence: float
    edits: int


@dataclass(frozen=True, eq=False)
class FoundPage:
    """A page as the best model found it, beside its truth; `image` is (h, w, 3) uint8. `figures` are its scores as
    fractions by name, `counts` how many lines there are of each kind."""

    page: str
    image: np.ndarray
    figures: Mapping[str, float]
    counts: Mapping[str, int]


@dataclass(frozen=True)
class Outcome:
    """What came out of a run: scores by name, lines as its model reads them, its confusions, the most frequent first;
    of a layout model `pages` instead of these, the worst first.

    `model` is the file of a model that was trained, `data` describes what it was trained on and `pretrained` is the
    run folder or file that it started from; all three are None where nothing was trained.
    """

    scores: Mapping[str, float]
    lines: Sequence[ReadLine]
    confusions: Sequence[Confusion]
    model: Path | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    pretrained: Path | None = None
    pages: Sequence[FoundPage] = ()

    def some_lines(self, most: int) -> list[ReadLine]:
        """At most so many lines at equal distances: the same ones whenever the lines are the same."""
        if len(self.lines) <= most:
            return list(self.lines)
        return [self.lines[number * len(self.lines) // most] for number in range(most)]


@runtime_checkable
class Dashboard(Protocol):
    """A logger that shows what came out of a run, and is told when nothing comes any more."""

    def show_outcome(self, outcome: Outcome) -> None: ...
    def close(self, succeeded: bool) -> None: ...
