"""What was found on a page, and the page with it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from uncial.data.pages.shapes import LineShape, RegionShape
from uncial.document import Page, Region, TextLine
from uncial.models.layout.regions import assign_lines


@dataclass(frozen=True, eq=False)
class Layout:
    """Lines with their polygons (N, 2), and regions, all in one unit, in which lines are `interline` apart."""

    lines: tuple[LineShape, ...]
    polygons: tuple[np.ndarray, ...]
    regions: tuple[RegionShape, ...]
    interline: float

    def scaled(self, factor: float) -> "Layout":
        """Return the same in another unit: `factor` of it make one of this."""
        lines = tuple(
            replace(line, baseline=line.baseline * factor, up=line.up * factor, down=line.down * factor)
            for line in self.lines
        )
        regions = tuple(replace(region, polygon=region.polygon * factor) for region in self.regions)
        polygons = tuple(polygon * factor for polygon in self.polygons)
        return Layout(lines, polygons, regions, self.interline * factor)


def make_found_page(layout: Layout, page: Page, scale: tuple[float, float]) -> Page:
    """Return the page with what was found instead of its own lines and regions.

    `scale` is (x, y): so many units of the layout are one of the file's coordinates. Regions stand from the top of the
    page to its foot, lines likewise, region by region; those in no region come last.
    """
    order = sorted(range(len(layout.regions)), key=lambda place: _top_left(layout.regions[place].polygon))
    names = {place: f"r{number}" for number, place in enumerate(order, 1)}
    regions = tuple(
        Region(names[place], layout.regions[place].type, _to_points(layout.regions[place].polygon, scale), number)
        for number, place in enumerate(order)
    )
    held = assign_lines(layout.lines, layout.regions)
    ranks = {place: rank for rank, place in enumerate(order)}
    places = sorted(
        range(len(layout.lines)),
        key=lambda number: (
            len(ranks) if (region := held[number]) is None else ranks[region],
            *_top_left(layout.lines[number].baseline),
        ),
    )
    lines = tuple(
        TextLine(
            id=f"l{rank}",
            page_id=page.id,
            polygon=_to_points(layout.polygons[number], scale),
            baseline=_to_points(layout.lines[number].baseline, scale),
            region_id=None if (region := held[number]) is None else names[region],
            confidence=round(float(np.clip(layout.lines[number].confidence, 0.0, 1.0)), 4),
        )
        for rank, number in enumerate(places, 1)
    )
    return replace(page, regions=regions, lines=lines, reading_order=())


def _top_left(points: np.ndarray) -> tuple[float, float]:
    return float(points[:, 1].min()), float(points[:, 0].min())


def _to_points(points: np.ndarray, scale: Sequence[float]) -> tuple[tuple[float, float], ...]:
    return tuple((round(float(x) / scale[0], 1), round(float(y) / scale[1], 1)) for x, y in points)
