"""What a run says at its end: how good, how long, where the model lies and what to do next."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from uncial.metrics.intervals import Interval
from uncial.reports.terminal.entries import list_entries
from uncial.reports.terminal.formatting import format_duration, format_percent, format_rate, plural


@dataclass(frozen=True, slots=True)
class SplitScores:
    """Scores of one part (validation, test) as fractions, with what they were computed on.

    `interval` is that of the CER; where it is None `no_interval` may say why.
    """

    cer: float
    wer: float
    lines: int
    line_accuracy: float | None = None
    profile: str = ""
    interval: Interval | None = None
    no_interval: str = ""


@dataclass(frozen=True, slots=True)
class RunSummary:
    """The end of a run. `parts` is keyed by what the person calls the part; figures that do not apply are None.

    `files` are the results by what they are, `next_steps` commands to type by what they do, `advice` is a sentence for
    before that.
    """

    parts: Mapping[str, SplitScores]
    folder: Path
    seconds: float
    lines_per_second: float | None = None
    epochs: float | None = None
    steps: int | None = None
    skipped: int = 0
    advice: str = ""
    files: Mapping[str, Path] = field(default_factory=dict)
    next_steps: Mapping[str, str] = field(default_factory=dict)


def format_run_summary(summary: RunSummary) -> RenderableType:
    """Return the summary: a table of scores, then one line each for the rest, paths and commands whole for copying."""
    rows: list[RenderableType] = [Text()]
    if summary.parts:
        rows += [_make_scores_table(summary.parts), *_explain_missing_intervals(summary.parts), Text()]
    rows.append(Text(_format_effort(summary)))
    if summary.skipped:
        noun = "page or line" if summary.skipped == 1 else "pages or lines"
        rows.append(Text(f"Skipped {summary.skipped:,} {noun}; see skipped.csv", style="yellow"))
    if summary.advice:
        rows.append(Text(summary.advice, style="yellow"))
    rows += list_entries({**summary.files, "run folder": summary.folder}, "bold")
    if summary.next_steps:
        rows += [Text(), Text("Next:", style="bold"), *list_entries(summary.next_steps, "cyan")]
    return Group(*rows)


def _make_scores_table(parts: Mapping[str, SplitScores]) -> Table:
    table = Table("", box=None, pad_edge=False, header_style="dim")
    for heading in ("CER", _format_interval_heading(parts), "WER", "line accuracy", "lines", "normalisation"):
        table.add_column(heading, justify="right")
    for name, part in parts.items():
        right = "" if part.line_accuracy is None else format_percent(part.line_accuracy, 1)
        table.add_row(
            Text(name, style="bold"),
            Text(format_percent(part.cer), style="bold green"),
            ""
            if part.interval is None
            else f"{format_percent(part.interval.low)} to {format_percent(part.interval.high)}",
            format_percent(part.wer),
            right,
            f"{part.lines:,}",
            part.profile,
        )
    return table


def _format_interval_heading(parts: Mapping[str, SplitScores]) -> str:
    levels = {part.interval.level for part in parts.values() if part.interval is not None}
    return f"{format_percent(min(levels), 0)} interval" if levels else ""


def _explain_missing_intervals(parts: Mapping[str, SplitScores]) -> list[Text]:
    return [Text(f"no interval: {part.no_interval}", style="yellow") for part in parts.values() if part.no_interval]


def _format_effort(summary: RunSummary) -> str:
    what = "test time" if summary.steps is None else "training time"
    figures = [f"{what} {format_duration(summary.seconds)}"]
    if summary.steps is not None:
        figures.append(plural(summary.steps, "step"))
    if summary.epochs is not None:
        figures.append(f"{summary.epochs:.1f} epochs")
    if summary.lines_per_second is not None:
        figures.append(format_rate(summary.lines_per_second))
    return ", ".join(figures)
