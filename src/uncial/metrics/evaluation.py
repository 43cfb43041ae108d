"""Everything that is said about how one model read a set of lines."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from uncial.metrics.calibration import Calibration, measure_calibration
from uncial.metrics.characters import CharacterScores, score_characters
from uncial.metrics.intervals import Bootstrap
from uncial.metrics.lines import (
    KEYS,
    EvaluatedLine,
    GroupScore,
    choose_cluster_key,
    evaluate_line,
    score_group,
    score_groups,
)
from uncial.metrics.profiles import form
from uncial.text.normalization import DEFAULT_PROFILE

IGNORING = (
    "ignore_case",
    "ignore_punctuation",
    "ignore_diacritics",
    "ignore_case+ignore_punctuation+ignore_diacritics",
)
"""Variants of the profile that a set is scored under besides the profile itself."""


@dataclass(frozen=True, slots=True)
class EvaluationSettings:
    """How lines are scored. `profile` is the form of text, `variants` are put behind it for further scores, `cluster`
    is what is drawn anew for the intervals: page, document or hand.
    """

    profile: str = DEFAULT_PROFILE
    variants: tuple[str, ...] = IGNORING
    cluster: str = "page"
    bootstrap: Bootstrap = field(default_factory=Bootstrap)

    def check(self) -> None:
        """Raise `UserError` for a profile, variant or cluster that does not exist."""
        for profile in (self.profile, *self.variant_profiles):
            form(profile)
        choose_cluster_key(self.cluster)

    @property
    def variant_profiles(self) -> tuple[str, ...]:
        """The profiles of the further scores."""
        return tuple(f"{self.profile}+{variant}" for variant in self.variants)


@dataclass(frozen=True, slots=True)
class Overview:
    """How a set of lines was read, in short: what metrics.json and the model file say of it.

    `total` is the score of all lines. `clusters` is the number of pages (or documents, or hands) that its intervals
    rest on.
    """

    settings: EvaluationSettings
    total: GroupScore
    calibration: Calibration
    clusters: int

    @property
    def lines_are_pages(self) -> bool:
        """Whether every line counts as a page of its own, as line images do whose names do not tell their pages."""
        return self.settings.cluster == "page" and self.clusters == self.total.scores.lines > 1


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How a set of lines was read, in full.

    `variants` are the scores under further profiles, `groups` those of every group of every kind in `KEYS`.
    `characters` holds confusions and the scores of characters, scripts and kinds of error. `lines` are ordered by page
    and line id.
    """

    overview: Overview
    variants: tuple[GroupScore, ...]
    groups: tuple[GroupScore, ...]
    characters: CharacterScores
    lines: tuple[EvaluatedLine, ...]

    @property
    def settings(self) -> EvaluationSettings:
        return self.overview.settings

    @property
    def total(self) -> GroupScore:
        return self.overview.total

    @property
    def calibration(self) -> Calibration:
        return self.overview.calibration


class Evaluator:
    """Gathers lines and scores them all. The result does not depend on the lines' order."""

    def __init__(self, settings: EvaluationSettings | None = None) -> None:
        """Start from no line. Raises `UserError` for a profile, variant or cluster that does not exist."""
        self.settings = settings or EvaluationSettings()
        self.settings.check()
        self._lines: list[EvaluatedLine] = []

    def update(self, line: EvaluatedLine) -> None:
        """Add one line, evaluated under the settings' profile. Raises `ValueError` for one of another profile."""
        if line.profile != self.settings.profile:
            raise ValueError(f"The line was scored under {line.profile}, the set is under {self.settings.profile}.")
        self._lines.append(line)

    def aggregate(self, others: Iterable["Evaluator"]) -> None:
        """Add what others gathered, for instance in other processes."""
        for other in others:
            for line in other._lines:
                self.update(line)

    def compute(self) -> Evaluation:
        """Score all lines so far."""
        settings = self.settings
        lines = sorted(self._lines, key=lambda line: (line.origin.page, line.origin.line, line.origin.row or 0))
        return Evaluation(
            overview=build_overview(lines, settings),
            variants=tuple(_score_variant(lines, profile, settings) for profile in settings.variant_profiles),
            groups=tuple(
                score for kind in KEYS for score in score_groups(lines, kind, settings.cluster, settings.bootstrap)
            ),
            characters=score_characters(lines),
            lines=tuple(lines),
        )

    def reset(self) -> None:
        """Forget every line."""
        self._lines = []


def build_overview(lines: Sequence[EvaluatedLine], settings: EvaluationSettings) -> Overview:
    """Score a set of lines as a whole, without its parts."""
    return Overview(
        settings=settings,
        total=score_group(lines, "all", "", settings.cluster, settings.bootstrap, settings.profile),
        calibration=measure_calibration(lines),
        clusters=len({choose_cluster_key(settings.cluster)(line) for line in lines}),
    )


def evaluate(lines: Iterable[EvaluatedLine], settings: EvaluationSettings | None = None) -> Evaluation:
    """Score a set of lines. Raises as `Evaluator` does."""
    evaluator = Evaluator(settings)
    for line in lines:
        evaluator.update(line)
    return evaluator.compute()


def _score_variant(lines: Sequence[EvaluatedLine], profile: str, settings: EvaluationSettings) -> GroupScore:
    again = [evaluate_line(line.origin, line.truth, line.prediction, profile) for line in lines]
    return score_group(again, "profile", profile, settings.cluster, settings.bootstrap, profile)
