"""Runs ranked, as the terminal and leaderboard.csv show them."""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from uncial.reports.terminal.formatting import percent, plural, visible
from uncial.runs.ranking import Entry, Ranking
from uncial.runs.search import FAILED, Run
from uncial.runs.tables import write_csv

SHARES = ("cer", "wer", "accuracy", "ece", "confidence", "macro_cer")
"""Figures with these endings are fractions and shown in percent."""


def leaderboard_table(ranking: Ranking, commands: Mapping[str, str]) -> RenderableType:
    """Return what the terminal shows: the ranked entries, the runs without a score, the cost, and commands by what they
    do."""
    parts: list[RenderableType] = [Text()]
    if ranking.entries:
        parts += [_make_table(ranking), Text(), Text(format_cost(ranking))]
        parts += [Text(note, style="yellow") for note in list_notes(ranking)]
    if ranking.others:
        parts += [Text(), Text("Without a score:", style="bold"), *map(_describe_other, ranking.others)]
    if commands:
        parts += [Text(), *(Text.assemble(f"{what}: ", (command, "cyan")) for what, command in commands.items())]
    return Group(*parts, Text())


def _make_table(ranking: Ranking) -> Table:
    table = Table("", *ranking.columns, box=None, pad_edge=False, header_style="dim")
    for heading in figure_headings(ranking):
        table.add_column(heading, justify="right")
    table.add_column("run")
    for place, entry in enumerate(ranking.entries, 1):
        style = "bold green" if place == 1 else ""
        cells = (*map(visible, entry.settings), *figure_cells(entry, ranking))
        table.add_row(str(place), *(Text(cell, style=style) for cell in cells), Text(str(entry.runs[0].folder)))
    return table


def figure_headings(ranking: Ranking) -> tuple[str, ...]:
    """The headings of an entry's figures."""
    several = any(len(entry.runs) > 1 for entry in ranking.entries)
    spread = "interval, or range of the seeds" if several else "interval"
    return (
        _format_heading(ranking.score.name),
        spread,
        *map(_format_heading, list_further_notes(ranking)),
        "minutes",
        "runs",
    )


def figure_cells(entry: Entry, ranking: Ranking) -> tuple[str, ...]:
    """An entry's figures below those headings."""
    name = ranking.score.name
    others = (shown(entry.mean(other), other) for other in list_further_notes(ranking))
    minutes = "–" if entry.minutes is None else f"{entry.minutes:.1f}"
    return (shown(entry.score, name), format_spread(entry, name), *others, minutes, str(len(entry.runs)))


def format_spread(entry: Entry, name: str) -> str:
    """The interval of a single run, where it has one, or the scores from the least to the largest of several."""
    if len(entry.runs) > 1:
        return f"{shown(min(entry.scores), name)} to {shown(max(entry.scores), name)}"
    bounds = find_interval(entry.runs[0], name)
    return "" if bounds is None else f"{shown(bounds[0], name)} to {shown(bounds[1], name)}"


def find_interval(run: Run, name: str) -> tuple[float, float] | None:
    """That of a figure, where the run has one."""
    bounds = run.figure(f"{name}_interval")
    return (float(bounds[0]), float(bounds[1])) if isinstance(bounds, list) and len(bounds) == 2 else None


def list_further_notes(ranking: Ranking) -> list[str]:
    """The error rates that stand beside the score."""
    part = ranking.score.name.partition("/")[0]
    names = [f"{part}/cer", f"{part}/wer"]
    return [
        name
        for name in names
        if name != ranking.score.name and any(entry.mean(name) is not None for entry in ranking.entries)
    ]


def shown(value: float | None, name: str) -> str:
    """A figure as a person reads it."""
    if value is None or not math.isfinite(value):
        return "–"
    return percent(value) if name.endswith(SHARES) else f"{value:.4g}"


def _format_heading(name: str) -> str:
    part, _, figure = name.partition("/")
    words = figure.upper() if figure in ("cer", "wer") else figure.replace("_", " ")
    return f"{part} {words}"


def format_cost(ranking: Ranking) -> str:
    """How many runs there are, and what they took."""
    runs = [run for entry in ranking.entries for run in entry.runs]
    minutes = sum(entry.minutes or 0 for entry in ranking.entries)
    return f"{plural(len(runs), 'run')} with a score, {minutes:.1f} minutes of training in all"


def list_notes(ranking: Ranking) -> list[str]:
    """What stands against comparing the scores."""
    part = ranking.score.name.partition("/")[0]
    counts = {run.figure(f"{part}/lines") for entry in ranking.entries for run in entry.runs} - {None}
    if len(counts) < 2:
        return []
    return [f"The runs were scored on {min(counts):,} to {max(counts):,} lines, so not on the same: compare with care."]


def _describe_other(run: Run) -> Text:
    words = f"  {run.folder}  {run.state}" + (f": {visible(run.error)}" if run.error else "")
    return Text(words, style="red" if run.state == FAILED else "")


def write_leaderboard(path: Path, ranking: Ranking) -> None:
    """Write leaderboard.csv: a row for each run, those without a score last. Scores are fractions."""
    name = ranking.score.name
    header = ("rank", "state", "run", "seed", *ranking.columns, name, f"{name} low", f"{name} high", f"{name} mean")
    write_csv(path, (*header, *list_further_notes(ranking), "minutes", "error"), _make_rows(ranking))


def _make_rows(ranking: Ranking) -> Iterator[tuple[Any, ...]]:
    name, others = ranking.score.name, list_further_notes(ranking)
    for place, entry in enumerate(ranking.entries, 1):
        for run in entry.runs:
            seconds = run.figure("train/seconds")
            minutes = round(seconds / 60, 3) if isinstance(seconds, int | float) else None
            figures = (ranking.score.of(run), *(find_interval(run, name) or (None, None)), entry.score)
            about = (place, run.state, run.folder, run.config.get("seed"), *entry.settings)
            yield (*about, *figures, *(run.figure(other) for other in others), minutes, None)
    for run in ranking.others:
        empty = (None,) * (len(ranking.columns) + 4 + len(others) + 1)
        yield (None, run.state, run.folder, run.config.get("seed"), *empty, run.error)
