"""Scraps of lines: what remains on a page when a line is drawn anew, with the text still on it."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from uncial.data.checks.checked import CheckedData
from uncial.data.checks.findings import Finding

LEFT_BY = ("no_ink", "crowded_line", "infeasible_line")
"""Kinds of finding that a scrap gives rise to."""

LONG = 12
"""Characters from which two lines of a page hardly say the same."""


def told_as_leftovers(data: CheckedData, findings: Iterable[Finding]) -> Iterator[Finding]:
    """The findings, those about scraps replaced by one piece of information for each.

    A scrap is a line too small for its text whose whole text another line of the page has that is in order: nothing is
    lost by it, and no model can learn it.
    """
    findings = list(findings)
    doubtful = {finding.row for finding in findings if finding.kind in LEFT_BY}
    told: set[int] = set()
    for finding in findings:
        row = finding.row
        whole = None if row is None or finding.kind not in LEFT_BY else _whole_line(data, row, doubtful)
        if row is None or whole is None:
            yield finding
        elif row not in told:
            told.add(row)
            message = f"a scrap of a line with the text of line {data.lines[whole].line}, which has it whole"
            yield replace(
                finding, severity="information", kind="leftover_line", message=message, remedy="Delete the scrap."
            )


def _whole_line(data: CheckedData, row: int, doubtful: set[int | None]) -> int | None:
    text = data.lines[row].text.strip()
    if len(text) < LONG:
        return None
    for other in data.by_sheet[data.lines[row].sheet].tolist():
        if other != row and other not in doubtful and data.lines[other].text.strip() == text:
            return int(other)
    return None
