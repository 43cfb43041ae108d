"""A page as PAGE and ALTO files can hold it: whole pixels on the page, outlines with an inside, names of XML."""

import math
from collections.abc import Sequence
from dataclasses import replace

from uncial.document import Page, Point, Region, TextLine
from uncial.formats.xml.identifiers import make_identifier

LEAST_AREA = 16.0
"""Square pixels below which an outline counts as having no inside; readers drop what is hardly larger than 12."""

BAND_UP, BAND_DOWN = 8.0, 4.0
"""Pixels that a line without an outline of its own reaches above and below its baseline."""

UNASSIGNED = "lines"
"""The identifier of the region of those lines that lie in none."""


def fit_to_file(page: Page) -> Page:
    """Return the page with coordinates in whole pixels on it, and identifiers that are unique names of XML.

    No line or region is lost: an outline that rounding or the page's border leaves without an inside becomes a band
    along the baseline, or a box around the region's lines. Lines that lie in no region share one more, the last.
    """
    size = float(page.width), float(page.height)
    names = _name_all(page)
    known = {region.id for region in page.regions}
    lines = [_fit_line(line, size) for line in page.lines]
    loose = [line for line in lines if line.region_id not in known]
    regions = [
        _fit_region(region, [line for line in lines if line.region_id == region.id], size) for region in page.regions
    ]
    if loose:
        rest = Region("", None, (), len(regions))
        regions.append(_fit_region(rest, loose, size))
    return replace(
        page,
        regions=tuple(
            replace(region, id=names["r", region.id], parent=names.get(("r", region.parent)) if region.parent else None)
            for region in regions
        ),
        lines=tuple(
            replace(
                line,
                id=names["l", line.id],
                region_id=names["r", (line.region_id or "") if line.region_id in known else ""],
            )
            for line in lines
        ),
    )


def _name_all(page: Page) -> dict[tuple[str, str], str]:
    """Return the names of regions (`r`) and lines (`l`) by their identifiers; that of the region of all others is
    under an empty one."""
    names: dict[tuple[str, str], str] = {}
    taken: set[str] = set()
    stated = [("r", region.id) for region in page.regions] + [("l", line.id) for line in page.lines]
    for number, (kind, identity) in enumerate((*stated, ("r", "")), start=1):
        wish = make_identifier(identity or UNASSIGNED, f"{kind}{number}")
        names[kind, identity] = next(
            name for name in (wish, *(f"{wish}_{count}" for count in range(2, len(stated) + 3))) if name not in taken
        )
        taken.add(names[kind, identity])
    return names


def _fit_line(line: TextLine, size: Point) -> TextLine:
    baseline = _fit_baseline(line.baseline, size) if line.baseline else ()
    polygon = _round(line.polygon or _list_corners(line.box), size)
    if len(polygon) < 3 or abs(compute_area(polygon)) < LEAST_AREA:
        polygon = _draw_band(baseline or _fit_baseline(polygon or ((0.0, 0.0),), size), size)
    return replace(line, baseline=baseline, polygon=polygon, box=None)


def _fit_region(region: Region, lines: Sequence[TextLine], size: Point) -> Region:
    polygon = _round(region.polygon, size)
    if len(polygon) < 3 or abs(compute_area(polygon)) < LEAST_AREA:
        points = [point for line in lines for point in line.polygon] or list(polygon) or [(0.0, 0.0), size]
        polygon = _list_corners(compute_box(points))
        if abs(compute_area(polygon)) < LEAST_AREA:
            polygon = _draw_band(_fit_baseline(polygon, size), size)
    return replace(region, polygon=polygon)


def compute_area(polygon: Sequence[Point]) -> float:
    """Return the area within a polygon, negative where it runs against the clock."""
    after = (*polygon[1:], *polygon[:1])
    return sum(x * b - a * y for (x, y), (a, b) in zip(polygon, after, strict=True)) / 2


def compute_box(points: Sequence[Point]) -> tuple[float, float, float, float]:
    """Return (left, top, right, bottom) around the points."""
    across, down = zip(*points, strict=True)
    return min(across), min(down), max(across), max(down)


def _list_corners(box: tuple[float, float, float, float] | None) -> tuple[Point, ...]:
    if box is None:
        return ()
    left, top, right, bottom = box
    return (left, top), (right, top), (right, bottom), (left, bottom)


def _round(points: Sequence[Point], size: Point) -> tuple[Point, ...]:
    """Return the points in whole pixels on the page, none twice in a row."""
    found: list[Point] = []
    for x, y in points:
        if not (math.isfinite(x) and math.isfinite(y)):
            continue
        point = float(round(min(max(x, 0.0), size[0]))), float(round(min(max(y, 0.0), size[1])))
        if not found or point != found[-1]:
            found.append(point)
    return tuple(found)


def _fit_baseline(points: Sequence[Point], size: Point) -> tuple[Point, ...]:
    """Return at least two different points: what is one pixel long reads to the right, or as it ran."""
    found = _round(points, size)
    if len(found) > 1:
        return found
    x, y = found[0] if found else (0.0, 0.0)
    along = (points[-1][0] - points[0][0], points[-1][1] - points[0][1]) if len(points) > 1 else (1.0, 0.0)
    if abs(along[1]) > abs(along[0]):
        first, last = max(0.0, min(y, size[1] - 2)), min(size[1], max(y, 0.0) + 2)
        return ((x, first), (x, last)) if along[1] > 0 else ((x, last), (x, first))
    first, last = max(0.0, min(x, size[0] - 2)), min(size[0], max(x, 0.0) + 2)
    return ((first, y), (last, y)) if along[0] >= 0 else ((last, y), (first, y))


def _draw_band(baseline: Sequence[Point], size: Point) -> tuple[Point, ...]:
    """Return a box around the baseline, `BAND_UP` and `BAND_DOWN` wide across it, pushed onto the page."""
    left, top, right, bottom = compute_box(baseline)
    if right - left >= bottom - top:
        left, top, right, bottom = left - 2, top - BAND_UP, right + 2, bottom + BAND_DOWN
    else:
        left, top, right, bottom = left - BAND_DOWN, top - 2, right + BAND_UP, bottom + 2
    across, down = _push_inside(left, right, size[0]), _push_inside(top, bottom, size[1])
    return _list_corners((across[0], down[0], across[1], down[1]))


def _push_inside(low: float, high: float, most: float) -> tuple[float, float]:
    length = min(high - low, most)
    low = min(max(low, 0.0), most - length)
    return float(math.floor(low)), float(math.ceil(low + length))
