"""What `inspect` found about a data set: which of it counts, in which order, and as a file."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from uncial.data.checks.findings import SEVERITIES, Finding
from uncial.errors import UserError
from uncial.runs.tables import write_json

NEVER = "never"
SHORT = {"info": "information", "null": NEVER, "None": NEVER}
"""What `inspect.fail_on` takes beside its choices."""


def sort_by_severity(findings: Iterable[Finding]) -> list[Finding]:
    """The findings in their order, the gravest first."""
    return sorted(findings, key=lambda finding: -SEVERITIES.index(finding.severity))


def at_or_above(findings: Iterable[Finding], fail_on: str | None) -> tuple[Finding, ...]:
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
