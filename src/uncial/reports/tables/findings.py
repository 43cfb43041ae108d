"""What `inspect` found about a data set: which of it counts, in which order, as a file, and reasons summed."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from uncial.data.checks.findings import SEVERITIES, Finding
from uncial.document import Issue
from uncial.errors import UserError
from uncial.reports.terminal.formatting import make_visible
from uncial.runs.tables import write_json

NEVER = "never"
SHORT = {"info": "information", "null": NEVER, "None": NEVER}
"""What `inspect.fail_on` takes beside its choices."""


def sort_by_severity(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings in their order, the gravest first."""
    return sorted(findings, key=lambda finding: -SEVERITIES.index(finding.severity))


def select_at_or_above(findings: Iterable[Finding], fail_on: str | None) -> tuple[Finding, ...]:
    """Return the findings at or above the severity `fail_on`; none where it is None or `never`. Raises `UserError` for
    an unknown severity.
    """
    severity = SHORT.get(str(fail_on), str(fail_on))
    if severity == NEVER:
        return ()
    if severity not in SEVERITIES:
        raise UserError(f"inspect.fail_on is '{fail_on}': choose one of {', '.join(SEVERITIES)}, or {NEVER}.")
    least = SEVERITIES.index(severity)
    return tuple(finding for finding in findings if SEVERITIES.index(finding.severity) >= least)


def write_findings(path: Path, summary: Mapping[str, Any], findings: Sequence[Finding]) -> None:
    """Write `findings.json`: `summary`, plain types, and under `findings` one object each, the gravest first."""
    listed = [
        {
            "severity": finding.severity,
            "kind": finding.kind,
            "file": finding.file,
            "line": finding.line,
            "message": finding.message,
            "remedy": finding.remedy,
        }
        for finding in sort_by_severity(findings)
    ]
    write_json(path, {"summary": summary, "findings": listed})


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


def sum_reasons(problems: Iterable[Issue]) -> list[ReasonSum]:
    """Return the reasons of these problems, the most frequent first, those that differ in names and numbers alone as
    one."""
    groups: dict[str, list[Issue]] = {}
    for problem in problems:
        groups.setdefault(_NAMES.sub("…", problem.reason), []).append(problem)
    sums = []
    for general, members in groups.items():
        same = len({member.reason for member in members}) == 1
        sums.append(ReasonSum(make_visible(members[0].reason if same else general), len(members), members[0]))
    return sorted(sums, key=lambda one: -one.count)
