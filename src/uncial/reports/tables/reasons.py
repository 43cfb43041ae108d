"""Reasons for leaving things out, summed: what holds a path or a number is told once, with an example."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from uncial.document import Issue
from uncial.reports.terminal.formatting import visible

_NAMES = re.compile(
    r"'[^']*'|‘[^’]*’|\"[^\"]*\"|\S*[/\\]\S*"
    r"|\S+\.(?:png|jpe?g|tiff?|jp2|webp|gif|bmp|xml|txt|csv|tsv|json|arrow)\b|\d[\d.,]*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class ReasonSum:
    """A reason, how often it was given, and the first thing that it was given for. What differs between the reasons
    that are summed is `…`."""

    reason: str
    count: int
    example: Issue


def summed_reasons(problems: Iterable[Issue]) -> list[ReasonSum]:
    """The reasons of these problems, the most frequent first, those that differ in names and numbers alone as one."""
    groups: dict[str, list[Issue]] = {}
    for problem in problems:
        groups.setdefault(_NAMES.sub("…", problem.reason), []).append(problem)
    sums = []
    for general, members in groups.items():
        same = len({member.reason for member in members}) == 1
        sums.append(ReasonSum(visible(members[0].reason if same else general), len(members), members[0]))
    return sorted(sums, key=lambda one: -one.count)
