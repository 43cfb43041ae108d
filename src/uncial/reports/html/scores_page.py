"""report.html of a test or a training: scores, curves, confusions, calibration, and the lines themselves."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from uncial.metrics.characters import UnitScore
from uncial.metrics.evaluation import Evaluation
from uncial.metrics.groups import GroupScore
from uncial.reports.html.line_list import StripOf, lines_json, listed_evaluated, pictures_of
from uncial.reports.html.pictures import embedded
from uncial.reports.html.rendering import write_page
from uncial.reports.plots.reliability import reliability_svg

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


def write_scores_page(
    path: Path, evaluation: Evaluation, about: ReportHeader, strip_of: StripOf | None = None, pictures: int = 150
) -> None:
    """Write the page, one file. `strip_of` gives the line image of a row of the store; as many are shown as `pictures`
    says: the worst lines, the best and those in the middle.
    """
    ranked = sorted(
        evaluation.lines, key=lambda line: (-line.cer, -line.counts.edits, line.counts.characters, line.origin.page)
    )
    lines = [listed_evaluated(line) for line in ranked]
    count = len(lines)
    middle = sorted(range(count), key=lambda place: (abs(2 * place - count + 1), place))
    shown = pictures_of(lines, (range(count), middle, range(count - 1, -1, -1)), strip_of, pictures)
    curves = about.curves.read_bytes() if about.curves is not None and about.curves.is_file() else b""
    reliability = reliability_svg(evaluation.calibration)
    write_page(
        path,
        "scores.html",
        "lines.js",
        about=about,
        evaluation=evaluation,
        groups=_groups(evaluation),
        shown_groups=SHOWN_GROUPS,
        confusions=evaluation.characters.confusions[:SHOWN_CONFUSIONS],
        characters=_misread(evaluation),
        curves=embedded(curves, "image/png") if curves else "",
        reliability=embedded(reliability, "image/svg+xml") if reliability else "",
        confident=any(line.character_confidences for line in ranked),
        lines=lines,
        pictured=len(shown),
        lines_json=lines_json(["reading"], lines, shown),
    )


def _groups(evaluation: Evaluation) -> dict[str, list[GroupScore]]:
    """The kinds of groups that tell something, each worst first, lengths in their order."""
    found: dict[str, list[GroupScore]] = {}
    for kind, scores in groupby(evaluation.groups, key=lambda score: score.kind):
        members = list(scores)
        if len(members) > 1 or kind in ("page", "hand"):
            found[kind] = members if kind == "length" else sorted(members, key=lambda score: -score.scores.cer)
    return found


def _misread(evaluation: Evaluation) -> list[UnitScore]:
    """The characters with errors, those with most first."""
    wrong = [score for score in evaluation.characters.characters if score.edits]
    return sorted(wrong, key=lambda score: (-score.edits, score.unit))[:SHOWN_CHARACTERS]
