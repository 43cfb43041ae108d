"""Scores as pictures: the learning curve over the number of training lines, and the reliability of confidences."""

import io
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter, NullLocator, PercentFormatter

from uncial.metrics.calibration import BINS, Calibration
from uncial.metrics.learning_curve import Forecast
from uncial.reports.plots.curves import BLUE, GREEN, RED, add_legend, lay_out, make_figure, save_for_print, style_axes

MEASURED, FORECAST, TARGET = BLUE, RED, GREEN


def draw_learning_curve(
    png: Path,
    points: Sequence[tuple[int, float, bool]],
    curve: Sequence[Forecast],
    forecasts: Sequence[Forecast],
    level: float,
    target: float | None = None,
) -> None:
    """Draw runs (lines, CER, whether they are part of the curve), the curve with its band, and what is forecast; with
    an SVG and a PDF beside the PNG."""
    figure = make_figure(5.5)
    axis = figure.subplots()
    axis.set_xscale("log")
    axis.set_yscale("log")
    _draw_curve(axis, curve, max(lines for lines, _, _ in points), level)
    for inside, label in ((True, "trainings"), (False, "trainings that had not begun to read")):
        chosen = [(lines, 100 * cer) for lines, cer, learned in points if learned is inside]
        if chosen:
            fill = MEASURED if inside else "white"
            axis.plot(*zip(*chosen, strict=True), "o", color=MEASURED, markerfacecolor=fill, label=label, zorder=4)
    _draw_forecasts(axis, forecasts)
    if target is not None:
        axis.axhline(100 * target, color=TARGET, linewidth=1.2, linestyle="--", label=f"wanted: {100 * target:.3g} %")
    _style_axes(axis, sorted({lines for lines, _, _ in points} | {one.lines for one in forecasts}))
    add_legend(axis)
    save_for_print(figure, png)


def _draw_curve(axis: Axes, curve: Sequence[Forecast], most: int, level: float) -> None:
    if not curve:
        return
    lines, percents = [one.lines for one in curve], [100 * one.value for one in curve]
    low, high = ([100 * getattr(one, bound) for one in curve] for bound in ("low", "high"))
    axis.fill_between(lines, low, high, color=MEASURED, alpha=0.15, linewidth=0, label=f"{100 * level:.0f} % band")
    inside = [place for place, number in enumerate(lines) if number <= most]
    beyond = [place for place, number in enumerate(lines) if number >= lines[inside[-1]]]
    for places, style in ((inside, "-"), (beyond, "--")):
        axis.plot([lines[p] for p in places], [percents[p] for p in places], style, color=MEASURED, linewidth=1.6)


def _draw_forecasts(axis: Axes, forecasts: Sequence[Forecast]) -> None:
    if not forecasts:
        return
    lines, percents = [one.lines for one in forecasts], [100 * one.value for one in forecasts]
    reach = [[100 * (one.value - one.low) for one in forecasts], [100 * (one.high - one.value) for one in forecasts]]
    axis.errorbar(lines, percents, yerr=reach, fmt="D", color=FORECAST, capsize=4, label="forecast", zorder=3)
    for one in forecasts:
        text = f"{100 * one.value:.{1 if one.value >= 0.01 else 2}f} %"
        axis.annotate(
            text, (one.lines, 100 * one.value), (7, 4), textcoords="offset points", color=FORECAST, fontsize=9
        )


def _style_axes(axis: Axes, numbers: Sequence[int]) -> None:
    axis.set_xlabel("training lines")
    axis.set_ylabel("CER (%)")
    axis.xaxis.set_major_locator(FixedLocator(list(numbers)))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.yaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 5, 7)))
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.yaxis.set_minor_formatter(NullFormatter())
    style_axes(axis)


COLOURS = {"characters": "#34597d", "lines": "#c0392b"}


def draw_reliability(calibration: Calibration) -> bytes:
    """Draw the curves of characters and of lines over the diagonal on which confidences would be true, and below them
    how the confidences are spread. Empty where no confidence is known.
    """
    known = {"characters": calibration.characters, "lines": calibration.lines}
    curves = {name: reliability for name, reliability in known.items() if reliability is not None}
    if not curves:
        return b""
    figure = Figure(figsize=(5, 5.8), layout="constrained")
    FigureCanvasSVG(figure)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    upper.plot([0, 1], [0, 1], "--", color="#888888", linewidth=1, label="as sure as right")
    for name, reliability in curves.items():
        sure = [one.confidence for one in reliability.bins]
        label = f"{name} (off by {100 * reliability.ece:.1f} % on average)"
        upper.plot(
            sure, [one.accuracy for one in reliability.bins], "o-", color=COLOURS[name], markersize=4, label=label
        )
        starts = [one.low for one in reliability.bins]
        shares = [one.count / reliability.count for one in reliability.bins]
        lower.bar(starts, shares, width=1 / BINS, align="edge", color=COLOURS[name], alpha=0.5)
    upper.set(ylabel="right", ylim=(0, 1.02), xlim=(0, 1))
    lower.set(xlabel="confidence", ylabel="share")
    for axis in (upper, lower):
        axis.grid(alpha=0.25)
        axis.spines[["top", "right"]].set_visible(False)
        axis.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axis.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    figure.legend(frameon=False, loc="outside upper left", fontsize="small")
    lay_out(figure)
    drawn = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "uncial"}):
        figure.savefig(drawn, format="svg", metadata={"Date": None})
    return drawn.getvalue()
