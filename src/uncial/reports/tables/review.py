"""What a person should read first: review.csv, review.png, and a sentence."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from uncial.metrics.review import Review
from uncial.reports.plots.curves import BLUE, GREEN, GREY, RED, legend, new_figure, plain, save
from uncial.reports.terminal.formatting import percent, plural
from uncial.runs.files import RunFolder
from uncial.runs.tables import write_csv

COLUMNS = ("rank", "page", "line", "confidence", "expected_edits", "share_read", "expected_cer", "expected_cer_of_rest")


def write_review(folder: Path, review: Review, target: float) -> None:
    """Write the list, with the CER of the whole text after each line, and the picture of how it falls."""
    known = review.measured is not None
    write_csv(RunFolder(folder).review, (*COLUMNS, *(("edits", "measured_cer") if known else ())), _rows(review))
    _draw(RunFolder(folder).review_curve, review, target)


def _rows(review: Review) -> Iterator[tuple[object, ...]]:
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


def review_summary(review: Review, target: float) -> str:
    """Return how many lines have to be read for a CER of `target`, as measured where it can be, and as expected."""
    wanted = percent(target, 1 if target >= 0.01 else 2)
    expected = review.needed(target, review.expected)
    if review.measured is None:
        before = percent(float(review.expected[0]), 1)
        if not expected:
            return f"From the confidences a CER of {before} is expected: no line has to be read for {wanted}."
        return f"Reading {_these(review, expected)} is expected to bring the CER from {before} to {wanted} or below."
    before, needed = percent(float(review.measured[0]), 1), review.needed(target, review.measured)
    if not needed:
        return f"The CER is {before}: no line has to be read for {wanted}."
    found = f"Reading {_these(review, needed)} brings the CER from {before} to {wanted} or below"
    verb = "was" if expected == 1 else "were"
    return f"{found} (from confidence alone {plural(expected, 'line')} {verb} expected)."


def _these(review: Review, count: int) -> str:
    share = count / len(review.lines)
    # Some are not told as none, nor most as all.
    digits = 0 if 0.005 <= share < 0.995 or share == 1 else 1
    return f"the first {percent(share, digits)} of the lines of {RunFolder.review} ({count:,} of {len(review.lines):,})"


def _draw(png: Path, review: Review, target: float) -> None:
    figure = new_figure(5)
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
    plain(axis)
    legend(axis)
    save(figure, png)
