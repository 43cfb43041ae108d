"""Pages as the files state them: coordinates off the image, overlapping or empty regions, missing identifiers."""

from collections.abc import Collection, Iterator, Mapping, Sequence

import cv2
import numpy as np

from uncial.data.checks.findings import Finding
from uncial.document import Page, TextLine
from uncial.imaging.page_geometry import ResolvedLine, resolve_lines

OUTSIDE = 0.1
"""Share of a line's polygon beyond the image from which it is a warning; segmenters go over the edge by a little."""

SAME_PLACE = 0.8
"""Area that two polygons share, over the area that they cover together, from which they are one line's."""

PICTURES = (
    "image",
    "graphic",
    "drawing",
    "separator",
    "noise",
    "linedrawing",
    "chart",
    "map",
    "advert",
    "stamp",
    "damage",
)
"""What the types of regions that hold no lines by their nature begin with or hold, in small letters."""


def find_geometry_faults(pages: Sequence[Page], rows: Mapping[tuple[str, str], int]) -> Iterator[Finding]:
    """`rows` are the store's rows by page id and line id. Lines are looked at as they were cut."""
    for page in pages:
        resolved = resolve_lines(page)
        yield from _find_outside(page, resolved, rows)
        yield from _find_in_one_place(page, [found.line for found in resolved], rows)


def find_empty_parts(pages: Sequence[Page], told: Collection[str] = ()) -> Iterator[Finding]:
    """Information about pages and regions without lines, and lines that nobody has transcribed yet.

    `told` are files of which it is told already that their text stands at regions alone.
    """
    for page in pages:
        file = str(page.source)
        if not page.lines:
            if file not in told:
                message, remedy = "the page has no lines", "Nothing, where it is blank."
                yield Finding("information", "empty_page", message, file, "", remedy)
            continue
        if file not in told:
            yield from _find_empty_regions(page)
        missing = [line for line in page.lines if line.text is None]
        if missing:
            message = f"{len(missing)} of {len(page.lines)} lines have no transcription"
            remedy = "Nothing, where it is meant so; else transcribe them."
            yield Finding("information", "untranscribed_lines", message, file, missing[0].id, remedy)


def _find_empty_regions(page: Page) -> Iterator[Finding]:
    """Yield a region with lines in a region within it is not empty, nor is an empty cell of a table worth a word."""
    parents = {region.id: region.parent for region in page.regions}
    types = {region.id: (region.type or "").lower() for region in page.regions}
    filled: set[str | None] = set()
    for identity in {line.region_id for line in page.lines}:
        while identity is not None and identity not in filled:
            filled.add(identity)
            identity = parents.get(identity)
    for region in page.regions:
        cell = "table" in types.get(region.parent or "", "") or "tablecell" in types[region.id]
        if region.id not in filled and not cell and not any(name in types[region.id] for name in PICTURES):
            kind = f" ({region.type})" if region.type else ""
            message = f"the region {region.id}{kind} has no lines"
            remedy = "Nothing, or delete the region."
            yield Finding("information", "empty_region", message, str(page.source), "", remedy)


def _find_outside(
    page: Page, resolved: Sequence[ResolvedLine], rows: Mapping[tuple[str, str], int]
) -> Iterator[Finding]:
    if page.width <= 0 or page.height <= 0:
        return
    for found in resolved:
        line = found.line
        # What lies outside for the greater part is left out, and told there.
        if len(line.polygon) >= 3 and (row := rows.get((page.id, line.id))) is not None:
            share = max(found.outside, _measure_share_outside(line, page))
            if share > OUTSIDE:
                message = f"{share:.0%} of its polygon lies outside the image"
                remedy = "Draw it anew, or put the image there that was transcribed."
                yield Finding("warning", "outside_image", message, str(page.source), line.id, remedy, row)


def _measure_share_outside(line: TextLine, page: Page) -> float:
    points = np.array(line.polygon, dtype=np.float32)
    low, high = points.min(axis=0), points.max(axis=0)
    if (low >= -1).all() and high[0] <= page.width + 1 and high[1] <= page.height + 1:
        return 0.0
    mask, origin, scale = _draw_mask(points)
    ys, xs = np.nonzero(mask)
    x, y = xs / scale + origin[0], ys / scale + origin[1]
    return float(((x < 0) | (y < 0) | (x > page.width) | (y > page.height)).mean()) if len(x) else 0.0


