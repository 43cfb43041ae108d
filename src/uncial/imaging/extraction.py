"""From a page and its lines to straight line images."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from uncial.document import Page, PageWarning, TextLine
from uncial.errors import UnusableInput
from uncial.imaging.background import CELL, estimate_background, find_paper
from uncial.imaging.bands import build_polygon_around_baseline, estimate_line_spacing
from uncial.imaging.images import MAX_PIXELS, PageImage, read_image
from uncial.imaging.line_curves import LineCurve, fit_line_curve
from uncial.imaging.line_geometry import measure_thickness, resolve_geometry
from uncial.imaging.page_geometry import FarVertex, ResolvedLine, resolve_lines
from uncial.imaging.polylines import compute_area, densify

NAMED = 3
"""Lines that a sentence about a page names."""


def describe_geometry_conflicts(lines: Sequence[ResolvedLine]) -> Iterator[PageWarning]:
    """One note for the lines of a page whose baseline lies outside the polygon, one for each far point."""
    by_baseline = [found.line.id for found in lines if found.cut_by == "baseline"]
    by_polygon = [found.line.id for found in lines if found.cut_by == "polygon"]
    if by_baseline:
        reason = (
            f"the baselines of {len(by_baseline)} of {len(lines)} lines lie outside their polygons, and these lines "
            f"were cut by their baselines alone ({_name_lines(by_baseline)}); look whether the polygons are those "
            "of these "
            "lines and of this image, and export or draw them anew"
        )
        yield PageWarning("baseline_outside_polygon", reason, lines=len(by_baseline))
    if by_polygon:
        reason = (
            f"the baselines of {len(by_polygon)} of {len(lines)} lines lie outside their polygons, off the page or "
            f"where nothing is written, and these lines were cut by their polygons alone ({_name_lines(by_polygon)}); "
            "export or draw the baselines anew"
        )
        yield PageWarning("baseline_outside_polygon", reason, lines=len(by_polygon))
    for found in lines:
        for vertex in found.far:
            yield PageWarning("far_vertex", _format_conflicts(vertex), found.line.id)


def _format_conflicts(vertex: FarVertex) -> str:
    where = f"point {vertex.position + 1} of {vertex.count} of its {vertex.outline} {_place(vertex.stated)}"
    done = "was left out" if vertex.moved_to is None else f"was set back to {_place(vertex.moved_to)}"
    return f"{where} lies far from the rest of the line and {done}; correct its coordinates"


def _place(point: tuple[float, float]) -> str:
    return f"({point[0]:.10g}, {point[1]:.10g})"


def _name_lines(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - NAMED} more" if len(ids) > NAMED else ""
    return f"line{'s' if len(ids) > 1 else ''} {', '.join(ids[:NAMED])}{more}"


FLARE = 1.6
"""How many times higher than its polygon's mean thickness a strip is before it is searched for empty rows."""

BLANK = 0.3
"""Contrast of a strip, against that of the same line cut otherwise, below which nothing is written in it."""

_REMEDY = "draw it anew, or put the image there that was transcribed"


@dataclass(frozen=True, slots=True)
class ExtractionSettings:
    """What decides how a strip looks: part of the compiled store's key.

    Strips higher than `max_height` pixels are scaled down to it; none is scaled up. `channels` is 1 (grey) or 3
    (RGB). Lines lower or narrower than `min_height` and `min_width` pixels are refused.
    """

    max_height: int = 128
    channels: int = 1
    max_pixels: int = MAX_PIXELS
    min_height: int = 6
    min_width: int = 3


@dataclass(frozen=True, slots=True)
class Extraction:
    """The strips of a page's lines, (h, w) or (h, w, 3) uint8, or why there is none, and notes for a person: on the
    image, and on the lines whose stated `geometry` contradicts itself."""

    strips: tuple[np.ndarray | UnusableInput, ...]
    notes: tuple[PageWarning, ...] = ()
    geometry: tuple[PageWarning, ...] = ()


