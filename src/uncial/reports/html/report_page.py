"""report.html: the scores of one model with the lines themselves, or a comparison of several."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np

from uncial.metrics.characters import UnitScore
from uncial.metrics.comparison import Comparison, GroupComparison
from uncial.metrics.error_rates import ERROR_KINDS
from uncial.metrics.evaluation import Evaluation
from uncial.metrics.image_quality import MeasureScore
from uncial.metrics.lines import EvaluatedLine, GroupScore
from uncial.metrics.robustness import ConditionScore
from uncial.reports.html.line_list import (
    ListedLine,
    StripOf,
    lines_to_json,
    list_compared,
    list_evaluated,
    make_pictures,
)
from uncial.reports.html.rendering import encode_data_url, encode_picture, write_page
from uncial.reports.plots.score_plots import draw_reliability
from uncial.reports.tables.comparison import describe_kind, list_confusions_by_system, order_of_group
from uncial.reports.tables.image_quality import UNITS, describe_correlation
from uncial.reports.tables.robustness import COLUMNS, describe_conditions, describe_robustness
from uncial.reports.tables.scores import describe_images
from uncial.reports.terminal.verdict import describe_verdict

SHOWN_GROUPS = 300
SHOWN_CONFUSIONS = 300
SHOWN_CHARACTERS = 500
"""Rows of a table; scores.json has all."""


@dataclass(frozen=True, slots=True)
class ReportHeader:
    """What a report is about: its title, and facts by what they are.

    `rest` is the file with what tables leave out, empty where there is none. `curves` is a PNG file with those of a
    training.
    """

    title: str
    facts: Mapping[str, str]
    rest: str = ""
    curves: Path | None = None


@dataclass(frozen=True, slots=True, eq=False)
class DegradedScores:
    """Scores under each condition, the clean lines first, and one line as the model sees it under each."""

    scores: Sequence[ConditionScore]
    images: Sequence[np.ndarray]


def write_scores_page(
    path: Path,
    evaluation: Evaluation,
    about: ReportHeader,
    strip_of: StripOf | None = None,
    pictures: int = 150,
    by_image: Sequence[MeasureScore] = (),
    degraded: DegradedScores | None = None,
) -> None:
    """Write the page, one file. `strip_of` gives the line image of a row of the store; as many are shown as `pictures`
    says: the worst lines, the best and those in the middle. `by_image` are scores by what the images are like, of the
    lines of the evaluation in their order; `degraded` are those of degraded images.
    """
    count = len(evaluation.lines)
    order = sorted(range(count), key=lambda place: _rank_worst_first(evaluation.lines[place]))
    ranked = [evaluation.lines[place] for place in order]
    lines = [list_evaluated(line) for line in ranked]
    by_image = [score for score in by_image if len(score.groups) > 1]
    middle = sorted(range(count), key=lambda place: (abs(2 * place - count + 1), place))
    shown = make_pictures(lines, (range(count), middle, range(count - 1, -1, -1)), strip_of, pictures)
    curves = about.curves.read_bytes() if about.curves is not None and about.curves.is_file() else b""
    reliability = draw_reliability(evaluation.calibration)
    write_page(
        path,
        "scores.html",
        "lines.js",
        about=about,
        evaluation=evaluation,
        groups=_list_groups(evaluation),
        shown_groups=SHOWN_GROUPS,
        confusions=evaluation.characters.confusions[:SHOWN_CONFUSIONS],
        characters=_list_misread(evaluation),
        curves=encode_data_url(curves, "image/png") if curves else "",
        reliability=encode_data_url(reliability, "image/svg+xml") if reliability else "",
        confident=any(line.character_confidences for line in ranked),
        lines=lines,
        pictured=len(shown),
        by_image=[(score, UNITS.get(score.name, ""), describe_correlation(score)) for score in by_image],
        degraded=_list_conditions(degraded),
        degraded_columns=COLUMNS,
        degraded_words=describe_robustness(evaluation.settings),
        image_words=describe_images(evaluation, by_image),
        lines_json=lines_to_json(
            ["reading"], lines, shown, {score.name: [score.group_of[place] for place in order] for score in by_image}
        ),
    )


def _list_conditions(degraded: DegradedScores | None) -> list[tuple[tuple[str, ...], str]]:
    """Return the cells of each condition, and the address of its picture."""
    if degraded is None:
        return []
    pictures = [encode_picture(image, width=600) for image in degraded.images]
    return list(zip(describe_conditions(degraded.scores), pictures, strict=True))


def _rank_worst_first(line: EvaluatedLine) -> tuple[float, int, int, str]:
    return (-line.cer, -line.counts.edits, line.counts.characters, line.origin.page)


def _list_groups(evaluation: Evaluation) -> dict[str, list[GroupScore]]:
    """Return the kinds of groups that tell something, each worst first, lengths in their order."""
    found: dict[str, list[GroupScore]] = {}
    for kind, scores in groupby(evaluation.groups, key=lambda score: score.kind):
        members = list(scores)
        if len(members) > 1 or kind in ("page", "hand"):
            found[kind] = members if kind == "length" else sorted(members, key=lambda score: -score.scores.cer)
    return found


def _list_misread(evaluation: Evaluation) -> list[UnitScore]:
    """Return the characters with errors, those with most first."""
    wrong = [score for score in evaluation.characters.characters if score.edits]
    return sorted(wrong, key=lambda score: (-score.edits, score.unit))[:SHOWN_CHARACTERS]


def write_comparison_page(
    path: Path, comparison: Comparison, about: ReportHeader, strip_of: StripOf | None = None, pictures: int = 150
) -> None:
    """Write the page, one file. `strip_of` gives the line image of a row of the store; as many are shown as `pictures`
    says: of lines in which the systems differ most, and of those that all miss.
    """
    listed = list(map(list_compared, comparison.lines))
    order = sorted(range(len(listed)), key=lambda place: -_measure_difference(listed[place]))
    lines = [listed[place] for place in order]
    missed = sorted(range(len(lines)), key=lambda place: -min(lines[place].rates))
    shown = make_pictures(lines, (range(len(lines)), missed), strip_of, pictures)
    names = [system.name for system in comparison.systems]
    write_page(
        path,
        "comparison.html",
        "lines.js",
        about=about,
        comparison=comparison,
        verdicts=[describe_verdict(pair, comparison) for pair in comparison.pairs],
        groups=_list_compared_groups(comparison),
        kind_names={group.kind: describe_kind(group.kind) for group in comparison.groups},
        shown_groups=SHOWN_GROUPS,
        kinds=ERROR_KINDS,
        confusions=list_confusions_by_system(comparison)[:SHOWN_CONFUSIONS],
        characters=_list_compared_confusions(comparison),
        systems=names,
        confident=any(any(line.character_confidences) for line in comparison.lines),
        lines=lines,
        pictured=len(shown),
        lines_json=lines_to_json(
            names,
            lines,
            shown,
            {name: [groups[place] for place in order] for name, groups in comparison.image_groups.items()},
        ),
    )


def _measure_difference(line: ListedLine) -> float:
    return max(line.rates) - min(line.rates)


def _list_compared_groups(comparison: Comparison) -> dict[str, Sequence[GroupComparison]]:
    """Return the kinds of groups that tell something, each with those first in which the systems differ most."""
    found: dict[str, Sequence[GroupComparison]] = {}
    for kind, groups in groupby(comparison.groups, key=lambda group: group.kind):
        members = list(groups)
        if len(members) > 1:
            is_ordered = kind == "length" or kind in comparison.image_groups
            found[kind] = members if is_ordered else sorted(members, key=order_of_group)
    return found


def _list_compared_confusions(comparison: Comparison) -> list[tuple[str, int]]:
    """Return the characters that any of the systems misreads, with the number of their errors."""
    edits: Counter[str] = Counter()
    for system in comparison.systems:
        for score in system.characters.characters:
            edits[score.unit] += score.edits
    return sorted(((unit, count) for unit, count in edits.items() if count), key=lambda one: (-one[1], one[0]))[
        :SHOWN_CHARACTERS
    ]
