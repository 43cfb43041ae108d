"""Pages that are perhaps transcribed in part: a model finds lines where the file has none, or lines leave much of their
region free."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from uncial.data.checks.findings import Finding, Severity
from uncial.data.pages.shapes import read_shapes
from uncial.document import Page, Point, Region, TextLine
from uncial.imaging.polylines import find_points_along, measure_lengths
from uncial.metrics.layout.baselines import list_baselines

NEAR, NEAR_INSIDE = 0.5, 0.8
"""Interlines around a baseline of the file within which a found one is the same line's: anywhere, and within its
polygon, for which the neighbours' baselines are too far; some draw baselines through or above the writing."""

WITHOUT, WITH = 0.25, 0.5
"""Shares of a found baseline on lines of the file, up to which it lies where there is none, and from which it is one of
them."""

LEAST_LENGTH, LEAST_PART = 3.0, 0.5
"""Interlines that a found line is long at least to be counted, or the part of the usual line's length where lines are
short: initials, numbers and specks are not."""

SURE, LEAST_KNOWN, SURE_ANYWAY = 0.1, 20, 0.5
"""A found line counts that is surer than this share of those that the files have too. Where these are too few, one that
is as sure as the last of the three."""

MANY_LINES, LARGE_SHARE = 2, 0.05
"""Lines, and share of the found ones, from which a page is worth a warning."""

FREE_LINES, FREE_SHARE = 5.0, 0.25
"""Interlines, and share of a region's height, from which what its lines leave free is told. Of the complete pages of
manuscripts and books by which it was set, one region in forty is so, and nearly all in which a third of the lines is
missing."""

CELL = 8.0
"""Pixels of the mask for an interline."""


@dataclass(frozen=True, eq=False)
class FoundLines:
    """The lines that a model found on a page, against those that its file `marked` has.

    For each of the `lines`: its length in interlines, and the share of its baseline that lies on lines of the file.
    """

    marked: Page
    lines: tuple[TextLine, ...]
    lengths: np.ndarray
    shares: np.ndarray

    @property
    def confidences(self) -> np.ndarray:
        return np.array([line.confidence or 0.0 for line in self.lines])


@dataclass(frozen=True, eq=False)
class PartialPage:
    """A page with found lines that its file lacks (`missing`), of so many `counted`. `row` is its place among the pages
    that were compared."""

    row: int
    marked: Page
    missing: tuple[TextLine, ...]
    counted: int

    @property
    def share(self) -> float:
        return len(self.missing) / self.counted


def compare_found_lines(marked: Page, found: Page) -> FoundLines:
    """Compare the lines of a page with those that were found on it, both in coordinates of the file."""
    # How far apart the found lines are: of those of the file some may be missing.
    scale = CELL / read_shapes(found).interline
    looked_at = [np.array(line.baseline) * scale for line in found.lines]
    across, down = np.ceil(np.concatenate([np.ones((1, 2)), *looked_at]).max(axis=0)).astype(int).tolist()
    mask = _draw_lines(marked, scale, (down + 2, across + 2))
    lengths = np.array([float(measure_lengths(points).sum()) for points in looked_at])
    shares = np.array([_measure_share(points, mask) for points in looked_at])
    return FoundLines(marked, found.lines, lengths / CELL, shares)


def _draw_lines(page: Page, scale: float, size: tuple[int, int]) -> np.ndarray:
    """Return a mask (h, w) of where a page has lines, at `scale` pixels for a unit of its coordinates."""
    baselines = [np.rint(points * scale).astype(np.int32) for points in list_baselines(page) if len(points)]
    outlines = [np.rint(np.array(line.polygon) * scale).astype(np.int32) for line in page.lines if line.polygon]
    inside, near, nearer = (np.zeros(size, np.uint8) for _ in range(3))
    for outline in outlines:
        cv2.fillPoly(inside, [outline], (1,))
    for reach, mask in ((NEAR_INSIDE, near), (NEAR, nearer)):
        cv2.polylines(mask, baselines, False, (1,), round(2 * reach * CELL))
    return (inside & near) | nearer


def _measure_share(baseline: np.ndarray, mask: np.ndarray) -> float:
    """Return the share of a baseline (N, 2) that lies on the mask."""
    length = float(measure_lengths(baseline).sum())
    x, y = np.rint(find_points_along(baseline, max(2, int(length)))).astype(int).T
    return float(mask[np.clip(y, 0, mask.shape[0] - 1), np.clip(x, 0, mask.shape[1] - 1)].mean())


