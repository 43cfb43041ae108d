"""Scores of pages that are annotated in part: what was found where the ground truth says nothing counts neither way."""

from dataclasses import replace

import numpy as np

from uncial.data.pages.maps import draw_told
from uncial.data.pages.shapes import read_shapes
from uncial.document import Page, TextLine
from uncial.imaging.polylines import find_points_along

LONGER_SIDE = 1024
"""Of the raster on which places are looked up, in pixels."""

PLACES = 33
"""At which a line is looked up."""


def keep_told(truth: Page, found: Page) -> tuple[Page, Page]:
    """Return a page and what was found on it without what `truth.annotated` says nothing of: `regions`, the lines and
    regions outside of those that are marked; `lines`, the lines more than an interline away from those that are marked,
    and all regions. A line is outside where most of it is."""
    if truth.annotated in (None, "page"):
        return truth, found
    scale = LONGER_SIDE / max(1, truth.width, truth.height)
    shapes = read_shapes(truth).scaled(scale)
    width, height = shapes.size
    told = draw_told(shapes, str(truth.annotated), (int(height), int(width)))
    lines = tuple(line for line in found.lines if _lies_in(told, _list_places(line), scale))
    if truth.annotated == "lines":
        return replace(truth, regions=()), replace(found, lines=lines, regions=())
    regions = tuple(region for region in found.regions if _lies_in(told, np.array(region.polygon), scale))
    return truth, replace(found, lines=lines, regions=regions)


def _list_places(line: TextLine) -> np.ndarray:
    """Return places (N, 2) at equal distances along a line; none where it has no points."""
    points = np.array(line.baseline or line.polygon, np.float64).reshape(-1, 2)
    return find_points_along(points, PLACES) if len(points) else points


def _lies_in(told: np.ndarray, places: np.ndarray, scale: float) -> bool:
    if not len(places):
        return True
    x, y = np.clip(np.rint(places * scale), 0, [told.shape[1] - 1, told.shape[0] - 1]).astype(int).T
    return bool(told[y, x].mean() >= 0.5)
