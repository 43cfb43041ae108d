"""What a layout model learns of a page, drawn from coordinates: maps of its lines and regions.

They are drawn after a page has been turned, scaled and bent, and never bent themselves. All lengths are pixels of the
maps; the idea of drawing baselines, ends and heights is PERO's (Kodym and Hradis, Page Layout Analysis System for
Unconstrained Historic Documents, 2021).
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Protocol

import cv2
import numpy as np

from uncial.data.pages.shapes import LineShape, PageShapes

SHIFT = 4
"""Bits behind the binary point of coordinates that OpenCV draws."""

RIDGE_WIDTH = 0.08
"""Standard deviation of the ridge across the line, in interlines; never under `MIN_RIDGE_WIDTH` pixels."""

MIN_RIDGE_WIDTH = 0.7
BAR_REACH, BAR_WIDTH = 0.6, 0.2
"""Of the bars at a line's ends: how far they reach to either side, and how wide they are, in interlines."""

BANDS = (1.0, 0.6, 0.25)
"""Widths in interlines of the band around a baseline in which its direction and heights are learned. The narrow ones
are drawn over the wide ones, so that between two lines each pixel belongs to the nearer."""

EDGE_WIDTH = 0.3
"""Of the border of a region, in interlines."""

MIN_HEIGHT = 0.05
"""Least height above and below a baseline, in interlines."""

LINE_MAPS = ("ridge", "start", "end", "along_x", "along_y", "up", "down", "interline")
"""`ridge`, `start` and `end` are 0 to 1; `along` is the unit vector along the writing; `up` and `down` are natural
logarithms of heights in interlines, `interline` that of the page's interline in `NOMINAL` pixels."""

NOMINAL = 10.0
"""Pixels of the maps between two lines at which a page is scaled for the network."""


@dataclass(frozen=True, slots=True, eq=False)
class PageMaps:
    """`values` (maps, h, w) float32, NaN where the page does not say; `near_line` (h, w) bool, the bands of lines."""

    values: np.ndarray
    near_line: np.ndarray


class Drawer(Protocol):
    """What draws the maps that a model learns: their `names`, and the types of `regions` among them."""

    @property
    def names(self) -> tuple[str, ...]: ...

    @property
    def regions(self) -> tuple[str, ...]: ...

    def draw(self, shapes: PageShapes, annotated: str = "page") -> PageMaps:
        """Draw the maps of a page, in pixels of the maps, for a sheet of `shapes.size`. `annotated` says what the
        ground truth tells: `page`, all; `regions`, what lies in them; `lines`, its lines and what is next to them."""
        ...


@dataclass(frozen=True)
class MapPlan:
    """Which maps there are: those of lines, one for each type of region, and the border of regions."""

    regions: tuple[str, ...] = ()

    @cached_property
    def names(self) -> tuple[str, ...]:
        return (*LINE_MAPS, *(f"region {name}" for name in self.regions), "region_edge")

    @cached_property
    def binary(self) -> tuple[int, ...]:
        """The maps that are probabilities, by their place."""
        others = {LINE_MAPS.index(name) for name in ("along_x", "along_y", "up", "down", "interline")}
        return tuple(place for place in range(len(self.names)) if place not in others)

    def place(self, name: str) -> int:
        return self.names.index(name)

    def draw(self, shapes: PageShapes, annotated: str = "page") -> PageMaps:
        """Draw the maps as `Drawer` says."""
        found = draw_maps(shapes, self)
        ignore_unannotated(found, shapes, self, annotated)
        return found


def draw_maps(shapes: PageShapes, plan: MapPlan) -> PageMaps:
    """Draw the maps of a page, in pixels of the maps, for a sheet of `shapes.size`."""
    width, height = (max(1, round(side)) for side in shapes.size)
    values = np.zeros((len(plan.names), height, width), np.float32)
    values[plan.place("ridge")] = _draw_ridge(shapes, (height, width))
    values[plan.place("start")] = _draw_bars(shapes, (height, width), first=True)
    values[plan.place("end")] = _draw_bars(shapes, (height, width), first=False)
    near_line = _draw_bands(shapes, values, plan)
    values[plan.place("interline")] = np.log(shapes.interline / NOMINAL)
    edge = values[plan.place("region_edge")]
    for region in shapes.regions:
        if region.type in plan.regions:
            cv2.fillPoly(
                values[plan.place(f"region {region.type}")], [_to_fixed_point(region.polygon)], 1.0, cv2.LINE_8, SHIFT
            )
            outline = [_to_fixed_point(region.polygon).reshape(-1, 1, 2)]
            cv2.polylines(edge, outline, True, 1.0, _compute_stroke(EDGE_WIDTH, shapes), cv2.LINE_8, SHIFT)
    return PageMaps(values, near_line)