def extract_page(page: Page, settings: ExtractionSettings, lines: Sequence[TextLine] | None = None) -> Extraction:
    """Read the page's image and cut out `lines` (all of the page's where none are given), in their order.

    Each is cut by its geometry as `resolve_lines` gives it. A line whose baseline lies outside its polygon is cut by
    its polygon all the same where there is ink in that, and none along the baseline.

    Raises `UnusableInput` where the image itself cannot be used.
    """
    if page.image is None:
        raise UnusableInput(
            f"{page.source}: this page's image was not found; put it there, or name its folder in data.images",
            "missing_image",
        )
    lines = page.lines if lines is None else lines
    image = read_image(page.image, settings.channels, (page.width, page.height), settings.max_pixels)
    spacing = None
    resolved = resolve_lines(page, lines)
    if any(len(found.line.polygon) < 3 for found in resolved):
        spacing = estimate_line_spacing(scale_line(line, image.scale) for line in page.lines)
    is_page = len(page.lines) > 1 or bool(page.regions)
    strips = [_strip_or_reason(image, found.line, settings, spacing, is_page) for found in resolved]
    for number, (line, found) in enumerate(zip(lines, resolved, strict=True)):
        if found.cut_by == "baseline":
            by_polygon = _strip_or_reason(image, replace(line, baseline=()), settings, spacing, is_page)
            if _is_blank_beside(strips[number], by_polygon):
                strips[number], resolved[number] = by_polygon, replace(found, cut_by="polygon")
    return Extraction(tuple(strips), image.notes, tuple(describe_geometry_conflicts(resolved)))


def _is_blank_beside(strip: np.ndarray | UnusableInput, other: np.ndarray | UnusableInput) -> bool:
    """Return whether nothing is written in a strip, but something in the other one."""
    if isinstance(other, UnusableInput):
        return False
    return isinstance(strip, UnusableInput) or _measure_contrast(strip) < BLANK * _measure_contrast(other)


