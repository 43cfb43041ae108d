"""Runs ranked, as the terminal and leaderboard.csv show them."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from uncial.reports.terminal.formatting import format_percent, make_visible, plural
from uncial.runs.ranking import FOLD, Entry, Ranking, RunPair
from uncial.runs.search import FAILED, Run
from uncial.runs.tables import write_csv

SHARES = ("cer", "wer", "accuracy", "ece", "confidence", "macro_cer")
"""Figures with these endings are fractions and shown in percent."""


@dataclass(frozen=True)
class FigureColumn:
    """A column of an entry's figures."""

    heading: str
    cell: Callable[[Entry], str]


COSTS = {
    "model/parameters": "parameters",
    "train/lines_per_second": "train lines/s",
    "train/reading_lines_per_second": "read lines/s",
    "train/pages_per_second": "train pages/s",
    "train/reading_pages_per_second": "find pages/s",
}
"""Figures of metrics.json that say what a model costs, which runs of earlier versions lack, and their headings."""

MAX_DIFFERENCES = 20
"""Rows on the terminal; the files have all."""


def make_leaderboard_table(
    ranking: Ranking, commands: Mapping[str, str], pair: RunPair | None = None
) -> RenderableType:
    """Return what the terminal shows: the ranked entries, the runs without a score, the cost, in what two runs differ,
    and commands by what they do."""
    parts: list[RenderableType] = [Text()]
    if ranking.entries:
        parts += [_make_table(ranking), Text(), Text(format_cost(ranking))]
        parts += [Text(note, style="yellow") for note in list_notes(ranking)]
    if ranking.others:
        parts += [Text(), Text("Without a score:", style="bold"), *map(_describe_other, ranking.others)]
    if pair is not None:
        parts += [Text(), *_describe_pair(pair)]
    if commands:
        parts += [Text(), *(Text.assemble(f"{what}: ", (command, "cyan")) for what, command in commands.items())]
    return Group(*parts, Text())


def _make_table(ranking: Ranking) -> Table:
    table = Table("", *ranking.columns, box=None, pad_edge=False, header_style="dim")
    for heading in list_figure_headings(ranking):
        table.add_column(heading, justify="right")
    table.add_column("run")
    for place, entry in enumerate(ranking.entries, 1):
        style = "bold green" if place == 1 else ""
        cells = (*map(make_visible, entry.settings), *format_figure_cells(entry, ranking))
        table.add_row(str(place), *(Text(cell, style=style) for cell in cells), Text(str(entry.runs[0].folder)))
    return table


def _describe_pair(pair: RunPair) -> Iterator[RenderableType]:
    if not pair.differences:
        yield Text(f"{pair.first} and {pair.second} differ in no setting.")
        return
    yield Text(f"{pair.first} and {pair.second} differ in:", style="bold")
    table = Table("", "the first", "the second", box=None, pad_edge=False, header_style="dim")
    for one in pair.differences[:MAX_DIFFERENCES]:
        table.add_row(*(Text(make_visible(cell)) for cell in (one.key, one.first, one.second)))
    yield table
    if (more := len(pair.differences) - MAX_DIFFERENCES) > 0:
        yield Text(f"and {plural(more, 'setting')} more, which leaderboard.md lists")


def list_figure_headings(ranking: Ranking) -> tuple[str, ...]:
    """Return the headings of an entry's figures."""
    return tuple(column.heading for column in _list_columns(ranking))


def format_figure_cells(entry: Entry, ranking: Ranking) -> tuple[str, ...]:
    """Return an entry's figures below those headings."""
    return tuple(column.cell(entry) for column in _list_columns(ranking))


def _list_columns(ranking: Ranking) -> Iterator[FigureColumn]:
    name = ranking.score.name
    yield FigureColumn(format_heading(name), partial(format_mean, name=name))
    yield FigureColumn(_format_spread_heading(ranking), partial(format_spread, name=name))
    for part in list_pooled_parts(ranking):
        yield FigureColumn(f"pooled {part} CER", partial(_format_pooled, part=part))
    for other in list_further_notes(ranking):
        yield FigureColumn(format_heading(other), partial(format_mean, name=other))
    for cost, heading in COSTS.items():
        if any(entry.mean(cost) is not None for entry in ranking.entries):
            yield FigureColumn(heading, partial(_format_cost, name=cost))
    yield FigureColumn("minutes", lambda entry: "–" if entry.minutes is None else f"{entry.minutes:.1f}")
    yield FigureColumn("runs", lambda entry: entry.count)


def format_settings(entry: Entry, ranking: Ranking, without: Sequence[str] = ()) -> str:
    """Return the settings of an entry that others do not have, but for the keys in `without`."""
    settings = zip(ranking.columns, entry.settings, strict=True)
    return " ".join(f"{key}={value}" for key, value in settings if key not in without)


def _format_spread_heading(ranking: Ranking) -> str:
    several = [entry for entry in ranking.entries if len(entry.runs) > 1]
    if not several:
        return "interval"
    kinds = {tuple(what for what, _ in entry.repeats) for entry in several}
    what = f"{next(iter(kinds))[0]}s" if len(kinds) == 1 and len(next(iter(kinds))) == 1 else "runs"
    return f"interval, or range of the {what}"


def list_pooled_parts(ranking: Ranking) -> list[str]:
    """Return the part that the runs are ranked by, where its lines can be scored together over the folds of a
    cross-validation; none elsewhere."""
    part = ranking.score.name.partition("/")[0]
    folds = [entry for entry in ranking.entries if entry.has_folds]
    return [part] if any(entry.pooled_cer(part) is not None for entry in folds) else []


