"""Several runs in one picture: their scores over the steps, and over the number of training lines."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullFormatter, NullLocator

from uncial.reports.plots.curves import make_figure, save_for_print, style_axes
from uncial.runs.metrics_file import Curve

COLOURS = ("#34597d", "#c0392b", "#27803b", "#d68910", "#7d3c98", "#148f77", "#7a869a", "#a04000", "#1a5276", "#b7950b")
MARKERS = "osD^vPX*<>"
"""Told apart in print without colours too."""

MAX_ENTRIES = len(COLOURS)
LONGEST_LABEL = 60


@dataclass(frozen=True)
class EntryCurves:
    """The curves of one score of the runs that count as one, such as three seeds."""

    label: str
    curves: tuple[Curve, ...]


@dataclass(frozen=True)
class ScorePoint:
    """The scores of the runs that were trained on so many lines, with equal settings beside."""

    lines: int
    scores: tuple[float, ...]


LearningCurve = tuple[str, Sequence[ScorePoint]]
"""A label, and its scores by the number of training lines."""


def draw_run_curves(png: Path, entries: Sequence[EntryCurves], score: str, is_share: bool) -> None:
    """Draw the score of each run over the steps, thin, and the mean of runs that count as one, thick; the first
    `MAX_ENTRIES` entries alone. SVG and PDF stand beside the PNG."""
    figure = make_figure(4.6)
    axis = figure.subplots()
    style_axes(axis)
    for place, entry in enumerate(entries[:MAX_ENTRIES]):
        colour, marker = COLOURS[place], MARKERS[place]
        mean = _mean_curve(entry.curves)
        if len(entry.curves) > 1:
            for curve in entry.curves:
                axis.plot(curve.steps, _shown(curve.values, is_share), color=colour, linewidth=0.7, alpha=0.4)
        axis.plot(
            mean.steps,
            _shown(mean.values, is_share),
            color=colour,
            linewidth=1.8,
            marker=marker if len(mean.steps) <= 60 else "",
            markersize=4,
            label=_shorten(entry.label),
        )
    axis.set_xlabel("step")
    axis.set_ylabel(f"{score} (%)" if is_share else score)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    _limit_height(axis, entries[:MAX_ENTRIES], is_share)
    _add_legend_below(axis, len(entries))
    save_for_print(figure, png)


def _mean_curve(curves: Sequence[Curve]) -> Curve:
    """Return the mean at the steps that all of them have; the first alone where there are none."""
    values = [dict(zip(curve.steps, curve.values, strict=True)) for curve in curves]
    steps = sorted(set.intersection(*(set(one) for one in values)))
    if not steps:
        return curves[0]
    return Curve(curves[0].name, steps, [fmean(one[step] for one in values) for step in steps])


def _limit_height(axis: Axes, entries: Sequence[EntryCurves], is_share: bool) -> None:
    """An untrained model stands at 100 % or far above, which would press all that follows to the floor."""
    values = [value for entry in entries for curve in entry.curves for value in curve.values]
    if is_share:
        axis.set_ylim(0, min(105, 108 * max(values)) or 1)


def draw_learning_curves(png: Path, curves: Sequence[LearningCurve], score: str, is_share: bool) -> None:
    """Draw for each label the mean score over the number of training lines, with its standard deviation where there
    are several runs; the first `MAX_ENTRIES` alone. SVG and PDF stand beside the PNG."""
    figure = make_figure(4.6)
    axis = figure.subplots()
    style_axes(axis)
    axis.set_xscale("log")
    factor = 100 if is_share else 1
    for place, (label, points) in enumerate(curves[:MAX_ENTRIES]):
        ordered = sorted(points, key=lambda point: point.lines)
        axis.errorbar(
            [point.lines for point in ordered],
            [factor * fmean(point.scores) for point in ordered],
            yerr=[factor * stdev(point.scores) if len(point.scores) > 1 else 0.0 for point in ordered],
            color=COLOURS[place],
            marker=MARKERS[place],
            markersize=5,
            linewidth=1.6,
            capsize=3,
            label=_shorten(label),
        )
    numbers = sorted({point.lines for _, points in curves for point in points})
    axis.xaxis.set_major_locator(FixedLocator(numbers if len(numbers) <= 8 else numbers[:: len(numbers) // 8 + 1]))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.yaxis.set_minor_formatter(NullFormatter())
    axis.set_ylim(0, 1.08 * factor * max(max(point.scores) for _, points in curves for point in points) or 1)
    axis.set_xlabel("training lines")
    axis.set_ylabel(f"{score} (%)" if is_share else score)
    _add_legend_below(axis, len(curves))
    save_for_print(figure, png)


def group_points(scored: Sequence[tuple[str, int, float]]) -> list[LearningCurve]:
    """Return for each label the scores by the number of lines, from (label, lines, score) of each run."""
    found: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for label, lines, score in scored:
        found[label][lines].append(score)
    return [
        (label, [ScorePoint(lines, tuple(scores)) for lines, scores in points.items()])
        for label, points in found.items()
    ]


def _shown(values: Sequence[float], is_share: bool) -> list[float]:
    return [100 * value for value in values] if is_share else list(values)


def _shorten(label: str) -> str:
    text = label or "all runs"
    return text if len(text) <= LONGEST_LABEL else f"{text[: LONGEST_LABEL - 1]}…"


def _add_legend_below(axis: Axes, count: int) -> None:
    """Labels are long: beside the curves they would cover them."""
    more = f", the first {MAX_ENTRIES} of {count}" if count > MAX_ENTRIES else ""
    axis.figure.legend(frameon=False, loc="outside lower center", ncols=2, fontsize="small", title=f"best first{more}")