def _measure_contrast(strip: np.ndarray) -> float:
    """Return how far the strip's strokes are from its paper, in grey levels: blurred, so that the paper's grain is
    none."""
    grey = strip if strip.ndim == 2 else cv2.cvtColor(strip, cv2.COLOR_RGB2GRAY)
    off = np.abs(cv2.blur(grey, (3, 3)).astype(np.float32) - float(np.median(grey)))
    return float(np.partition(off.ravel(), -max(1, off.size // 50))[-max(1, off.size // 50) :].mean())


def _strip_or_reason(
    image: PageImage, line: TextLine, settings: ExtractionSettings, spacing: float | None, is_page: bool
) -> np.ndarray | UnusableInput:
    try:
        if is_page and not (line.polygon or line.baseline or line.box):
            raise UnusableInput(
                "it states no polygon, no baseline and no box, so its place on the page is unknown; draw it",
                "no_outline",
            )
        return extract(image.pixels, scale_line(line, image.scale), settings, spacing)
    except UnusableInput as error:
        return error


def scale_line(line: TextLine, scale: tuple[float, float]) -> TextLine:
    """Return the line with its coordinates scaled to an image's pixels."""
    if scale == (1.0, 1.0):
        return line
    x, y = scale
    box = line.box and (line.box[0] * x, line.box[1] * y, line.box[2] * x, line.box[3] * y)
    return replace(
        line,
        polygon=tuple((a * x, b * y) for a, b in line.polygon),
        baseline=tuple((a * x, b * y) for a, b in line.baseline),
        box=box,
    )


def extract(
    pixels: np.ndarray, line: TextLine, settings: ExtractionSettings, spacing: float | None = None
) -> np.ndarray:
    """Cut a line out of (H, W) or (H, W, 3) uint8 page pixels as a straight strip, (h, w) or (h, w, 3) uint8.

    The strip follows the line's baseline by arc length, so that the aspect ratio is kept, and holds all of its
    polygon. What lies outside the polygon, or off the page, has the colour of the paper nearby. `spacing`, the
    usual distance in pixels between the baselines of the page, tells how high a line without polygon is. A line
    that states no place at all is the whole image.

    Raises `UnusableInput` with the reason where the line lies outside the image or is too small.
    """
    found = resolve_geometry(line, 10.0 * sum(pixels.shape[:2]))
    if found is None:
        if line.polygon or line.baseline or line.box:
            raise UnusableInput("its polygon has no area and its baseline no length; draw it anew", "no_outline")
        column = line.direction in ("ttb", "btt") and pixels.shape[0] > pixels.shape[1]
        return _fit_height(np.rot90(pixels, 1 if line.direction == "ttb" else -1) if column else pixels, settings)
    polygon = found.polygon
    if len(polygon):
        course = fit_line_curve(found.baseline, measure_thickness(polygon, found.baseline), polygon)
    else:
        course, polygon = build_polygon_around_baseline(pixels, found.baseline, spacing)
    crop, corner = _crop(pixels, polygon)
    strip = _straighten(crop, corner, course, polygon)
    return _fit_height(_drop_empty_flare(strip, compute_area(polygon) / strip.shape[1]), settings)


def _crop(pixels: np.ndarray, polygon: np.ndarray) -> tuple[np.ndarray, tuple[int, int]]:
    """Return the part of the page that holds the polygon, on paper, and the page position (x, y) of its first pixel."""
    height, width = pixels.shape[:2]
    low = np.floor(polygon.min(axis=0)).astype(int)
    high = np.ceil(polygon.max(axis=0)).astype(int) + 1
    left, top, right, bottom = max(0, low[0]), max(0, low[1]), min(width, high[0]), min(height, high[1])
    if left >= right or top >= bottom:
        raise UnusableInput(f"it lies outside the image ({width} x {height} pixels); {_REMEDY}", "outside_image")
    # A rim of two pixels or more, off the polygon, so that what the strip asks for beyond the crop is paper.
    below, beside = (2 + -(extent + 4) % CELL for extent in (bottom - top, right - left))
    rim = cv2.copyMakeBorder(pixels[top:bottom, left:right], 2, below, 2, beside, cv2.BORDER_CONSTANT, value=(0, 0, 0))
    corner = (left - 2, top - 2)
    inside = np.zeros(rim.shape[:2], np.uint8)
    # Sixteenths of a pixel; pixel centres lie at whole numbers.
    fixed = np.rint((polygon - corner) * 16).astype(np.int32)
    cv2.fillPoly(inside, [fixed], (255,), shift=4)
    _fill_crossings(inside, polygon)
    inside[:2] = inside[-below:] = 0
    inside[:, :2] = inside[:, -beside:] = 0
    count = cv2.countNonZero(inside)
    if not count or count < 0.5 * compute_area(polygon):
        raise UnusableInput(
            f"most of it lies outside the image ({width} x {height} pixels); {_REMEDY}", "outside_image"
        )
    ground = estimate_background(rim, inside)
    return cv2.copyTo(rim, inside, ground), corner


def _fill_crossings(inside: np.ndarray, polygon: np.ndarray) -> None:
    """Fill the holes that a polygon leaves where it overlaps itself."""
    closed = polygon.astype(np.float32)
    expected = compute_area(polygon) + 0.5 * cv2.arcLength(closed, True)
    if abs(cv2.countNonZero(inside) - expected) > 0.02 * expected + 8:
        contours, _ = cv2.findContours(inside, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        cv2.drawContours(inside, contours, -1, (255,), cv2.FILLED)


def _straighten(crop: np.ndarray, corner: tuple[int, int], course: LineCurve, polygon: np.ndarray) -> np.ndarray:
    """Resample the crop along and across the course, as far as the polygon reaches."""
    points = polygon if course.straight else densify(polygon, 24.0)
    places = course.project(points)
    low = places.min(axis=0)
    width, height = np.rint(places.max(axis=0) - low).astype(int) + 1
    if course.straight:
        normal = course.normals[0]
        tangent = np.array([normal[1], -normal[0]])
        origin = course.points[0] + low[0] * tangent + low[1] * normal - corner
        matrix = np.column_stack([tangent, normal, origin])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return cv2.warpAffine(crop, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    foot, normals = course.at(low[0] + np.arange(width))
    across = (float(low[1]) + np.arange(height, dtype=np.float32))[:, None]
    foot, normals = (foot - corner).astype(np.float32), normals.astype(np.float32)
    map_x = foot[:, 0] + across * normals[:, 0]
    map_y = foot[:, 1] + across * normals[:, 1]
    return cv2.remap(crop, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _drop_empty_flare(strip: np.ndarray, usual: float) -> np.ndarray:
    """Cut off rows without ink from a strip much higher than its polygon is thick on average.

    Segmenters let the polygon of a column's last line run out into the empty space beside it, and the writing would
    come out half as large as in other lines.
    """
    if strip.shape[0] < FLARE * usual:
        return strip
    grey = strip if strip.ndim == 2 else cv2.cvtColor(strip, cv2.COLOR_RGB2GRAY)
    ink = cv2.bitwise_not(find_paper(grey, np.full(grey.shape, 255, np.uint8)))
    rows = np.flatnonzero(np.count_nonzero(ink, axis=1) > 2 + 0.002 * grey.shape[1])
    if not rows.size:
        return strip
    margin = int(0.2 * usual)
    rest = strip[max(0, rows[0] - margin) : rows[-1] + 1 + margin]
    return rest if rest.shape[0] >= 0.5 * usual else strip  # a dash alone does not say how high its line is


def _fit_height(strip: np.ndarray, settings: ExtractionSettings) -> np.ndarray:
    height, width = strip.shape[:2]
    scale = min(1.0, settings.max_height / height)
    size = (round(width * scale), round(height * scale))
    if height < settings.min_height or size[0] < settings.min_width:
        reason = f"it is only {width} x {height} pixels; draw its polygon anew, or leave it out"
        raise UnusableInput(reason, "no_outline")
    return np.ascontiguousarray(strip) if scale == 1 else cv2.resize(strip, size, interpolation=cv2.INTER_AREA)
