"""What is told at the end of a search for lines: how many pages, lines and regions, how fast, and what was left out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Group, RenderableType
from rich.text import Text

from uncial.reports.tables.findings import ReasonSum
from uncial.reports.terminal.entries import list_entries
from uncial.reports.terminal.formatting import format_duration, plural


@dataclass(frozen=True, slots=True)
class FoundSummary:
    """`pages` were looked at, of which `blank` have no line; `kept` have lines already and were left as they are, and
    `before` were done by an earlier command. `confidence` is the mean of the lines. `reasons` say what was left out.
    `seconds` is what this command took for `timed` pages."""

    pages: int
    lines: int
    regions: int
    confidence: float
    blank: int
    kept: int
    before: int
    seconds: float
    timed: int
    reasons: Sequence[ReasonSum]
    skipped: int
    files: Mapping[str, Path]
    next_steps: Mapping[str, str] = field(default_factory=dict)


def format_found_summary(summary: FoundSummary) -> RenderableType:
    """Return the summary, one line each, paths and commands whole for copying."""
    found = f"{plural(summary.lines, 'line')} and {plural(summary.regions, 'region')}"
    sure = f", mean confidence of a line {summary.confidence:.2f}" if summary.lines else ""
    rows: list[RenderableType] = [Text(), Text(f"Found {found} on {plural(summary.pages, 'page')}{sure}", style="bold")]
    if summary.timed:
        rate = summary.seconds / summary.timed
        rows.append(Text(f"{rate:.2f} seconds a page, {format_duration(summary.seconds)} in all"))
    if summary.before:
        rows.append(Text(f"{plural(summary.before, 'page')} of these by an earlier command"))
    if summary.blank:
        rows.append(
            Text(f"No line on {plural(summary.blank, 'page')}: look whether blank; see skipped.csv", style="yellow")
        )
    if summary.kept:
        told = f"{plural(summary.kept, 'page')} with lines already left as they are (predict.lines=find finds anew)"
        rows.append(Text(told))
    if summary.skipped:
        reasons = "; ".join(f"{one.count} × {one.reason}" for one in summary.reasons[:3])
        rows.append(Text(f"Skipped {summary.skipped}; see skipped.csv ({reasons})", style="yellow"))
    rows += list_entries(summary.files, "bold")
    if summary.next_steps:
        rows += [Text(), Text("Next:", style="bold"), *list_entries(summary.next_steps, "cyan")]
    return Group(*rows)
