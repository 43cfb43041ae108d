"""The look that all of the program's diagrams share."""

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from uncial.files import replacing

BLUE, RED, GREEN, GREY = "#34597d", "#c0392b", "#27803b", "#7a869a"


def new_figure(height: float) -> Figure:
    """An empty picture, 9 inches wide and `height` inches high; it needs no screen."""
    figure = Figure(figsize=(9, height), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def plain(axis: Axes) -> None:
    """A light grid, and no frame but the two axes."""
    axis.grid(alpha=0.25)
    axis.spines[["top", "right"]].set_visible(False)


def legend(axis: Axes) -> None:
    """Where it covers least."""
    axis.legend(frameon=False, loc="best")


def save(figure: Figure, png: Path) -> None:
    """Write it; the file appears whole or not at all."""
    with replacing(png) as temporary:
        figure.savefig(temporary, format="png")
