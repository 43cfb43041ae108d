"""From the maps of regions to regions: what is above a half, divided where a border is seen, and outlined."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from uncial.data.pages.shapes import LineShape, RegionShape


@dataclass(frozen=True)
class RegionSettings:
    """`threshold` is the probability from which on a place belongs to a region, `edge` that from which on it lies on a
    border. Regions smaller than `min_area` square interlines are none; outlines are drawn to `tolerance` interlines."""

    threshold: float = 0.5
    edge: float = 0.5
    min_area: float = 0.5
    tolerance: float = 0.2


def find_regions(
    maps: Mapping[str, np.ndarray], edge: np.ndarray, interline: float, settings: RegionSettings
) -> list[RegionShape]:
    """Return the regions of each type, in pixels of the maps (h, w), which hold probabilities."""
    least = settings.min_area * interline**2
    found = []
    for kind, probability in maps.items():
        areas = probability > settings.threshold
        for mask, origin in _list_components(areas, least):
            height, width = mask.shape
            beyond = edge[origin[1] : origin[1] + height, origin[0] : origin[0] + width] < settings.edge
            for part, inner in _divide(mask, beyond, least):
                outline = _outline(part, settings.tolerance * interline)
                if outline is not None:
                    found.append(RegionShape(kind, outline + np.add(origin, inner)))
    return found


def _list_components(areas: np.ndarray, least: float) -> Iterator[tuple[np.ndarray, tuple[int, int]]]:
    """Yield the components of a mask that have as many pixels, cut out of it, with the place (x, y) they were at."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(areas.astype(np.uint8), connectivity=4)
    for number in range(1, count):
        left, top, width, height, size = (int(value) for value in stats[number])
        if size >= least:
            yield labels[top : top + height, left : left + width] == number, (left, top)


def _divide(mask: np.ndarray, beyond: np.ndarray, least: float) -> Iterator[tuple[np.ndarray, tuple[int, int]]]:
    """Yield the parts of a component between which a border was seen, each with its place in it: where that leaves
    several, every pixel goes to the nearest of them."""
    cores = [(core, place) for core, place in _list_components(mask & beyond, least)]
    if len(cores) < 2:
        yield mask, (0, 0)
        return
    away = np.ones(mask.shape, np.uint8)
    for core, (left, top) in cores:
        away[top : top + core.shape[0], left : left + core.shape[1]][core] = 0
    _, nearest = cv2.distanceTransformWithLabels(away, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_CCOMP)
    for core, (left, top) in cores:
        rows, columns = np.nonzero(core)
        own = mask & (nearest == nearest[top + rows[0], left + columns[0]])
        yield own, (0, 0)


def _outline(mask: np.ndarray, tolerance: float) -> np.ndarray | None:
    """Return the outline (N >= 3, 2) of a mask, drawn on twice as many pixels: around these, not through their
    middles."""
    double = np.kron(np.pad(mask, 1), np.ones((2, 2), np.uint8)).astype(np.uint8)
    contours, _ = cv2.findContours(double, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    contour = max(contours, key=cv2.contourArea)
    simple = cv2.approxPolyDP(contour, 2 * tolerance, True)[:, 0].astype(np.float64)
    return (simple + 0.5) / 2 - 1.5 if len(simple) > 2 else None


def assign_lines(lines: Sequence[LineShape], regions: Sequence[RegionShape]) -> list[int | None]:
    """Return for each line the region that most of it lies in, by its place in the list; of several the smallest, and
    None where no region holds half of it."""
    if not regions:
        return [None] * len(lines)
    order = sorted(range(len(regions)), key=lambda place: -float(cv2.contourArea(_to_contour(regions[place].polygon))))
    inside = np.zeros((len(regions), len(lines)))
    for place in order:
        contour = _to_contour(regions[place].polygon)
        for number, line in enumerate(lines):
            points = _spread_points(line)
            inside[place, number] = np.mean([cv2.pointPolygonTest(contour, point, False) >= 0 for point in points])
    chosen: list[int | None] = []
    for number in range(len(lines)):
        held = [place for place in order if inside[place, number] >= 0.5]
        chosen.append(held[-1] if held else None)
    return chosen


def _to_contour(polygon: np.ndarray) -> np.ndarray:
    return polygon.astype(np.float32).reshape(-1, 1, 2)


def _spread_points(line: LineShape) -> list[tuple[float, float]]:
    """Nine places along a line, a little above it: baselines run along the lower borders of regions."""
    baseline = line.baseline
    steps = np.r_[0.0, np.cumsum(np.hypot(*np.diff(baseline, axis=0).T))]
    at = np.linspace(0, steps[-1], 9)
    points = np.stack([np.interp(at, steps, baseline[:, axis]) for axis in (0, 1)], axis=1)
    along = baseline[-1] - baseline[0]
    up = np.array([along[1], -along[0]]) / max(float(np.hypot(*along)), 1e-6)
    lifted = points + up * (0.3 * line.up if np.isfinite(line.up) else 0.0)
    return [(float(x), float(y)) for x, y in lifted]
