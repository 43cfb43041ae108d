"""What a person should read first: review.csv, review.png, and a sentence."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from uncial.metrics.review import Review
from uncial.reports.plots.curves import BLUE, GREEN, GREY, RED, add_legend, make_figure, save_figure, style_axes
from uncial.reports.terminal.formatting import format_percent, plural
from uncial.runs.files import RunFolder
from uncial.runs.tables import write_csv

COLUMNS = ("rank", "page", "line", "confidence", "expected_edits", "share_read", "expected_cer", "expected_cer_of_rest")


def write_review(folder: Path, review: Review, target: float) -> None:
    """Write the list, with the CER of the whole text after each line, and the picture of how it falls."""
    known = review.measured is not None
    write_csv(RunFolder(folder).review, (*COLUMNS, *(("edits", "measured_cer") if known else ())), _make_rows(review))
    _draw_review(RunFolder(folder).review_curve, review, target)


def _make_rows(review: Review) -> Iterator[tuple[object, ...]]:
    count = len(review.lines)
    rest = np.append(review.rest[1:], 0.0)
    for place, line in enumerate(review.lines):
        cells: tuple[object, ...] = (
            place + 1,
            line.page,
            line.line,
            f"{line.confidence:.4f}",
            f"{review.expected_edits[place]:.2f}",
            f"{(place + 1) / count:.4f}",
            f"{review.expected[place + 1]:.5f}",
            f"{rest[place]:.5f}",
        )
        if review.measured is not None:
            cells += (line.edits, f"{review.measured[place + 1]:.5f}")
        yield cells


NEARLY_ALL = 0.9
"""The share of the lines from which it is no advice to read just them."""
SHARE_FROM = 50
"""Lines from which a share of them says more than their number."""


def summarize_review(review: Review, target: float) -> str:
    """Return how many lines have to be read for a CER of `target`, as measured where it can be, and as expected; empty
    where there is no line.
    """
    if not review.lines:
        return ""
    is_measured = review.measured is not None
    curve = review.expected if review.measured is None else review.measured
    wanted, before = format_percent(target, 1 if target >= 0.01 else 2), format_percent(float(curve[0]), 1)
    needed, expected = review.needed(target, curve), review.needed(target, review.expected)
    known = f"The CER is {before}" if is_measured else f"From the confidences a CER of {before} is expected"
    if not needed:
        return f"{known}: no line has to be read for {wanted}."
    if needed > NEARLY_ALL * len(review.lines):
        return f"{known}: for {wanted} {_describe_most(review, needed)} would have to be read and corrected."
    verb = "brings" if is_measured else "is expected to bring"
    found = f"Reading {_describe_first(review, needed)} {verb} the CER from {before} to {wanted} or below"
    if not is_measured:
        return f"{found}."
    return f"{found} (from confidence alone {plural(expected, 'line')} {'was' if expected == 1 else 'were'} expected)."


def _describe_most(review: Review, count: int) -> str:
    lines = len(review.lines)
    if count < lines:
        return f"nearly all of the lines ({count:,} of {lines:,})"
    return f"all {lines:,} lines" if lines > 1 else "the one line that there is"


def _describe_first(review: Review, count: int) -> str:
    lines = len(review.lines)
    if lines < SHARE_FROM:
        return f"the first {count:,} of the {lines:,} lines of {RunFolder.review}"
    # Some are not told as none.
    share = format_percent(count / lines, 0 if count / lines >= 0.005 else 1)
    return f"the first {share} of the lines of {RunFolder.review} ({count:,} of {lines:,})"


def _draw_review(png: Path, review: Review, target: float) -> None:
    figure = make_figure(5)
    axis = figure.subplots()
    read = np.linspace(0, 100, len(review.expected))
    axis.plot(read, 100 * review.expected, "--", color=GREY, label="expected from confidence")
    if review.measured is not None and review.best is not None:
        axis.plot(read, 100 * review.measured, color=BLUE, linewidth=1.8, label="measured")
        axis.plot(read, 100 * review.best, ":", color=GREEN, label="in the best order")
        axis.plot([0, 100], [100 * review.measured[0], 0], color="#bbbbbb", linewidth=1, label="in any order")
    axis.axhline(100 * target, color=RED, linewidth=1, label=f"wanted: {100 * target:.3g} %")
    axis.set(xlabel="lines read (%)", ylabel="CER of the whole text (%)", xlim=(0, 100))
    axis.set_ylim(bottom=0)
    style_axes(axis)
    add_legend(axis)
    save_figure(figure, png)
