"""Pictures of a training, loss, error rates and learning rate over the steps, and the style that diagrams share."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter
from scipy.ndimage import median_filter

from uncial.files import replace_file
from uncial.runs.metrics_file import Curve, read_curves

BLUE, RED, GREEN, GREY = "#34597d", "#c0392b", "#27803b", "#7a869a"


def make_figure(height: float) -> Figure:
    """Return an empty picture, 9 inches wide and `height` inches high; it needs no screen."""
    figure = Figure(figsize=(9, height), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def style_axes(axis: Axes) -> None:
    """A light grid, and no frame but the two axes."""
    axis.grid(alpha=0.25)
    axis.spines[["top", "right"]].set_visible(False)


def add_legend(axis: Axes) -> None:
    """Where it covers least."""
    axis.legend(frameon=False, loc="best")


def lay_out(figure: Figure) -> None:
    """Find the place of everything once, and keep it: each layout takes as long as drawing, and saving does two."""
    if (engine := figure.get_layout_engine()) is not None:
        engine.execute(figure)
        figure.set_layout_engine(None)


def save_figure(figure: Figure, png: Path) -> None:
    """Write it; the file appears whole or not at all."""
    lay_out(figure)
    with replace_file(png) as temporary:
        figure.savefig(temporary, format="png")


PRINTED = {"svg": "Date", "pdf": "CreationDate"}
"""The formats that lines and letters stay such in, and what each calls the date, which is left out."""


def save_for_print(figure: Figure, png: Path) -> None:
    """Write it, and beside it as SVG and as PDF, in which lines and letters stay such. The same figure gives the same
    files, to the byte."""
    save_figure(figure, png)
    logging.getLogger("fontTools").setLevel(logging.ERROR)  # It tells of each table of a font that it leaves out.
    for kind, date in PRINTED.items():
        # Type 42: letters that journals' programs take, and which can be selected.
        with (
            mpl.rc_context({"svg.hashsalt": "uncial", "pdf.fonttype": 42}),
            replace_file(png.with_suffix(f".{kind}")) as temporary,
        ):
            figure.savefig(temporary, format=kind, metadata={date: None})


COLOURS = {"train": GREY, "val": RED, "test": GREEN}
SHADES = ("-", "--", ":", "-.")
ERROR_RATES = ("cer", "wer")


def draw_curves(metrics_csv: Path, png: Path) -> bool:
    """Draw what `metrics_csv` logs into `png`, with an SVG and a PDF beside it, and tell whether there was anything to
    draw.

    Loss, error rates (in percent, with the lowest validation CER marked), other validation scores and the learning rate
    get a panel each where they were logged.
    """
    curves = read_curves(metrics_csv)
    panels = [(draw, chosen) for draw, choose in PANELS if (chosen := [c for c in curves.values() if choose(c.name)])]
    if not panels:
        return False
    heights = [1 if draw is _draw_learning_rate else 2 for draw, _ in panels]
    figure = make_figure(0.7 + 1.55 * sum(heights))
    axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    for axis, (draw, chosen) in zip(axes, panels, strict=True):
        style_axes(axis)
        draw(axis, chosen)
    axes[-1].set_xlabel("step")
    axes[-1].xaxis.set_major_locator(MaxNLocator(integer=True))
    save_for_print(figure, png)
    return True


def smooth(values: Sequence[float], span: int) -> list[float]:
    """Return for each value the median of those up to `span` before and after it, fewer towards the ends: no lag, and
    no bump where single lines with a wrong truth raise the loss of their step to many times the others'."""
    given = np.asarray(values, dtype=float)
    result = median_filter(given, size=2 * span + 1)
    count = len(given)
    for index in {*range(min(span, count)), *range(max(0, count - span), count)}:
        reach = min(index, count - 1 - index)
        result[index] = np.median(given[index - reach : index + reach + 1])
    return [float(value) for value in result]


def _find_part(name: str) -> str:
    return name.split("/")[0] if "/" in name else "train"


def _find_metric(name: str) -> str:
    return name.rsplit("/", 1)[-1].removesuffix("_step").removesuffix("_epoch")


def _is_score(name: str) -> bool:
    return (
        _find_part(name) == "val"
        and _find_metric(name) not in ("loss", "lines", "word_accuracy", *ERROR_RATES)  # that one is 1 - wer
        and "cer" not in _find_metric(name)
    )


