"""leaderboard.html: the ranked runs, their score against their cost, and what settings the good ones share."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from uncial.reports.html.rendering import encode_data_url, write_page
from uncial.reports.tables.leaderboard import (
    format_cost,
    format_figure_cells,
    format_settings,
    format_value,
    list_figure_headings,
    list_notes,
)
from uncial.runs.ranking import Entry, Ranking, RunPair

WIDTH, HEIGHT, MARGIN = 720, 320, 60
"""Of a drawing, in its own units."""


@dataclass(frozen=True, slots=True)
class ScatterDot:
    """An entry in the scatter plot. `best` is the first of the ranking."""

    x: float
    y: float
    label: str
    best: bool


@dataclass(frozen=True, slots=True)
class ParallelAxis:
    """A vertical axis of the parallel coordinates, with the places of its values."""

    x: float
    name: str
    ticks: tuple[tuple[float, str], ...]


@dataclass(frozen=True, slots=True)
class RunPolyline:
    """An entry's way over the axes, as the points of a polyline."""

    points: str
    label: str
    best: bool


def write_leaderboard_page(
    path: Path,
    ranking: Ranking,
    commands: Mapping[str, str],
    pair: RunPair | None = None,
    pictures: Sequence[Path] = (),
) -> None:
    """Write the page, one file without a way to the network. `pair` are two runs with what they differ in; of each of
    the `pictures` the SVG beside it is shown."""
    rows = [(place, entry, format_figure_cells(entry, ranking)) for place, entry in enumerate(ranking.entries, 1)]
    axes, courses = make_parallel_coordinates(ranking)
    write_page(
        path,
        "leaderboard.html",
        ranking=ranking,
        headings=list_figure_headings(ranking),
        rows=rows,
        cost=format_cost(ranking),
        notes=list_notes(ranking),
        commands=commands,
        pair=pair,
        pictures=[encode_data_url(one.with_suffix(".svg").read_bytes(), "image/svg+xml") for one in pictures],
        dots=make_scatter(ranking),
        score_ticks=_make_score_ticks(ranking),
        minutes_ticks=_make_ticks([entry.minutes for entry in ranking.entries if entry.minutes is not None]),
        axes=axes,
        courses=courses,
        width=WIDTH,
        height=HEIGHT,
        margin=MARGIN,
    )


def make_scatter(ranking: Ranking) -> list[ScatterDot]:
    """Minutes to the right, the better score higher."""
    timed = [entry for entry in ranking.entries if entry.minutes is not None]
    if len(timed) < 2:
        return []
    columns = _spread_apart([entry.minutes or 0.0 for entry in timed], MARGIN, WIDTH - MARGIN)
    rows = _place_heights(ranking, timed)
    return [
        ScatterDot(x, y, _format_label(entry, ranking), entry is ranking.entries[0])
        for entry, x, y in zip(timed, columns, rows, strict=True)
    ]


def make_parallel_coordinates(ranking: Ranking) -> tuple[list[ParallelAxis], list[RunPolyline]]:
    """Return an axis for each setting and the last for the score; a line for each entry."""
    if len(ranking.entries) < 2 or not ranking.columns:
        return [], []
    names = [*ranking.columns, ranking.score.name]
    places = _space_evenly(len(names), MARGIN, WIDTH - MARGIN)
    axes, heights = [], []
    for number, name in enumerate(ranking.columns):
        values = [entry.settings[number] for entry in ranking.entries]
        found = _place_values(values)
        heights.append([found[value] for value in values])
        axes.append(ParallelAxis(places[number], name, tuple((height, value) for value, height in found.items())))
    heights.append(_place_heights(ranking, ranking.entries))
    axes.append(ParallelAxis(places[-1], ranking.score.name, tuple(_make_score_ticks(ranking))))
    courses = [
        RunPolyline(
            " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(places, own, strict=True)),
            _format_label(entry, ranking),
            not number,
        )
        for number, (entry, own) in enumerate(zip(ranking.entries, zip(*heights, strict=True), strict=True))
    ]
    return axes, courses[::-1]


def _format_label(entry: Entry, ranking: Ranking) -> str:
    return f"{format_settings(entry, ranking)} {format_value(entry.score, ranking.score.name)}".strip()


def _place_heights(ranking: Ranking, entries: Sequence[Entry]) -> list[float]:
    """Return the better, the higher."""
    top, bottom = MARGIN / 2, HEIGHT - MARGIN
    least, most = (bottom, top) if ranking.score.mode == "max" else (top, bottom)
    return _spread_apart([entry.score for entry in entries], least, most)


def _make_score_ticks(ranking: Ranking) -> list[tuple[float, str]]:
    if len(ranking.entries) < 2:
        return []
    heights = _place_heights(ranking, ranking.entries)
    ends = (ranking.entries[0], heights[0]), (ranking.entries[-1], heights[-1])
    return [(height, format_value(entry.score, ranking.score.name)) for entry, height in ends]


def _make_ticks(minutes: Sequence[float]) -> list[tuple[float, str]]:
    if len(minutes) < 2:
        return []
    least, most = min(minutes), max(minutes)
    return [(MARGIN, f"{least:.1f}"), (WIDTH - MARGIN, f"{most:.1f}")]


def _place_values(values: Sequence[str]) -> dict[str, float]:
    """Numbers in their order, small ones below; words in the order in which they came."""
    distinct = list(dict.fromkeys(values))
    with suppress(ValueError):
        distinct.sort(key=float)
    return dict(zip(distinct, _space_evenly(len(distinct), HEIGHT - MARGIN, MARGIN / 2), strict=True))


def _space_evenly(count: int, first: float, last: float) -> list[float]:
    step = (last - first) / (count - 1) if count > 1 else 0.0
    return [first + number * step for number in range(count)] if count > 1 else [(first + last) / 2]


def _spread_apart(values: Sequence[float], first: float, last: float) -> list[float]:
    """Return the places of values between the least, at `first`, and the largest, at `last`."""
    least, most = min(values), max(values)
    if least == most:
        return [(first + last) / 2] * len(values)
    return [first + (value - least) / (most - least) * (last - first) for value in values]
