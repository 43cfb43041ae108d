"""findings.html: what `inspect` found, with the lines' pictures, to be read in a browser."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from uncial.data.checks.findings import SEVERITIES, Finding
from uncial.reports.html.rendering import HEIGHT, encode_picture, write_page
from uncial.reports.tables.findings import sort_by_severity
from uncial.reports.terminal.inspection import Inspection

SHOWN_OF_A_KIND = 300
"""Findings of one kind that the page holds; all of them are in findings.json."""


@dataclass(frozen=True, slots=True)
class LineView:
    """A line's image, (h, w) or (h, w, 3) uint8, and its text; or a page's, without any. It is shown at most `height`
    pixels high."""

    image: np.ndarray
    text: str
    height: int = HEIGHT


@dataclass(frozen=True, slots=True)
class _Entry:
    finding: Finding
    picture: str = ""
    text: str = ""


def write_findings_page(
    path: Path, inspection: Inspection, line_of: Callable[[int], LineView], pictures: int = 400
) -> None:
    """Write the findings, the gravest first; `line_of` gives the line of a row of the store, and at most `pictures`
    are shown."""
    entries: list[_Entry] = []
    of_kind: Counter[str] = Counter()
    pictured = 0
    for finding in sort_by_severity(inspection.findings):
        of_kind[finding.kind] += 1
        if of_kind[finding.kind] > SHOWN_OF_A_KIND:
            continue
        if finding.row is None:
            entries.append(_Entry(finding))
            continue
        line = line_of(finding.row)
        picture = encode_picture(line.image, line.height) if pictured < pictures else ""
        entries.append(_Entry(finding, picture, line.text))
        pictured += 1
    write_page(
        path,
        "findings.html",
        inspection=inspection,
        severities=SEVERITIES[::-1],
        kinds=count_by_kind(inspection.findings),
        totals=Counter(finding.severity for finding in inspection.findings),
        entries=entries,
        left_out=len(inspection.findings) - len(entries),
    )


def count_by_kind(findings: Sequence[Finding]) -> Mapping[str, Mapping[str, int]]:
    """Return how many findings of each severity there are of each kind, the gravest kinds first."""
    counts: dict[str, Counter[str]] = {}
    for finding in sort_by_severity(findings):
        counts.setdefault(finding.kind, Counter())[finding.severity] += 1
    return counts