def _format_pooled(entry: Entry, part: str) -> str:
    return format_value(entry.pooled_cer(part) if entry.has_folds else None, "cer")


def _format_cost(entry: Entry, name: str) -> str:
    value = entry.mean(name)
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"


def format_mean(entry: Entry, name: str) -> str:
    """Return a figure of an entry: of several runs their mean and its standard deviation, 4.12 ± 0.31 %."""
    mean, deviation = entry.mean(name), entry.deviation(name)
    if mean is None or deviation is None:
        return format_value(mean, name)
    if name.endswith(SHARES):
        return f"{100 * mean:.2f} ± {100 * deviation:.2f} %"
    return f"{mean:.4g} ± {deviation:.2g}"


def format_spread(entry: Entry, name: str) -> str:
    """Return the interval of a single run, where it has one, or the scores from the least to the largest of several."""
    if len(entry.runs) > 1:
        return f"{format_value(min(entry.scores), name)} to {format_value(max(entry.scores), name)}"
    bounds = find_interval(entry.runs[0], name)
    return "" if bounds is None else f"{format_value(bounds[0], name)} to {format_value(bounds[1], name)}"


def find_interval(run: Run, name: str) -> tuple[float, float] | None:
    """That of a figure, where the run has one."""
    bounds = run.figure(f"{name}_interval")
    return (float(bounds[0]), float(bounds[1])) if isinstance(bounds, list) and len(bounds) == 2 else None


def list_further_notes(ranking: Ranking) -> list[str]:
    """Return the error rates that stand beside the score."""
    parts = dict.fromkeys((ranking.score.name.partition("/")[0], "val", "test"))
    names = [f"{part}/{rate}" for part in parts for rate in ("cer", "wer")]
    return [
        name
        for name in names
        if name != ranking.score.name and any(entry.mean(name) is not None for entry in ranking.entries)
    ]


def format_value(value: float | None, name: str) -> str:
    """Return a figure as a person reads it."""
    if value is None or not math.isfinite(value):
        return "–"
    return format_percent(value) if name.endswith(SHARES) else f"{value:.4g}"


def format_heading(name: str) -> str:
    """Return a figure of metrics.json as a heading: val CER."""
    part, _, figure = name.partition("/")
    words = figure.upper() if figure in ("cer", "wer") else figure.replace("_", " ")
    return f"{part} {words}"


def format_cost(ranking: Ranking) -> str:
    """Return how many runs there are, and what they took."""
    runs = [run for entry in ranking.entries for run in entry.runs]
    minutes = sum(entry.minutes or 0 for entry in ranking.entries)
    return f"{plural(len(runs), 'run')} with a score, {minutes:.1f} minutes of training in all"


def list_notes(ranking: Ranking) -> list[str]:
    """Return what stands against comparing the scores."""
    part = ranking.score.name.partition("/")[0]
    counts: set[float] = set()
    for entry in ranking.entries:
        lines = [(run.config.get("data", {}).get(FOLD), run.figure(f"{part}/lines")) for run in entry.runs]
        known = {fold: count for fold, count in lines if isinstance(count, int | float)}
        # Folds have other lines each; it is all of them that have to be those of another cross-validation.
        counts |= {sum(known.values())} if entry.has_folds and known else {count for _, count in lines}
    counts -= {None}
    if len(counts) < 2:
        return []
    return [f"The runs were scored on {min(counts):,} to {max(counts):,} lines, so not on the same: compare with care."]


def _describe_other(run: Run) -> Text:
    words = f"  {run.folder}  {run.state}" + (f": {make_visible(run.error)}" if run.error else "")
    return Text(words, style="red" if run.state == FAILED else "")


def write_leaderboard(path: Path, ranking: Ranking) -> None:
    """Write leaderboard.csv: a row for each run, those without a score last. Scores are fractions."""
    name = ranking.score.name
    header = ("rank", "state", "run", "seed", *ranking.columns, name, f"{name} low", f"{name} high", f"{name} mean")
    pooled = (f"{part}/cer pooled" for part in list_pooled_parts(ranking))
    entry = (f"{name} deviation", "runs", *pooled)
    costs = (figure.partition("/")[2] for figure in CSV_COSTS)
    write_csv(path, (*header, *list_further_notes(ranking), "minutes", *entry, *costs, "error"), _make_rows(ranking))


CSV_COSTS = ("model/parameters", "model/flops_of_line", "train/lines_per_second", "train/reading_lines_per_second")


def _make_rows(ranking: Ranking) -> Iterator[tuple[Any, ...]]:
    name, others, parts = ranking.score.name, list_further_notes(ranking), list_pooled_parts(ranking)
    for place, entry in enumerate(ranking.entries, 1):
        pooled = [entry.pooled_cer(part) if entry.has_folds else None for part in parts]
        whole = (entry.deviation(name), entry.count, *pooled)
        for run in entry.runs:
            seconds = run.figure("train/seconds")
            minutes = round(seconds / 60, 3) if isinstance(seconds, int | float) else None
            figures = (ranking.score.of(run), *(find_interval(run, name) or (None, None)), entry.score)
            about = (place, run.state, run.folder, run.config.get("seed"), *entry.settings)
            costs = (run.figure(cost) for cost in CSV_COSTS)
            yield (*about, *figures, *(run.figure(other) for other in others), minutes, *whole, *costs, None)
    for run in ranking.others:
        empty = (None,) * (len(ranking.columns) + 4 + len(others) + 1 + 2 + len(parts) + len(CSV_COSTS))
        yield (None, run.state, run.folder, run.config.get("seed"), *empty, run.error)
