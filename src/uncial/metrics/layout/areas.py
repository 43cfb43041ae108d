"""How far areas agree: the intersection over union (IoU) of polygons, and of the pixels of each class.

Polygons may cross themselves: what they go round at least once is theirs. Points that are not finite are left out, and
a polygon of fewer than three points has no area.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from uncial.document import Page, Point

MAX_COORDINATE = 1e7
"""Coordinates beyond are set to it, so that areas stay exact."""
CUTS = 512
"""Slices at least into which a pair of polygons is cut, beside the cuts at their vertices where these are fewer."""
RASTER = 1024
"""Pixels of the longest side of the raster on which classes are compared."""
BACKGROUND = "background"
"""The class of the pixels that belong to no other."""

Polygon = Sequence[Point] | np.ndarray


@dataclass(frozen=True, slots=True)
class PixelCounts:
    """Pixels of one or more pages by class: how many belong to it in the truth, as found, and in both. `pixels` are
    all, `equal` those with the same classes in both; `instances` counts the areas of the truth. Whole numbers, so that
    sums are exact.
    """

    truth: Mapping[str, int] = field(default_factory=dict)
    found: Mapping[str, int] = field(default_factory=dict)
    both: Mapping[str, int] = field(default_factory=dict)
    instances: Mapping[str, int] = field(default_factory=dict)
    pixels: int = 0
    equal: int = 0

    def __add__(self, other: "PixelCounts") -> "PixelCounts":
        return PixelCounts(
            truth=_add(self.truth, other.truth),
            found=_add(self.found, other.found),
            both=_add(self.both, other.both),
            instances=_add(self.instances, other.instances),
            pixels=self.pixels + other.pixels,
            equal=self.equal + other.equal,
        )


@dataclass(frozen=True, slots=True)
class PixelScores:
    """`iou` of each class but the background that is in the truth or found, `mean_iou` over these. `weighted_iou` is
    the mean over all classes, the background too, weighted by their pixels in the truth. `accuracy` is the share of
    pixels with the same classes in both. Without any class, `mean_iou` is 1.
    """

    iou: Mapping[str, float]
    mean_iou: float
    weighted_iou: float
    accuracy: float


def compute_iou(one: Polygon, other: Polygon) -> float:
    """Return the IoU of two polygons of (x, y); 0 where either has no area.

    They are cut into slices at each vertex, and at 512 further places of their longer side; each slice counts by the
    exact lengths at its middle. Boxes are exact, other polygons to about a ten thousandth.
    """
    areas, shared = _measure(_clean(one), _clean(other))
    joint = sum(areas) - shared
    return shared / joint if joint > 0 else 0.0


def compute_area(polygon: Polygon) -> float:
    """Return the area in square pixels of what a polygon goes round."""
    points = _clean(polygon)
    return _measure(points, points[:0])[0][0]


def match_ious(found: Sequence[Polygon], truth: Sequence[Polygon], least: float = 0.1) -> np.ndarray:
    """Return the IoU of each found polygon with each one of the truth, (found, truth); 0 where it is below `least`."""
    sides = [[_clean(polygon) for polygon in polygons] for polygons in (found, truth)]
    boxes = [np.array([_box(points) for points in side]).reshape(-1, 4) for side in sides]
    areas = [np.array([_measure(points, points[:0])[0][0] for points in side]) for side in sides]
    low = np.maximum(boxes[0][:, np.newaxis, :2], boxes[1][:, :2])
    high = np.minimum(boxes[0][:, np.newaxis, 2:], boxes[1][:, 2:])
    most = np.maximum(high - low, 0).prod(axis=2)
    # What two polygons share lies in both of their boxes, and their union is no smaller than the larger.
    larger = np.maximum(areas[0][:, np.newaxis], areas[1])
    ious = np.zeros(most.shape)
    for place in zip(*np.nonzero((most > 0) & (most >= least * larger)), strict=True):
        (one, other), shared = _measure(sides[0][place[0]], sides[1][place[1]])
        ious[place] = shared / (one + other - shared) if shared > 0 else 0.0
    ious[ious < least] = 0.0
    return ious


def _clean(polygon: Polygon) -> np.ndarray:
    points = np.asarray(polygon, dtype=np.float64).reshape(-1, 2)
    points = points[np.isfinite(points).all(axis=1)]
    return np.clip(points, -MAX_COORDINATE, MAX_COORDINATE) if len(points) > 2 else points[:0]


def _box(points: np.ndarray) -> np.ndarray:
    return np.concatenate([points.min(axis=0), points.max(axis=0)]) if len(points) else np.zeros(4)


def _measure(one: np.ndarray, other: np.ndarray) -> tuple[tuple[float, float], float]:
    """Return the areas of two polygons (N, 2), and of what they share."""
    points = np.concatenate([one, other])
    if not len(points):
        return (0.0, 0.0), 0.0
    extent = np.ptp(points, axis=0)
    # Along the longer side, since the edges are nearly parallel to it and slices then differ little.
    along = int(extent[1] > extent[0])
    cuts = _choose_cuts(points[:, along])
    widths = np.diff(cuts)
    crossings = [_cross(polygon, cuts[:-1] + widths / 2, along) for polygon in (one, other)]
    slices, places, turns = (np.concatenate(parts) for parts in zip(*crossings, strict=True))
    owners = np.repeat([0, 1], [len(crossing[0]) for crossing in crossings])
    order = np.lexsort((places, slices))
    slices, spans = slices[order[:-1]], np.diff(places[order])
    # At the end of each slice both polygons are left again, so that the sums go on from 0.
    inside = [np.cumsum(np.where(owners == side, turns, 0)[order])[:-1] != 0 for side in (0, 1)]
    # Zeros where a polygon is not, so that equal polygons have equal sums.
    sums = [float(np.where(where, spans * widths[slices], 0.0).sum()) for where in (*inside, inside[0] & inside[1])]
    return (sums[0], sums[1]), sums[2]


def _choose_cuts(vertices: np.ndarray) -> np.ndarray:
    """Return where polygons are cut into slices, by the places of their vertices along the way, (N,)."""
    lattice = np.linspace(vertices.min(), vertices.max(), CUTS + 1)
    return lattice if len(vertices) > CUTS else np.unique(np.concatenate([vertices, lattice]))


def _cross(polygon: np.ndarray, at: np.ndarray, along: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return where the edges of a polygon cross lines across it, which lie at `at` (lines,), rising: the line of each
    crossing, its place on that line, and whether the edge runs up (1) or down (-1), (crossings,) each.
    """
    start, end = polygon, np.roll(polygon, -1, axis=0)
    change = end - start
    ends = np.stack([start[:, along], end[:, along]])
    first, last = np.searchsorted(at, ends.min(axis=0)), np.searchsorted(at, ends.max(axis=0))
    counts = last - first
    edges = np.repeat(np.arange(len(polygon)), counts)
    lines = np.arange(len(edges)) - np.repeat(np.cumsum(counts) - counts - first, counts)
    share = (at[lines] - start[edges, along]) / change[edges, along]
    places = start[edges, 1 - along] + share * change[edges, 1 - along]
    return lines, places, np.sign(change[edges, along]).astype(np.int64)


