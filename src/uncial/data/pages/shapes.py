"""The lines and regions of a page as arrays: what maps are drawn from, and what is found in them."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from uncial.document import Page
from uncial.imaging.bands import estimate_interline
from uncial.imaging.line_geometry import LineGeometry, resolve_geometry
from uncial.imaging.page_geometry import DEFAULT_INTERLINE, resolve_lines
from uncial.imaging.polylines import join_points, to_points, to_tuples

CUTS = 25
"""Places along a line at which its height is measured."""

OUTER = 0.05
"""Share of a line's length at either end where it is not: polygons are rounded there."""


@dataclass(frozen=True, slots=True, eq=False)
class LineShape:
    """A line by its baseline (N >= 2, 2), from the left to the right end of the upright writing, and how far the
    writing reaches above and below it, in the same unit; NaN where nothing says so.

    `confidence` is a fraction: 1 for ground truth.
    """

    baseline: np.ndarray
    up: float = float("nan")
    down: float = float("nan")
    confidence: float = 1.0


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
        lines = tuple(
            replace(line, baseline=move(line.baseline), up=line.up * factor, down=line.down * factor)
            for line in self.lines
        )
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
    limit = 4.0 * max(page.width, page.height, 1) if page.width and page.height else np.inf
    found = [geometry for line in lines if (geometry := resolve_geometry(line, limit)) is not None]
    polygons = join_points([to_tuples(geometry.polygon) for geometry in found], 3)
    baselines = join_points([to_tuples(geometry.baseline) for geometry in found], 2)
    interline = estimate_interline(lines, polygons, baselines)
    shapes = tuple(_make_shape(geometry) for geometry in found)
    regions = tuple(
        RegionShape(region.type or "", polygon)
        for region in page.regions
        if len(polygon := to_points(region.polygon)) > 2
    )
    return PageShapes((page.width, page.height), interline or DEFAULT_INTERLINE, shapes, regions)


def _make_shape(geometry: LineGeometry) -> LineShape:
    return LineShape(geometry.baseline, *measure_heights(geometry.baseline, geometry.polygon))


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
