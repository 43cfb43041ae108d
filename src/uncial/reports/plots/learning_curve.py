"""The learning curve as a picture: error rate over training lines, both on logarithmic scales."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter, NullLocator

from uncial.metrics.learning_curve import Forecast
from uncial.reports.plots.plot_style import BLUE, GREEN, RED, legend, new_figure, plain, save

MEASURED, FORECAST, TARGET = BLUE, RED, GREEN


def draw_learning_curve(
    png: Path,
    points: Sequence[tuple[int, float, bool]],
    curve: Sequence[Forecast],
    forecasts: Sequence[Forecast],
    level: float,
    target: float | None = None,
) -> None:
    """Draw runs (lines, CER, whether they are part of the curve), the curve with its band, and what is forecast."""
    figure = new_figure(5.5)
    axis = figure.subplots()
    axis.set_xscale("log")
    axis.set_yscale("log")
    _curve(axis, curve, max(lines for lines, _, _ in points), level)
    for inside, label in ((True, "trainings"), (False, "trainings that had not begun to read")):
        chosen = [(lines, 100 * cer) for lines, cer, learned in points if learned is inside]
        if chosen:
            fill = MEASURED if inside else "white"
            axis.plot(*zip(*chosen, strict=True), "o", color=MEASURED, markerfacecolor=fill, label=label, zorder=4)
    _forecasts(axis, forecasts)
    if target is not None:
        axis.axhline(100 * target, color=TARGET, linewidth=1.2, linestyle="--", label=f"wanted: {100 * target:.3g} %")
    _axes(axis, sorted({lines for lines, _, _ in points} | {one.lines for one in forecasts}))
    legend(axis)
    save(figure, png)


def _curve(axis: Axes, curve: Sequence[Forecast], most: int, level: float) -> None:
    if not curve:
        return
    lines, percents = [one.lines for one in curve], [100 * one.value for one in curve]
    low, high = ([100 * getattr(one, bound) for one in curve] for bound in ("low", "high"))
    axis.fill_between(lines, low, high, color=MEASURED, alpha=0.15, linewidth=0, label=f"{100 * level:.0f} % band")
    inside = [place for place, number in enumerate(lines) if number <= most]
    beyond = [place for place, number in enumerate(lines) if number >= lines[inside[-1]]]
    for places, style in ((inside, "-"), (beyond, "--")):
        axis.plot([lines[p] for p in places], [percents[p] for p in places], style, color=MEASURED, linewidth=1.6)


def _forecasts(axis: Axes, forecasts: Sequence[Forecast]) -> None:
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


def _axes(axis: Axes, numbers: Sequence[int]) -> None:
    axis.set_xlabel("training lines")
    axis.set_ylabel("CER (%)")
    axis.xaxis.set_major_locator(FixedLocator(list(numbers)))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.yaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 5, 7)))
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.yaxis.set_minor_formatter(NullFormatter())
    plain(axis)
