"""From the maps of regions to regions: what is above a half, cut where a border is seen, grown back and outlined."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from uncial.data.pages.maps import EDGE_WIDTH
from uncial.data.pages.shapes import LineShape, RegionShape


@dataclass(frozen=True)
class RegionSettings:
    """`threshold` is the probability from which on a place belongs to a region, less `edge_weight` times that of a
    border. Regions smaller than `min_area` square interlines are none; outlines are drawn to `tolerance` interlines."""

    threshold: float = 0.5
    edge_weight: float = 0.5
    min_area: float = 0.5
    tolerance: float = 0.2


def find_regions(
    maps: Mapping[str, np.ndarray], edge: np.ndarray, interline: float, settings: RegionSettings
) -> list[RegionShape]:
    """Return the regions of each type, in pixels of the maps (h, w), which hold probabilities."""
    found = []
    reach = max(1, round(EDGE_WIDTH / 2 * interline))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    for kind, probability in maps.items():
        inner = (probability - settings.edge_weight * edge > settings.threshold - settings.edge_weight / 2).astype(
            np.uint8
        )
        inner &= (probability > settings.threshold).astype(np.uint8)
        count, labels, stats, _ = cv2.connectedComponentsWithStats(inner, connectivity=4)
        for number in range(1, count):
            if stats[number, cv2.CC_STAT_AREA] < settings.min_area * interline**2:
                continue
            outline = _outline(labels == number, stats[number], kernel, reach, settings.tolerance * interline)
            if outline is not None:
                found.append(RegionShape(kind, outline))
    return found


def _outline(
    mask: np.ndarray, stats: np.ndarray, kernel: np.ndarray, reach: int, tolerance: float
) -> np.ndarray | None:
    """Return the outline (N >= 3, 2) of a component, grown by the half of the border that was cut off."""
    left, top, width, height = (int(stats[place]) for place in range(4))
    box = mask[top : top + height, left : left + width].astype(np.uint8)
    grown = cv2.dilate(np.pad(box, reach + 1), kernel)
    contours, _ = cv2.findContours(grown, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    contour = max(contours, key=cv2.contourArea)
    simple = cv2.approxPolyDP(contour, tolerance, True)[:, 0].astype(np.float64)
    return simple + np.array([left - reach - 1, top - reach - 1]) if len(simple) > 2 else None


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
