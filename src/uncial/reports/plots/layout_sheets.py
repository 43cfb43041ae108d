"""Sheets of pages with what was found on them: baselines with their beginnings, outlines of lines, regions by type."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import cv2
import numpy as np
from PIL import Image, ImageDraw

from uncial.document import Page, Point
from uncial.files import replace_file
from uncial.reports.plots.text_drawing import Lettering

CELL_WIDTH, PICTURE_HEIGHT = 620, 860
HALF = (480, 640)
"""The most pixels (wide, high) of a page that is shown twice, side by side."""
COLUMNS, PER_SHEET = 3, 6
MARGIN = 12
TEXT_SIZE, LABEL_SIZE = 15, 13
PAPER, CELL, INK = (236, 236, 233), (255, 255, 255), (25, 25, 25)
BASELINE, OUTLINE = (200, 30, 30), (40, 90, 200)
COLOURS = ((0, 130, 90), (170, 80, 0), (120, 40, 160), (0, 120, 170), (150, 120, 0), (180, 30, 110), (70, 110, 20))
"""Of regions, one for each type."""


@dataclass(frozen=True, slots=True, eq=False)
class _Cell:
    picture: Image.Image
    caption: str


class LayoutSheets:
    """Draws pages as they come into `FOLDER/sheet_001.png` and so on, a few on each: no more pictures are held. Sheets
    that lie there stay."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._cells: list[_Cell] = []

    def add(self, page: Page, pixels: np.ndarray, scale: tuple[float, float]) -> None:
        """Draw a page. `pixels` (H, W) or (H, W, 3) uint8 have `scale` (x, y) pixels for a unit of its coordinates."""
        lines, regions = len(page.lines), len(page.regions)
        self._cells.append(_Cell(draw_page_layout(page, pixels, scale), f"{page.id}: {lines} lines, {regions} regions"))
        if len(self._cells) == PER_SHEET:
            self.close()

    def close(self) -> None:
        """Write the pages that no sheet holds yet."""
        if not self._cells:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        number = 1 + sum(1 for _ in self.folder.glob("sheet_*.png"))
        with replace_file(self.folder / f"sheet_{number:03d}.png") as temporary:
            _join(self._cells).save(temporary, format="PNG", compress_level=3)
        self._cells = []


def draw_truth_beside_found(truth: Page, found: Page, pixels: np.ndarray, scale: tuple[float, float]) -> np.ndarray:
    """Return a picture (h, w, 3) uint8 of a page with what is marked on it at the left, and what was found at the
    right."""
    sides = [np.array(draw_page_layout(page, pixels, scale, HALF)) for page in (truth, found)]
    rule = np.full((sides[0].shape[0], MARGIN // 2, 3), PAPER, np.uint8)
    return np.hstack([sides[0], rule, sides[1]])


def draw_page_layout(
    page: Page,
    pixels: np.ndarray,
    scale: tuple[float, float],
    most: tuple[int, int] = (CELL_WIDTH, PICTURE_HEIGHT),
) -> Image.Image:
    """Return the page's picture, at most so many pixels (wide, high), with its regions, the outlines of its lines and
    their baselines, which begin with a dot."""
    height, width = pixels.shape[:2]
    factor = min(most[0] / width, most[1] / height, 1.0)
    size = max(1, round(width * factor)), max(1, round(height * factor))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    canvas = cv2.cvtColor(small, cv2.COLOR_GRAY2RGB) if small.ndim == 2 else small.copy()
    shown = factor * scale[0], factor * scale[1]
    fills = canvas.copy()
    for line in page.lines:
        if line.polygon:
            cv2.fillPoly(fills, [_to_pixels(line.polygon, shown)], OUTLINE)
    cv2.addWeighted(fills, 0.15, canvas, 0.85, 0, dst=canvas)
    for region in page.regions:
        if region.polygon:
            cv2.polylines(
                canvas, [_to_pixels(region.polygon, shown)], True, _choose_colour(region.type), 2, cv2.LINE_AA
            )
    for line in page.lines:
        if line.polygon:
            cv2.polylines(canvas, [_to_pixels(line.polygon, shown)], True, OUTLINE, 1, cv2.LINE_AA)
        if line.baseline:
            baseline = _to_pixels(line.baseline, shown)
            cv2.polylines(canvas, [baseline], False, BASELINE, 1, cv2.LINE_AA)
            x, y = baseline[0].tolist()
            cv2.circle(canvas, (x, y), 2, BASELINE, -1, cv2.LINE_AA)
    picture = Image.fromarray(canvas)
    _write_types(picture, page, shown)
    return picture


def _write_types(picture: Image.Image, page: Page, scale: tuple[float, float]) -> None:
    lettering = Lettering((region.type or "" for region in page.regions), LABEL_SIZE)
    draw = ImageDraw.Draw(picture)
    for region in page.regions:
        if not (region.type and region.polygon):
            continue
        left, top = _to_pixels(region.polygon, scale).min(axis=0).tolist()
        wide, high = lettering.width(region.type), lettering.row_height
        left, top = min(max(0, left), max(0, picture.width - round(wide) - 4)), max(0, top - high)
        draw.rectangle((left, top, left + wide + 4, top + high), fill=_choose_colour(region.type))
        lettering.draw(draw, left + 2, top + high / 2, region.type, CELL)


def _join(cells: Sequence[_Cell]) -> Image.Image:
    captions = Lettering((cell.caption for cell in cells), TEXT_SIZE)
    rows = [cells[start : start + COLUMNS] for start in range(0, len(cells), COLUMNS)]
    heights = [max(cell.picture.height for cell in row) + captions.row_height + MARGIN for row in rows]
    width = MARGIN + min(COLUMNS, len(cells)) * (CELL_WIDTH + MARGIN)
    sheet = Image.new("RGB", (width, MARGIN + sum(heights) + MARGIN * (len(rows) - 1)), PAPER)
    draw = ImageDraw.Draw(sheet)
    top = MARGIN
    for row, high in zip(rows, heights, strict=True):
        for column, cell in enumerate(row):
            left = MARGIN + column * (CELL_WIDTH + MARGIN)
            captions.draw(draw, left, top + captions.row_height / 2, _shorten(cell.caption, captions), INK)
            sheet.paste(cell.picture, (left, top + captions.row_height))
        top += high + MARGIN
    return sheet


def _shorten(caption: str, lettering: Lettering) -> str:
    """Cut a caption at its beginning: the end of a path says more."""
    shown = caption
    while shown and lettering.width(f"…{shown}") > CELL_WIDTH:
        shown = shown[1:]
    return caption if shown == caption else f"…{shown}"


def _to_pixels(points: Sequence[Point], scale: tuple[float, float]) -> np.ndarray:
    return np.rint(np.array(points, dtype=np.float64) * scale).astype(np.int32)


def _choose_colour(kind: str | None) -> tuple[int, int, int]:
    """The same for a type on every page and in every run."""
    return COLOURS[crc32((kind or "").partition("#")[0].encode()) % len(COLOURS)]
