"""Line images that do not show one line of writing, or not as much of it as their text holds."""

from collections.abc import Iterator, Mapping
from itertools import pairwise

import numpy as np

from uncial.data.checks.findings import CheckedData, Finding
from uncial.data.checks.measures import BANDS, ENOUGH, compute_deviations, compute_scales

FAINT = 0.25
"""Contrast against the hand's median below which a line of some characters has no ink."""

FAINTEST = 0.12
"""The same for lines of a character or two, of which a full stop is one."""

NO_CONTRAST = 6.0
"""Grey levels below which nothing is written, whatever the other lines look like."""

LONG = 8
"""Characters from which the spread of a line's ink says something."""

VALLEY = 0.18
"""Ink in the emptiest band of the middle, against the lesser of the fullest bands above and below it, under which the
image holds two lines."""

WIDE = 3.0
"""Width over height of an image from which such a valley is no letter's own."""

ALIKE = (0.55, 0.72)
"""Correlation of the spread of ink of a page's lines with the hand's under which the page's lines are cut wrongly: the
first for hands whose pages vary, the second for those whose pages do not. Sound pages of real sets stay above 0.76.
"""

UNUSUAL = 8
"""How many times the usual distance of a page from its hand (1 less the correlation) makes it wrong in between."""


def find_lines_without_ink(data: CheckedData) -> Iterator[Finding]:
    """Lines with a text and nothing written."""
    contrast = data.measures.contrast
    for rows in data.by_hand.values():
        usual = float(np.median(contrast[rows])) if len(rows) >= 3 else float(np.median(contrast))
        for row in rows.tolist():
            least = (FAINT if data.lengths[row] > 3 else FAINTEST) * usual
            if contrast[row] < max(least, NO_CONTRAST):
                message = "there is a text, but hardly any ink in its image"
                remedy = "Draw its polygon around the writing, or delete the line."
                yield data.finding(row, "warning", "no_ink", message, remedy)


