"""The reliability curve as a picture: how often the model is right where it is so and so sure."""

import io

import matplotlib as mpl
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from uncial.metrics.calibration import BINS, Calibration

COLOURS = {"characters": "#34597d", "lines": "#c0392b"}


def reliability_svg(calibration: Calibration) -> bytes:
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
    drawn = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "uncial"}):
        figure.savefig(drawn, format="svg", metadata={"Date": None})
    return drawn.getvalue()