def fill_polygon(mask: np.ndarray, polygon: Polygon) -> None:
    """Set the pixels of a raster (height, width) whose middle lies in a polygon."""
    points = _clean(polygon)
    if not len(points):
        return
    low = np.clip(np.floor(points.min(axis=0)), 0, mask.shape[::-1]).astype(int)
    high = np.clip(np.ceil(points.max(axis=0)), 0, mask.shape[::-1]).astype(int)
    width, height = high - low
    rows, places, turns = _cross(points, np.arange(low[1], high[1]) + 0.5, along=1)
    columns = np.clip(np.ceil(places - 0.5) - low[0], 0, width).astype(int)
    steps = np.zeros((height, width + 1), dtype=np.int32)
    np.add.at(steps, (rows, columns), turns)
    mask[low[1] : high[1], low[0] : high[0]] |= np.cumsum(steps, axis=1)[:, :width] != 0


def count_region_pixels(truth: Page, found: Page) -> PixelCounts:
    """Count the pixels of a page's regions by type: those that a file numbers (`MainZone#2`) are of one type, and those
    without a type of the type `untyped`."""
    return _count(truth, found, _areas_by_type(truth), _areas_by_type(found))


def count_line_pixels(truth: Page, found: Page) -> PixelCounts:
    """Count the pixels within the polygons of a page's lines, as one class `line`."""
    own, others = ({"line": list[Polygon](line.polygon for line in page.lines)} for page in (truth, found))
    return _count(truth, found, own, others)