def select_partial_pages(compared: Sequence[FoundLines]) -> list[PartialPage]:
    """Return the pages on which lines were found that their files lack, the largest share first.

    Short lines are not counted, nor those of which the model is less sure than it is of nearly all that the files have.
    """
    long = _select_long(compared)
    known = [one.confidences[own & (one.shares >= WITH)] for one, own in zip(compared, long, strict=True)]
    sure = SURE_ANYWAY
    if sum(map(len, known)) >= LEAST_KNOWN:
        sure = float(np.quantile(np.concatenate(known), SURE))
    pages = []
    for row, (one, own) in enumerate(zip(compared, long, strict=True)):
        counts = own & ((one.confidences >= sure) | (one.shares >= WITH))
        missing = np.flatnonzero(counts & (one.shares <= WITHOUT)).tolist()
        if missing:
            lines = tuple(one.lines[place] for place in missing)
            pages.append(PartialPage(row, one.marked, lines, int(counts.sum())))
    return sorted(pages, key=lambda page: -page.share)


def _select_long(compared: Sequence[FoundLines]) -> list[np.ndarray]:
    """Return for each page which of its found lines (n,) are long enough to be counted."""
    known = [one.lengths[one.shares >= WITH] for one in compared]
    usual = np.concatenate([np.zeros(0), *(known if any(map(len, known)) else (one.lengths for one in compared))])
    least = min(LEAST_LENGTH, LEAST_PART * float(np.median(usual))) if len(usual) else LEAST_LENGTH
    return [one.lengths >= least for one in compared]


def report_partial_page(page: PartialPage) -> Finding:
    """Return what is to be said of such a page, with the key by which it can be trained on as it is."""
    count = len(page.missing)
    severity: Severity = "warning" if count >= MANY_LINES and page.share >= LARGE_SHARE else "information"
    of = "found line" if page.counted == 1 else "found lines"
    message = (
        f"perhaps transcribed in part: {count} of {page.counted} {of} ({page.share:.0%}) "
        f"{'lies' if count == 1 else 'lie'} where the file has none"
    )
    return Finding(severity, "transcribed_in_part", message, str(page.marked.source), "", _choose_remedy(page))


def _choose_remedy(page: PartialPage) -> str:
    outlines = [np.array(region.polygon, np.float32) for region in page.marked.regions if len(region.polygon) > 2]
    inside = [
        any(cv2.pointPolygonTest(outline, _find_middle(line), False) >= 0 for outline in outlines)
        for line in page.missing
    ]
    if outlines and not any(inside):
        return (
            "Mark the lines where they are writing; or train with data.annotated=regions, by which what lies outside "
            "of regions teaches nothing."
        )
    return (
        "Mark the lines where they are writing; or train with data.annotated=lines, by which the lines of the file and "
        "what is next to them teach alone."
    )


def _find_middle(line: TextLine) -> Point:
    x, y = np.array(line.baseline)[[0, -1]].mean(axis=0).tolist()
    return x, y


def find_free_regions(page: Page, interline: float) -> Iterator[Finding]:
    """Yield information on regions whose lines leave a large part of their height free: above, between or below them.

    `interline` is how far the lines of the page are apart, in coordinates of the file. Only regions with three lines or
    more that run across are looked at.
    """
    held: dict[str | None, list[np.ndarray]] = {}
    for line, baseline in zip(page.lines, list_baselines(page), strict=True):
        if len(baseline):
            held.setdefault(line.region_id, []).append(baseline)
    for region in page.regions:
        own = held.get(region.id, [])
        if len(own) < 3 or len(region.polygon) < 3 or any(_is_steep(baseline) for baseline in own):
            continue
        free, height = _measure_free_height(region, own, interline)
        if free >= FREE_LINES * interline and free >= FREE_SHARE * height:
            kind = f" ({region.type})" if region.type else ""
            message = (
                f"the {len(own)} lines of the region {region.id}{kind} leave {free / height:.0%} of its height free "
                f"in one place, room for about {free / interline:.0f} lines"
            )
            remedy = "Nothing, where nothing is written there; else mark its lines, or train with data.annotated=lines."
            yield Finding("information", "free_region", message, str(page.source), "", remedy)


def _measure_free_height(region: Region, baselines: Sequence[np.ndarray], interline: float) -> tuple[float, float]:
    """Return the largest part of a region's height in which no line is, and the height of the region."""
    top, bottom = (float(edge(y for _, y in region.polygon)) for edge in (min, max))
    heights = np.sort([float(baseline[:, 1].mean()) for baseline in baselines])
    # A line reaches up by most of an interline from its baseline, and down by a little.
    gaps = [heights[0] - top - interline, bottom - heights[-1] - 0.3 * interline, *(np.diff(heights) - interline)]
    return float(max(gaps)), max(bottom - top, 1.0)


def _is_steep(baseline: np.ndarray) -> bool:
    x, y = np.abs(baseline[-1] - baseline[0])
    return bool(y > x)
