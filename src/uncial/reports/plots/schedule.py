"""The learning rate of a training before it is made, as a picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.ticker import FuncFormatter, MaxNLocator

from uncial.reports.plots.plot_style import BLUE, RED, legend, new_figure, save

MOST_MARKS = 60


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
    figure = new_figure(3.4)
    axis = figure.subplots()
    steps = range(1, len(run.rates) + 1)
    axis.plot(steps, run.rates, color=BLUE, linewidth=1.5, label="learning rate")
    if len(run.validations) <= MOST_MARKS:
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
    legend(axis)
    if run.note:
        figure.suptitle(run.note, fontsize=10)
    save(figure, png)