def find_several_lines(data: CheckedData) -> Iterator[Finding]:
    """Images with an empty stretch between two lines of writing."""
    profiles, sizes = data.measures.profiles, data.measures.sizes
    depth = np.full(len(profiles), np.inf)
    for band in range(BANDS // 4, BANDS - BANDS // 4):
        above, below = profiles[:, :band], profiles[:, band + 1 :]
        parted = (above.sum(axis=1) > 0.3) & (below.sum(axis=1) > 0.3)
        lesser = np.minimum(above.max(axis=1), below.max(axis=1))
        depth = np.where(parted, np.minimum(depth, profiles[:, band] / np.maximum(lesser, 1e-6)), depth)
    for row in np.flatnonzero((depth < VALLEY) & (data.lengths >= LONG) & (sizes[:, 1] > WIDE * sizes[:, 0])).tolist():
        message = "its image seems to hold more than one line of writing"
        yield data.finding(row, "warning", "several_lines", message, "Draw its polygon around one line.")


def find_polygons_off_ink(data: CheckedData) -> Iterator[Finding]:
    """Pages whose lines show the ink elsewhere than those of the same hand do: their coordinates do not fit the image.

    Line images are left out: they were cut before, each in its own way.
    """
    drawn = {page.id for page in data.pages if any(line.polygon or line.baseline for line in page.lines)}
    profiles = data.measures.profiles
    for hand in data.by_hand.values():
        long = hand[data.lengths[hand] >= LONG]
        if len(long) < 2 * ENOUGH:
            continue
        usual = np.median(profiles[long], axis=0)
        sheets: dict[str, list[int]] = {}
        for row in long.tolist():
            if data.lines[row].page in drawn:
                sheets.setdefault(data.lines[row].page, []).append(row)
        likeness = {
            page: _correlate(profiles[rows].mean(axis=0), usual) for page, rows in sheets.items() if len(rows) >= 4
        }
        least = np.clip(1 - UNUSUAL * (1 - np.median(list(likeness.values()) or [1.0])), *ALIKE)
        for page, rows in sheets.items():
            if len(sheets) > 1 and likeness.get(page, 1.0) < least:
                message = f"the polygons of the page {page} do not lie on its writing as those of other pages do"
                remedy = (
                    "Look whether the image is the one that was transcribed, neither turned nor cropped nor scaled."
                )
                yield Finding("warning", "off_the_ink", message, data.lines[rows[0]].file, "", remedy, rows[0])


def find_upside_down(data: CheckedData) -> Iterator[Finding]:
    """Pages whose lines look like other pages' lines turned by half a turn."""
    upright = measure_uprightness(data.measures.turning.astype(np.float64), data.by_sheet, data.lengths >= 4)
    usual = np.nanmedian(list(upright.values())) if upright else np.nan
    for sheet, score in upright.items():
        if np.isfinite(usual) and usual > 0.5 and score < -0.55 * usual:
            rows = data.by_sheet[sheet]
            message = f"the lines of {sheet} seem to stand on their heads"
            remedy = "Turn the image back, or state the orientation that its coordinates were made for."
            first = data.lines[int(rows[0])]
            yield Finding("warning", "upside_down", message, first.file, "", remedy, int(rows[0]))


def measure_uprightness(turning: np.ndarray, sheets: Mapping[str, np.ndarray], usable: np.ndarray) -> dict[str, float]:
    """Return how upright the lines of each page are, in standard deviations of a line, below 0 for those upside down.

    `turning` (n, f) is what a half turn changes in features of each line. The direction that tells upright from turned
    best (Fisher's linear discriminant) is learned from the other pages, in five folds, all of which are taken to be
    upright at first and then without those that are not. Pages with fewer than three usable lines, and data with
    fewer than four such pages, are not judged.
    """
    pages = {name: rows[usable[rows]] for name, rows in sheets.items()}
    pages = {name: rows for name, rows in pages.items() if len(rows) >= 3}
    if len(pages) < 4 or sum(map(len, pages.values())) < 3 * ENOUGH:
        return {}
    names = sorted(pages)
    scores = dict.fromkeys(names, 0.0)
    for _ in range(3):
        found = {}
        for fold in range(min(5, len(names))):
            judged = set(names[fold :: min(5, len(names))])
            learned = [pages[name] for name in names if name not in judged and scores[name] >= 0]
            if not learned:
                return {}
            direction = _fit_discriminant(turning[np.concatenate(learned)])
            found.update({name: float((turning[pages[name]] @ direction).mean()) for name in judged})
        scores = found
    return scores


def _fit_discriminant(differences: np.ndarray) -> np.ndarray:
    """(f,): the weights by which differences (n, f) are positive most surely; their sums vary with a deviation of 1."""
    spread = np.cov(differences.T)
    size = differences.shape[1]
    # Shrunk towards equal variances, the more the fewer lines there are (Ledoit and Wolf's idea with a fixed share).
    share = min(0.5, size / len(differences))
    shrunk = (1 - share) * spread + (share * np.trace(spread) / size + 1e-9) * np.eye(size)
    weights = np.linalg.solve(shrunk, differences.mean(axis=0))
    return weights / max(float(np.sqrt(weights @ shrunk @ weights)), 1e-9)


def _correlate(one: np.ndarray, other: np.ndarray) -> float:
    one, other = one - one.mean(), other - other.mean()
    return float(one @ other / max(float(np.linalg.norm(one) * np.linalg.norm(other)), 1e-9))


CROWDED, SPARSE = 1.05, 1.2
"""Natural logarithms of the ratio to the hand's usual width of a character from which a line is a warning: a third of
it, and 3.3 times it."""

NOTABLE = 0.9
"""That from which a sparse line is information: 2.5 times the usual width."""

USUAL_SCALES = 4.5
"""A line must also lie this many standard deviations of its hand away."""

SHORT = 5
"""Characters below which widths say little: a sparse line must be the sparser, and crowded ones are not told."""


def find_odd_proportions(data: CheckedData) -> Iterator[Finding]:
    """Compares the pixels a character of each line with its hand's, measured in two ways that both have to agree.

    A text that recurs with the same proportions, as a stamp does, is believed.
    """
    deviation = _describe_deviation(data)
    believed = _count_recurring(data, deviation)
    known = data.lengths >= SHORT
    usual = compute_scales(deviation, data.by_hand, known)
    for row in np.flatnonzero(np.isfinite(deviation)).tolist():
        size, length = float(deviation[row]), int(data.lengths[row])
        widened = USUAL_SCALES * float(usual[row])
        if size < 0 and -size > max(CROWDED, widened) and length >= SHORT and row not in believed:
            message = f"the text, {length} characters, has {np.exp(size):.2g} times the usual width for each character"
            remedy = "Look whether the image holds all of the text and nothing of other lines."
            yield data.finding(row, "warning", "crowded_line", message, remedy)
        elif size > max(NOTABLE, widened) + 0.3 * max(0, SHORT - length) and row not in believed:
            message = f"the text, {length} characters, has {np.exp(size):.2g} times the usual width for each character"
            least = max(SPARSE, widened) + 0.3 * max(0, SHORT - length)
            remedy = "Look whether the text is whole, or whether struck or large letters fill the line."
            yield data.finding(row, "warning" if size > least else "information", "sparse_line", message, remedy)


def _describe_deviation(data: CheckedData) -> np.ndarray:
    """Logarithms of the width of a character against the hand's: of the two measures the one nearer to 0, 0 where they
    contradict one another."""
    measures = data.measures
    lengths = np.maximum(data.lengths, 1)
    known = (data.lengths >= SHORT) & (measures.extent > 0)
    by_height = np.log(np.maximum(measures.extent, 0.02) / lengths)
    height = np.sqrt(np.maximum(measures.spread, 0.1))
    by_ink = np.log(np.maximum(measures.written, 0.02) / height / lengths)
    one, other = (compute_deviations(values, data.by_hand, known) for values in (by_height, by_ink))
    nearer = np.where(np.abs(one) < np.abs(other), one, other)
    return np.where(np.isnan(one), np.nan, np.where(one * other > 0, nearer, 0.0))


def _count_recurring(data: CheckedData, deviation: np.ndarray) -> set[int]:
    """Rows whose text another line has with about the same deviation."""
    by_text: dict[str, list[int]] = {}
    for row in np.flatnonzero(np.abs(np.nan_to_num(deviation)) > NOTABLE / 2).tolist():
        by_text.setdefault(data.lines[row].text.strip(), []).append(row)
    found: set[int] = set()
    for rows in by_text.values():
        rows.sort(key=lambda row: deviation[row])
        # Of the rows within reach the next one of another image in either direction is enough.
        for ordered in (rows, rows[::-1]):
            other = None
            for before, row in pairwise(ordered):
                if data.measures.checksums[before] != data.measures.checksums[row]:
                    other = before
                if other is not None and abs(deviation[other] - deviation[row]) < 0.5:
                    found.add(row)
    return found
