"""What a layout run says at its end: how good, how long, where the model lies and what to do next."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from uncial.reports.terminal.entries import list_entries
from uncial.reports.terminal.formatting import format_duration, format_percent, plural

HEADINGS = {
    "F": "f_measure",
    "precision": "precision",
    "recall": "recall",
    "intact": "intact",
    "split": "split",
    "merged": "merged",
    "missed": "missed",
    "false": "false",
    "ink lost": "ink_lost",
    "others' ink": "ink_taken",
    "region IoU": "region_iou",
}
"""The columns of the table, and the scores that stand in them."""

OPTIONAL = ("ink_lost", "ink_taken")
"""Scores that only a test measures: their columns are left out where no part has them."""


@dataclass(frozen=True, slots=True)
class LayoutSummary:
    """The end of a layout run. `parts` holds the scores of each part as fractions; `effort` is a line on what it took;
    `files` are the results by what they are, `next_steps` commands to type by what they do."""

    parts: Mapping[str, Mapping[str, float]]
    folder: Path
    effort: str
    skipped: int = 0
    files: Mapping[str, Path] = field(default_factory=dict)
    next_steps: Mapping[str, str] = field(default_factory=dict)


def format_effort(seconds: float, steps: int | None, pages_per_second: float) -> str:
    """Return what a training, or a test where there are no `steps`, took."""
    figures = [f"{'test' if steps is None else 'training'} time {format_duration(seconds)}"]
    if steps is not None:
        figures.append(plural(steps, "step"))
    figures.append(f"{pages_per_second:.2f} pages/s")
    return ", ".join(figures)


def format_layout_summary(summary: LayoutSummary) -> RenderableType:
    """Return the summary: a table of scores, then one line each for the rest, paths and commands whole for copying."""
    table = Table("", box=None, pad_edge=False, header_style="dim")
    shown = {
        heading: key
        for heading, key in HEADINGS.items()
        if key not in OPTIONAL or any(key in scores for scores in summary.parts.values())
    }
    for heading in (*shown, "lines", "pages"):
        table.add_column(heading, justify="right")
    for name, scores in summary.parts.items():
        figures = [format_percent(scores[key]) if key in scores else "" for key in shown.values()]
        counts = [f"{int(scores.get(key, 0)):,}" for key in ("lines", "pages")]
        table.add_row(Text(name, style="bold"), Text(figures[0], style="bold green"), *figures[1:], *counts)
    rows: list[RenderableType] = [Text(), table, Text(), Text(summary.effort)]
    if summary.skipped:
        rows.append(Text(f"Skipped {plural(summary.skipped, 'page')}; see skipped.csv", style="yellow"))
    rows += list_entries({**summary.files, "run folder": summary.folder}, "bold")
    if summary.next_steps:
        rows += [Text(), Text("Next:", style="bold"), *list_entries(summary.next_steps, "cyan")]
    return Group(*rows)
