"""report.html of a comparison: who is better, who wins where, and the lines with what each read in them."""

from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from uncial.metrics.comparison import Comparison, GroupComparison
from uncial.metrics.error_rates import ERROR_KINDS
from uncial.reports.html.line_list import ListedLine, StripOf, lines_json, listed_compared, pictures_of
from uncial.reports.html.rendering import write_page
from uncial.reports.html.scores_page import SHOWN_CHARACTERS, SHOWN_CONFUSIONS, SHOWN_GROUPS, ReportHeader
from uncial.reports.tables.comparison import confusions_apart
from uncial.reports.terminal.verdict import verdict


def write_comparison_page(
    path: Path, comparison: Comparison, about: ReportHeader, strip_of: StripOf | None = None, pictures: int = 150
) -> None:
    """Write the page, one file. `strip_of` gives the line image of a row of the store; as many are shown as `pictures`
    says: of lines in which the systems differ most, and of those that all miss.
    """
    lines = sorted(map(listed_compared, comparison.lines), key=lambda line: -_apart(line))
    missed = sorted(range(len(lines)), key=lambda place: -min(lines[place].rates))
    shown = pictures_of(lines, (range(len(lines)), missed), strip_of, pictures)
    names = [system.name for system in comparison.systems]
    write_page(
        path,
        "comparison.html",
        "lines.js",
        about=about,
        comparison=comparison,
        verdicts=[verdict(pair, comparison) for pair in comparison.pairs],
        groups=_groups(comparison),
        shown_groups=SHOWN_GROUPS,
        kinds=ERROR_KINDS,
        confusions=confusions_apart(comparison)[:SHOWN_CONFUSIONS],
        characters=_misread(comparison),
        systems=names,
        confident=any(any(line.character_confidences) for line in comparison.lines),
        lines=lines,
        pictured=len(shown),
        lines_json=lines_json(names, lines, shown),
    )


def _apart(line: ListedLine) -> float:
    return max(line.rates) - min(line.rates)


def _groups(comparison: Comparison) -> dict[str, Sequence[GroupComparison]]:
    """The kinds of groups that tell something, each with those first in which the systems differ most."""
    found: dict[str, Sequence[GroupComparison]] = {}
    for kind, groups in groupby(comparison.groups, key=lambda group: group.kind):
        members = list(groups)
        if len(members) > 1:
            found[kind] = (
                members if kind == "length" else sorted(members, key=lambda group: min(group.cer) - max(group.cer))
            )
    return found


def _misread(comparison: Comparison) -> list[tuple[str, int]]:
    """The characters that any of the systems misreads, with the number of their errors."""
    edits: Counter[str] = Counter()
    for system in comparison.systems:
        for score in system.characters.characters:
            edits[score.unit] += score.edits
    return sorted(((unit, count) for unit, count in edits.items() if count), key=lambda one: (-one[1], one[0]))[
        :SHOWN_CHARACTERS
    ]
