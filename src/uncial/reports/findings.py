"""What `inspect` found about a data set, and how grave it is."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from uncial.errors import UserError
from uncial.reports.tables import write_json

Severity = Literal["info", "warning", "error"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
"""From the least to the gravest."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to know about the data. `kind` is a short name to filter by, for instance `skipped` or
    `duplicate_page`.
    """

    severity: Severity
    kind: str
    message: str
    file: str = ""
    line: str = ""


def grave(findings: Iterable[Finding], fail_on: str | None) -> tuple[Finding, ...]:
    """Return the findings at or above the severity `fail_on`; none where it is None. Raises `UserError` for an unknown
    severity.
    """
    if fail_on is None:
        return ()
    if fail_on not in SEVERITIES:
        raise UserError(f"inspect.fail_on is '{fail_on}': choose one of {', '.join(SEVERITIES)}, or null for never.")
    least = SEVERITIES.index(fail_on)
    return tuple(finding for finding in findings if SEVERITIES.index(finding.severity) >= least)


def write_findings(path: Path, summary: Mapping[str, Any], findings: Sequence[Finding]) -> None:
    """Write `findings.json`: `summary`, plain types, and under `findings` one object each, the gravest first."""
    ordered = sorted(findings, key=lambda finding: -SEVERITIES.index(finding.severity))
    write_json(path, {"summary": summary, "findings": [asdict(finding) for finding in ordered]})
