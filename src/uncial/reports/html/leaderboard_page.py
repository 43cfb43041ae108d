"""leaderboard.html: the ranked runs, their score against their cost, and what settings the good ones share."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from uncial.reports.html.rendering import write_page
from uncial.reports.tables.leaderboard import cost, figure_cells, figure_headings, notes, shown
from uncial.runs.ranking import Entry, Ranking

WIDTH, HEIGHT, MARGIN = 720, 320, 60
"""Of a drawing, in its own units."""


@dataclass(frozen=True, slots=True)
class Dot:
    """An entry in the scatter plot. `best` is the first of the ranking."""

    x: float
    y: float
    label: str
    best: bool


@dataclass(frozen=True, slots=True)
class Axis:
    """A vertical axis of the parallel coordinates, with the places of its values."""

    x: float
    name: str
    ticks: tuple[tuple[float, str], ...]


@dataclass(frozen=True, slots=True)
class Course:
    """An entry's way over the axes, as the points of a polyline."""

    points: str
    label: str
    best: bool


def write_leaderboard_page(path: Path, ranking: Ranking, commands: Mapping[str, str]) -> None:
    """Write the page, one file without a way to the network."""
    rows = [(place, entry, figure_cells(entry, ranking)) for place, entry in enumerate(ranking.entries, 1)]
    axes, courses = parallel_coordinates(ranking)
    write_page(
        path,
        "leaderboard.html",
        ranking=ranking,
        headings=figure_headings(ranking),
        rows=rows,
        cost=cost(ranking),
        notes=notes(ranking),
        commands=commands,
        dots=scatter(ranking),
        score_ticks=_score_ticks(ranking),
        minutes_ticks=_ticks([entry.minutes for entry in ranking.entries if entry.minutes is not None]),
        axes=axes,
        courses=courses,
        width=WIDTH,
        height=HEIGHT,
        margin=MARGIN,
    )


def scatter(ranking: Ranking) -> list[Dot]:
    """Minutes to the right, the better score higher."""
    timed = [entry for entry in ranking.entries if entry.minutes is not None]
    if len(timed) < 2:
        return []
    columns = _spread([entry.minutes or 0.0 for entry in timed], MARGIN, WIDTH - MARGIN)
    rows = _heights(ranking, timed)
    return [
        Dot(x, y, _label(entry, ranking), entry is ranking.entries[0])
        for entry, x, y in zip(timed, columns, rows, strict=True)
    ]


def parallel_coordinates(ranking: Ranking) -> tuple[list[Axis], list[Course]]:
    """An axis for each setting and the last for the score; a line for each entry."""
    if len(ranking.entries) < 2 or not ranking.columns:
        return [], []
    names = [*ranking.columns, ranking.score.name]
    places = _even(len(names), MARGIN, WIDTH - MARGIN)
    axes, heights = [], []
    for number, name in enumerate(ranking.columns):
        values = [entry.settings[number] for entry in ranking.entries]
        found = _value_heights(values)
        heights.append([found[value] for value in values])
        axes.append(Axis(places[number], name, tuple((height, value) for value, height in found.items())))
    heights.append(_heights(ranking, ranking.entries))
    axes.append(Axis(places[-1], ranking.score.name, tuple(_score_ticks(ranking))))
    courses = [
        Course(
            " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(places, own, strict=True)), _label(entry, ranking), not number
        )
        for number, (entry, own) in enumerate(zip(ranking.entries, zip(*heights, strict=True), strict=True))
    ]
    return axes, courses[::-1]


def _label(entry: Entry, ranking: Ranking) -> str:
    settings = " ".join(f"{key}={value}" for key, value in zip(ranking.columns, entry.settings, strict=True))
    return f"{settings} {shown(entry.score, ranking.score.name)}".strip()


def _heights(ranking: Ranking, entries: Sequence[Entry]) -> list[float]:
    """The better, the higher."""
    top, bottom = MARGIN / 2, HEIGHT - MARGIN
    least, most = (bottom, top) if ranking.score.mode == "max" else (top, bottom)
    return _spread([entry.score for entry in entries], least, most)


def _score_ticks(ranking: Ranking) -> list[tuple[float, str]]:
    if len(ranking.entries) < 2:
        return []
    heights = _heights(ranking, ranking.entries)
    ends = (ranking.entries[0], heights[0]), (ranking.entries[-1], heights[-1])
    return [(height, shown(entry.score, ranking.score.name)) for entry, height in ends]


def _ticks(minutes: Sequence[float]) -> list[tuple[float, str]]:
    if len(minutes) < 2:
        return []
    least, most = min(minutes), max(minutes)
    return [(MARGIN, f"{least:.1f}"), (WIDTH - MARGIN, f"{most:.1f}")]


def _value_heights(values: Sequence[str]) -> dict[str, float]:
    """Numbers in their order, small ones below; words in the order in which they came."""
    distinct = list(dict.fromkeys(values))
    with suppress(ValueError):
        distinct.sort(key=float)
    return dict(zip(distinct, _even(len(distinct), HEIGHT - MARGIN, MARGIN / 2), strict=True))


def _even(count: int, first: float, last: float) -> list[float]:
    step = (last - first) / (count - 1) if count > 1 else 0.0
    return [first + number * step for number in range(count)] if count > 1 else [(first + last) / 2]


def _spread(values: Sequence[float], first: float, last: float) -> list[float]:
    """The places of values between the least, at `first`, and the largest, at `last`."""
    least, most = min(values), max(values)
    if least == most:
        return [(first + last) / 2] * len(values)
    return [first + (value - least) / (most - least) * (last - first) for value in values]