def _draw_mask(points: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Return the polygon drawn into a mask of at most 256 pixels a side, its first pixel's position, and its scale."""
    low = points.min(axis=0)
    extent = np.maximum(np.ptp(points, axis=0), 1)
    scale = min(1.0, 256 / float(extent.max()))
    mask = np.zeros((int(extent[1] * scale) + 2, int(extent[0] * scale) + 2), np.uint8)
    cv2.fillPoly(mask, [np.rint((points - low) * scale).astype(np.int32)], (1,))
    return mask, low, scale


def _find_in_one_place(
    page: Page, resolved: Sequence[TextLine], rows: Mapping[tuple[str, str], int]
) -> Iterator[Finding]:
    """Lines with text whose polygon is that of an earlier one."""
    lines = [line for line in resolved if len(line.polygon) >= 3 and line.text]
    boxes = np.array([_compute_bounding_box(line) for line in lines], dtype=np.float64).reshape(-1, 4)
    for place, other in enumerate(lines):
        near = np.flatnonzero(_find_box_overlaps(boxes[:place], boxes[place]) > SAME_PLACE).tolist()
        one = next((lines[before] for before in near if _measure_overlap(lines[before], other) > SAME_PLACE), None)
        if one is not None:
            kind, message = "duplicate_line", f"its polygon is nearly that of line {one.id}"
            if (one.text or "").strip() != (other.text or "").strip():
                kind = "two_transcriptions"
                message += f", which is transcribed otherwise: ‘{(one.text or '').strip()}’"
            row = rows.get((page.id, other.id))
            yield Finding("warning", kind, message, str(page.source), other.id, "Delete one of the two.", row)


def _compute_bounding_box(line: TextLine) -> tuple[float, float, float, float]:
    xs, ys = zip(*line.polygon, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _find_box_overlaps(boxes: np.ndarray, box: np.ndarray) -> np.ndarray:
    """(n,): the area that each of `boxes` (n, 4) shares with `box` (4,), over the area that they cover together."""
    width = np.minimum(boxes[:, 2], box[2]) - np.maximum(boxes[:, 0], box[0])
    height = np.minimum(boxes[:, 3], box[3]) - np.maximum(boxes[:, 1], box[1])
    shared = np.maximum(width, 0) * np.maximum(height, 0)
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]) + (box[2] - box[0]) * (box[3] - box[1])
    return shared / np.maximum(areas - shared, 1e-9)


def _measure_overlap(one: TextLine, other: TextLine) -> float:
    points = [np.array(line.polygon, dtype=np.float32) for line in (one, other)]
    low = np.minimum(points[0].min(axis=0), points[1].min(axis=0))
    extent = np.maximum(points[0].max(axis=0), points[1].max(axis=0)) - low
    scale = min(1.0, 256 / max(float(extent.max()), 1.0))
    masks = []
    for polygon in points:
        mask = np.zeros((int(extent[1] * scale) + 2, int(extent[0] * scale) + 2), np.uint8)
        cv2.fillPoly(mask, [np.rint((polygon - low) * scale).astype(np.int32)], (1,))
        masks.append(mask)
    together = cv2.countNonZero(cv2.bitwise_or(*masks))
    return cv2.countNonZero(cv2.bitwise_and(*masks)) / max(together, 1)


def find_generated_identifiers(pages: Sequence[Page]) -> Iterator[Finding]:
    """Information about each file with such lines."""
    for page in pages:
        count = int(page.metadata.get("made_up_line_ids", 0))
        if count:
            lines = "line has no id of its own" if count == 1 else "lines have no id of their own"
            message = f"{count:,} {lines} in the file (none, or one that another line has) and got one from its place"
            remedy = "Nothing; export the page again where other programs shall find these lines by their ids."
            yield Finding("information", "made_up_line_ids", message, str(page.source), "", remedy)