def region_type(name: str | None) -> str:
    """Return the type of a region without the number that a file may give to those of one type."""
    return re.sub(r"#\d+$", "", name or "") or "untyped"


def _areas_by_type(page: Page) -> dict[str, list[Polygon]]:
    areas: dict[str, list[Polygon]] = {}
    for region in page.regions:
        areas.setdefault(region_type(region.type), []).append(region.polygon)
    return areas


def _count(truth: Page, found: Page, own: dict[str, list[Polygon]], others: dict[str, list[Polygon]]) -> PixelCounts:
    everything = [point for areas in (own, others) for polygons in areas.values() for one in polygons for point in one]
    width, height = _extent(truth, found, _clean(everything))
    scale = RASTER / max(width, height)
    shape = max(1, round(height * scale)), max(1, round(width * scale))
    counts: dict[str, tuple[int, int, int]] = {}
    is_any = [np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)]
    differs = np.zeros(shape, dtype=bool)
    for name in sorted({*own, *others}):
        masks = [np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)]
        for side, areas in enumerate((own, others)):
            for polygon in areas.get(name, ()):
                fill_polygon(masks[side], _clean(polygon) * scale)
            is_any[side] |= masks[side]
        differs |= masks[0] ^ masks[1]
        counts[name] = int(masks[0].sum()), int(masks[1].sum()), int((masks[0] & masks[1]).sum())
    bare = [~is_any[0], ~is_any[1]]
    counts[BACKGROUND] = int(bare[0].sum()), int(bare[1].sum()), int((bare[0] & bare[1]).sum())
    return PixelCounts(
        truth={name: count[0] for name, count in counts.items()},
        found={name: count[1] for name, count in counts.items()},
        both={name: count[2] for name, count in counts.items()},
        instances={name: sum(len(_clean(polygon)) > 0 for polygon in polygons) for name, polygons in own.items()},
        pixels=differs.size,
        equal=differs.size - int(differs.sum()),
    )


def _extent(truth: Page, found: Page, points: np.ndarray) -> tuple[float, float]:
    """Return the size of the page: that which the truth states, else the found page, else what the areas reach to."""
    for page in (truth, found):
        if page.width > 0 and page.height > 0:
            return page.width, page.height
    reach = points.max(axis=0) if len(points) else np.ones(2)
    return max(1.0, float(reach[0])), max(1.0, float(reach[1]))


def score_pixels(counts: PixelCounts, min_instances: int = 0) -> PixelScores:
    """Turn counts into scores. Of `iou` and `mean_iou`, classes with fewer areas in the truth are left out."""
    joint = {name: counts.truth[name] + counts.found[name] - counts.both[name] for name in counts.truth}
    iou = {name: counts.both[name] / joint[name] for name in sorted(joint) if joint[name]}
    shown = {
        name: value
        for name, value in iou.items()
        if name != BACKGROUND and counts.instances.get(name, 0) >= min_instances
    }
    weights = sum(counts.truth[name] for name in iou)
    return PixelScores(
        iou=shown,
        mean_iou=sum(shown.values()) / len(shown) if shown else 1.0,
        weighted_iou=sum(counts.truth[name] * value for name, value in iou.items()) / weights if weights else 1.0,
        accuracy=counts.equal / counts.pixels if counts.pixels else 1.0,
    )


def _add(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in sorted({*one, *other})}