def ignore_unannotated(maps: PageMaps, shapes: PageShapes, plan: MapPlan, annotated: str) -> None:
    """Set to NaN, in place, what the page does not tell.

    `annotated` is `page` where all of it is true; `regions` where nothing is said of what lies outside of them; `lines`
    where only lines are stated, and what lies within an interline of them. A page that has lines but no regions says
    nothing of regions.
    """
    of_regions = slice(len(LINE_MAPS), None)
    values = maps.values
    if annotated == "lines" or (shapes.lines and not shapes.regions):
        values[of_regions] = np.nan
    if annotated == "page":
        return
    told = draw_told(shapes, annotated, values.shape[1:])
    for place in plan.binary:
        values[place][~told] = np.nan


def draw_told(shapes: PageShapes, annotated: str, size: tuple[int, ...]) -> np.ndarray:
    """Return where (h, w) a page of which not all is `annotated` tells what is there."""
    told = np.zeros(size, np.uint8)
    if annotated == "regions":
        for region in shapes.regions:
            cv2.fillPoly(told, [_to_fixed_point(region.polygon)], 1, cv2.LINE_8, SHIFT)
    else:
        outlines = [_to_fixed_point(line.baseline).reshape(-1, 1, 2) for line in shapes.lines]
        cv2.polylines(told, outlines, False, 1, _compute_stroke(2.0, shapes), cv2.LINE_8, SHIFT)
    return told > 0


def _to_fixed_point(points: np.ndarray) -> np.ndarray:
    return np.round(points * (1 << SHIFT)).astype(np.int32)


def _compute_stroke(interlines: float, shapes: PageShapes) -> int:
    return max(1, round(interlines * shapes.interline))


def _draw_ridge(shapes: PageShapes, size: tuple[int, int]) -> np.ndarray:
    if not shapes.lines:
        return np.zeros(size, np.float32)
    away = np.full(size, 255, np.uint8)
    outlines = [_to_fixed_point(line.baseline).reshape(-1, 1, 2) for line in shapes.lines]
    cv2.polylines(away, outlines, False, 0, 1, cv2.LINE_8, SHIFT)
    distance = cv2.distanceTransform(away, cv2.DIST_L2, 5)
    deviation = max(RIDGE_WIDTH * shapes.interline, MIN_RIDGE_WIDTH)
    # Where no line is within the map, the distance is none that could be squared.
    ridge: np.ndarray = np.exp(-(np.minimum(distance, 20 * deviation) ** 2) / (2 * deviation**2))
    return ridge


def _draw_bars(shapes: PageShapes, size: tuple[int, int], first: bool) -> np.ndarray:
    bars = np.zeros(size, np.float32)
    for line in shapes.lines:
        end, before = (line.baseline[0], line.baseline[1]) if first else (line.baseline[-1], line.baseline[-2])
        along = end - before
        reach = BAR_REACH * shapes.interline * np.array([-along[1], along[0]]) / max(float(np.hypot(*along)), 1e-6)
        tips = _to_fixed_point(np.stack([end - reach, end + reach]))
        cv2.line(bars, tips[0].tolist(), tips[1].tolist(), 1.0, _compute_stroke(BAR_WIDTH, shapes), cv2.LINE_8, SHIFT)
    return bars


def _draw_bands(shapes: PageShapes, values: np.ndarray, plan: MapPlan) -> np.ndarray:
    """Fill the maps of direction and height around each baseline, and return where that is."""
    label = np.zeros(values.shape[1:], np.int32)
    pieces = [(line, start, end) for line in shapes.lines for start, end in pairwise(line.baseline)]
    for width in BANDS:
        for number, (_, start, end) in enumerate(pieces, 1):
            tips = _to_fixed_point(np.stack([start, end]))
            cv2.line(
                label, tips[0].tolist(), tips[1].tolist(), number, _compute_stroke(width, shapes), cv2.LINE_8, SHIFT
            )
    table = np.full((len(pieces) + 1, 4), np.nan, np.float32)
    for number, (line, start, end) in enumerate(pieces, 1):
        along = (end - start) / max(float(np.hypot(*(end - start))), 1e-6)
        table[number] = (*along, *_compute_log_heights(line, shapes.interline))
    for column, name in enumerate(("along_x", "along_y", "up", "down")):
        values[plan.place(name)] = table[label, column]
    return label > 0


def _compute_log_heights(line: LineShape, interline: float) -> tuple[float, float]:
    up, down = (np.log(max(height / interline, MIN_HEIGHT)) for height in (line.up, line.down))
    return (up, down) if np.isfinite([line.up, line.down]).all() else (np.nan, np.nan)