def _draw_loss(axis: Axes, curves: Sequence[Curve]) -> None:
    axis.set_ylabel("loss")
    for curve in curves:
        colour = COLOURS.get(_find_part(curve.name), "#444444")
        if len(curve.values) >= 50:
            axis.plot(curve.steps, curve.values, color=colour, linewidth=0.6, alpha=0.3)
            values, label = smooth(curve.values, len(curve.values) // 50), f"{curve.name} (smoothed)"
            axis.plot(curve.steps, values, color=colour, linewidth=1.8, label=label)
        else:
            axis.plot(
                curve.steps, curve.values, color=colour, linewidth=1.8, marker=_choose_marker(curve), label=curve.name
            )
    values = [value for curve in curves for value in curve.values]
    if min(values) > 0 and max(values) > 20 * min(values):
        axis.set_yscale("log")
        axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.yaxis.set_minor_formatter(NullFormatter())
    add_legend(axis)


def _draw_error_rates(axis: Axes, curves: Sequence[Curve]) -> None:
    axis.set_ylabel("error rate (%)")
    for curve in curves:
        percents = [100 * value for value in curve.values]
        style = SHADES[ERROR_RATES.index(_find_metric(curve.name)) % len(SHADES)]
        colour = COLOURS.get(_find_part(curve.name), "#444444")
        axis.plot(
            curve.steps, percents, style, color=colour, marker=_choose_marker(curve), markersize=4, label=curve.name
        )
        if curve.name == "val/cer":
            _mark_lowest(axis, curve.steps, percents)
    # An untrained model stands at 100 % or far above, which would press all that follows to the floor.
    axis.set_ylim(0, min(105, 1.08 * max(100 * value for curve in curves for value in curve.values)) or 1)
    add_legend(axis)


def _mark_lowest(axis: Axes, steps: Sequence[int], percents: Sequence[float]) -> None:
    lowest = min(percents)
    step = steps[percents.index(lowest)]
    label = f"lowest CER: {lowest:.2f} % at step {step:,}"
    [mark] = axis.plot([step], [lowest], "o", color=COLOURS["val"], label=label, zorder=3)
    mark.set(markersize=8, markerfacecolor="white", markeredgewidth=2)


LAYOUT_SCORES = ("f_measure", "precision", "recall", "intact", "region_iou")
"""Of the many scores of a layout those that are drawn."""


def _draw_scores(axis: Axes, curves: Sequence[Curve]) -> None:
    axis.set_ylabel("score")
    named = [curve for curve in curves if curve.name in {f"val/{score}" for score in LAYOUT_SCORES}]
    for curve in named or curves:
        axis.plot(curve.steps, curve.values, marker=_choose_marker(curve), markersize=4, label=curve.name)
    values = [value for curve in curves for value in curve.values]
    least, most = min(values, default=0.0), max(values, default=1.0)
    if 0 <= least == most <= 1:
        axis.set_ylim(0, 1)  # Around one value the axis would be as narrow as it can be.
    elif least >= 0 > axis.get_ylim()[0]:
        axis.set_ylim(bottom=0)
    add_legend(axis)


def _draw_learning_rate(axis: Axes, curves: Sequence[Curve]) -> None:
    axis.set_ylabel("learning rate")
    for curve in curves:
        axis.plot(curve.steps, curve.values, linewidth=1.5, color=BLUE, label=curve.name)
    axis.set_ylim(bottom=0)
    axis.ticklabel_format(axis="y", style="sci", scilimits=(-2, 3))
    if len(curves) > 1:
        add_legend(axis)


def _choose_marker(curve: Curve) -> str:
    return "o" if len(curve.values) <= 60 else ""


PANELS = (
    (_draw_loss, lambda name: _find_metric(name) == "loss"),
    (_draw_error_rates, lambda name: _find_metric(name) in ERROR_RATES),
    (_draw_scores, _is_score),
    (_draw_learning_rate, lambda name: _find_metric(name) == "lr" or name.startswith("lr")),
)

MAX_MARKS = 60


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """The learning rate for each optimizer step, the steps (counted from 1) that a validation follows, and how many
    steps a pass over the training lines has. `note` says what the picture cannot know, if anything."""

    rates: Sequence[float]
    validations: Sequence[int]
    epoch: int
    note: str = ""


def draw_schedule(run: PlannedRun, png: Path) -> None:
    """Draw the learning rate over the steps into `png`, with a mark where the run validates and the epochs above."""
    figure = make_figure(3.4)
    axis = figure.subplots()
    steps = range(1, len(run.rates) + 1)
    axis.plot(steps, run.rates, color=BLUE, linewidth=1.5, label="learning rate")
    if len(run.validations) <= MAX_MARKS:
        at = list(run.validations)
        axis.plot(at, [run.rates[step - 1] for step in at], "o", color=RED, markersize=4, label="validation")
    axis.set_ylim(bottom=0)
    axis.yaxis.set_major_formatter(FuncFormatter(lambda rate, _: f"{rate:g}"))
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.set_xlabel("step")
    axis.set_ylabel("learning rate")
    axis.grid(alpha=0.25)
    axis.spines[["right"]].set_visible(False)
    epochs = axis.twiny()
    epochs.set_xlim(*(limit / run.epoch for limit in axis.get_xlim()))
    epochs.set_xlabel("epoch")
    epochs.spines[["right"]].set_visible(False)
    add_legend(axis)
    if run.note:
        figure.suptitle(run.note, fontsize=10)
    save_figure(figure, png)
