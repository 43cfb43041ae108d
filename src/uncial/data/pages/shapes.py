"""The lines and regions of a page as arrays: what maps are drawn from, and what is found in them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from uncial.document import Page, Word
from uncial.imaging.bands import estimate_interline
from uncial.imaging.line_geometry import LineGeometry, resolve_geometry
from uncial.imaging.page_geometry import DEFAULT_INTERLINE, resolve_lines
from uncial.imaging.polylines import join_points, to_points, to_tuples

CUTS = 25
"""Places along a line at which its height is measured."""

OUTER = 0.05
"""Share of a line's length at either end where it is not: polygons are rounded there."""


def _make_no_words() -> np.ndarray:
    return np.zeros((0, 2, 2))


@dataclass(frozen=True, slots=True, eq=False)
class LineShape:
    """A line by its baseline (N >= 2, 2), from the left to the right end of the upright writing, and how far the
    writing reaches above and below it, in the same unit; NaN where nothing says so.

    `confidence` is a fraction: 1 for ground truth. `words` (W, 2, 2) are the points of the baseline at which each word
    begins and ends, where the file divides the line into words.
    """

    baseline: np.ndarray
    up: float = float("nan")
    down: float = float("nan")
    confidence: float = 1.0
    words: np.ndarray = field(default_factory=_make_no_words)

    def moved(self, move: Callable[[np.ndarray], np.ndarray], factor: float) -> "LineShape":
        """Return the line on another sheet: `move` maps points (N, 2), heights grow by `factor`."""
        words = move(self.words.reshape(-1, 2)).reshape(-1, 2, 2) if len(self.words) else self.words
        return LineShape(move(self.baseline), self.up * factor, self.down * factor, self.confidence, words)


@dataclass(frozen=True, slots=True, eq=False)
class RegionShape:
    """A region by its outline (N >= 3, 2) and the file's own word for what it is."""

    type: str
    polygon: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class PageShapes:
    """What stands on a page, (width, height) large, and how far its lines are apart; all in one unit."""

    size: tuple[float, float]
    interline: float
    lines: tuple[LineShape, ...] = ()
    regions: tuple[RegionShape, ...] = ()

    def moved(self, move: Callable[[np.ndarray], np.ndarray], size: tuple[float, float], factor: float) -> "PageShapes":
        """Return the shapes on another sheet of `size`: `move` maps points (N, 2), lengths grow by `factor`."""
        lines = tuple(line.moved(move, factor) for line in self.lines)
        regions = tuple(replace(region, polygon=move(region.polygon)) for region in self.regions)
        return PageShapes(size, self.interline * factor, lines, regions)

    def scaled(self, factor: float) -> "PageShapes":
        """Return the shapes in another unit: `factor` of it make one of this."""
        width, height = self.size
        return self.moved(lambda points: points * factor, (width * factor, height * factor), factor)


def read_shapes(page: Page) -> PageShapes:
    """Return the lines and regions of a page in pixels of its image, less what contradicts all else in the file. Lines
    without a place are left out."""
    lines = [resolved.line for resolved in resolve_lines(page)]
    words = {line.id: line.words for line in page.lines}
    limit = 4.0 * max(page.width, page.height, 1) if page.width and page.height else np.inf
    known = [(line.id, geometry) for line in lines if (geometry := resolve_geometry(line, limit)) is not None]
    found = [geometry for _, geometry in known]
    polygons = join_points([to_tuples(geometry.polygon) for geometry in found], 3)
    baselines = join_points([to_tuples(geometry.baseline) for geometry in found], 2)
    interline = estimate_interline(lines, polygons, baselines)
    shapes = tuple(_make_shape(geometry, words.get(name, ())) for name, geometry in known)
    regions = tuple(
        RegionShape(region.type or "", polygon)
        for region in page.regions
        if len(polygon := to_points(region.polygon)) > 2
    )
    return PageShapes((page.width, page.height), interline or DEFAULT_INTERLINE, shapes, regions)


def _make_shape(geometry: LineGeometry, words: Sequence[Word]) -> LineShape:
    baseline, placed = geometry.baseline, [word for word in words if len(word.polygon) > 1]
    spans = [_project(baseline, np.array(word.polygon, np.float64)) for word in placed]
    kept = [span for span in spans if np.isfinite(span).all() and np.hypot(*(span[1] - span[0])) >= 1]
    # Those that the file has right to left stand in the order of the baseline all the same.
    kept.sort(key=lambda span: float(span[0] @ (baseline[-1] - baseline[0])))
    divided = np.stack(kept) if kept else _make_no_words()
    return LineShape(baseline, *measure_heights(baseline, geometry.polygon), words=divided)


def _project(baseline: np.ndarray, polygon: np.ndarray) -> np.ndarray:
    """Return the first and the last of the points (2, 2) of a baseline that are nearest to a corner of the polygon."""
    starts, steps = baseline[:-1], np.diff(baseline, axis=0)
    lengths = np.maximum(np.hypot(*steps.T), 1e-9)
    before = np.r_[0.0, np.cumsum(lengths)[:-1]]
    part = ((polygon[:, None] - starts) * steps).sum(axis=2) / lengths**2
    part = np.clip(part, 0.0, 1.0)
    away = np.hypot(*np.moveaxis(polygon[:, None] - starts - part[..., None] * steps, 2, 0))
    nearest = away.argmin(axis=1)
    along = before[nearest] + part[np.arange(len(polygon)), nearest] * lengths[nearest]
    knots = np.r_[before, before[-1] + lengths[-1]]
    ends = np.array([along.min(), along.max()])
    return np.stack([np.interp(ends, knots, baseline[:, axis]) for axis in (0, 1)], axis=1)


def measure_heights(baseline: np.ndarray, polygon: np.ndarray) -> tuple[float, float]:
    """Return how far a polygon (N, 2) reaches above and below a baseline (K, 2) that runs to the right of upright
    writing: the medians of cuts across its chord, which ragged outlines do not sway. NaN where no cut meets it.
    """
    chord = baseline[-1] - baseline[0]
    length = float(np.hypot(*chord))
    if len(polygon) < 3 or length < 1:
        return float("nan"), float("nan")
    axes = np.stack([chord, [chord[1], -chord[0]]]) / length
    outline, course = (polygon - baseline[0]) @ axes.T, (baseline - baseline[0]) @ axes.T
    order = np.argsort(course[:, 0], kind="stable")
    cuts = np.linspace(OUTER * length, (1 - OUTER) * length, CUTS)
    after = np.roll(outline, -1, axis=0)
    span = after[:, 0] - outline[:, 0]
    crosses = ((outline[None, :, 0] - cuts[:, None]) * (after[None, :, 0] - cuts[:, None]) <= 0) & (span != 0)
    share = (cuts[:, None] - outline[None, :, 0]) / np.where(span == 0, 1.0, span)
    heights = outline[None, :, 1] + share * (after[:, 1] - outline[:, 1])
    heights = heights - np.interp(cuts, course[order, 0], course[order, 1])[:, None]
    met = crosses.any(axis=1)
    if not met.any():
        return float("nan"), float("nan")
    highest = np.where(crosses, heights, -np.inf).max(axis=1)[met]
    lowest = np.where(crosses, heights, np.inf).min(axis=1)[met]
    return float(np.median(highest)), float(-np.median(lowest))
