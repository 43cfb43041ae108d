"""Sheets of sample lines: with their text beneath them, or beside what their augmentation makes of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from uncial.files import replace_file
from uncial.reports.plots.text_drawing import Lettering, is_right_to_left

STRIP_HEIGHT = 72
TEXT_SIZE = 20
CAPTION_SIZE = 12
MARGIN = 14
PAPER, CELL, INK, FAINT = (236, 236, 233), (255, 255, 255), (25, 25, 25), (130, 130, 130)


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A line image, (H, W), (H, W, 1) or (H, W, 3) uint8, its text and where it comes from."""

    image: np.ndarray
    text: str
    caption: str = ""


def draw_contact_sheet(samples: Sequence[Sample], png: Path, columns: int = 2, cell_width: int = 780) -> bool:
    """Draw the samples row by row into `png`, `cell_width` pixels for each, and tell whether there was any.

    A line image keeps its aspect ratio: it is at most `STRIP_HEIGHT` high and as wide as its cell, and never enlarged.
    Longer texts are wrapped.
    """
    if not samples:
        return False
    lettering = Lettering((sample.text for sample in samples), TEXT_SIZE)
    captions = Lettering((sample.caption for sample in samples), CAPTION_SIZE)
    cells = [_draw_cell(sample, cell_width, lettering, captions) for sample in samples]
    columns = max(1, min(columns, len(cells)))
    rows = [cells[start : start + columns] for start in range(0, len(cells), columns)]
    height = MARGIN + sum(max(cell.height for cell in row) + MARGIN for row in rows)
    sheet = Image.new("RGB", (MARGIN + columns * (cell_width + MARGIN), height), PAPER)
    top = MARGIN
    for row in rows:
        for column, cell in enumerate(row):
            sheet.paste(cell, (MARGIN + column * (cell_width + MARGIN), top))
        top += max(cell.height for cell in row) + MARGIN
    with replace_file(png) as temporary:
        sheet.save(temporary, format="PNG")
    return True


def _draw_cell(sample: Sample, width: int, lettering: Lettering, captions: Lettering) -> Image.Image:
    inner = width - 2 * MARGIN
    strip = _fit_strip(sample.image, inner)
    rows = lettering.wrap(sample.text, inner)
    text_top = MARGIN + strip.height + 6
    height = text_top + len(rows) * lettering.row_height + (captions.row_height if sample.caption else 0) + 6
    cell = Image.new("RGB", (width, height), CELL)
    draw = ImageDraw.Draw(cell)
    runs_left = is_right_to_left(sample.text)
    cell.paste(strip, (MARGIN + (inner - strip.width if runs_left else 0), MARGIN))
    middle = text_top + lettering.row_height / 2
    for row in rows:
        left = MARGIN + (inner - lettering.width(row) if runs_left else 0)
        lettering.draw(draw, left, middle, row, INK)
        middle += lettering.row_height
    if sample.caption:
        caption = _shorten(sample.caption, inner, captions)
        captions.draw(draw, MARGIN, height - 4 - captions.row_height / 2, caption, FAINT)
    return cell


def _fit_strip(pixels: np.ndarray, width: int) -> Image.Image:
    image = Image.fromarray(pixels[:, :, 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels).convert("RGB")
    scale = min(1.0, STRIP_HEIGHT / max(image.height, 1), width / max(image.width, 1))
    size = (max(1, round(scale * image.width)), max(1, round(scale * image.height)))
    return image.resize(size, Image.Resampling.LANCZOS) if size != image.size else image


def _shorten(caption: str, width: int, captions: Lettering) -> str:
    """Cut a caption at its beginning: the end of a path says more."""
    shown = caption
    while shown and captions.width(f"…{shown}") > width:
        shown = shown[1:]
    return caption if shown == caption else f"…{shown}"


AUGMENTED_HEIGHT, STRIP_WIDTH = 56, 460
LABEL_WIDTH, LABEL_SIZE = 216, 13
GAP, BLOCK_GAP = 6, 22
SHEET, HEADING_INK = (214, 218, 224), (25, 25, 25)
"""The sheet is darker than any paper, so that the edges of the strips are seen."""


@dataclass(frozen=True, slots=True, eq=False)
class AugmentationRow:
    """A label and the images beside it, uint8 (H, W) or (H, W, 3); `begins` says that another line starts here."""

    label: str
    images: Sequence[np.ndarray]
    begins: bool = False


def draw_augmentation_sheet(rows: Sequence[AugmentationRow], png: Path) -> None:
    """Draw the rows into `png`. Images are brought to one height, and long ones cut off on the right."""
    lettering = Lettering((row.label for row in rows), LABEL_SIZE)
    tops: list[int] = []
    top = GAP
    for row in rows:
        top += BLOCK_GAP if row.begins and tops else 0
        tops.append(top)
        top += AUGMENTED_HEIGHT + GAP
    columns = max(len(row.images) for row in rows)
    sheet = Image.new("RGB", (LABEL_WIDTH + columns * (STRIP_WIDTH + GAP), top), SHEET)
    draw = ImageDraw.Draw(sheet)
    for row, top in zip(rows, tops, strict=True):
        labels = lettering.wrap(row.label, LABEL_WIDTH - 2 * GAP)[: AUGMENTED_HEIGHT // lettering.row_height]
        for place, text in enumerate(labels):
            lettering.draw(draw, GAP, top + (place + 0.5) * lettering.row_height, text, HEADING_INK)
        for place, image in enumerate(row.images):
            sheet.paste(_scale_strip(image), (LABEL_WIDTH + place * (STRIP_WIDTH + GAP), top))
    with replace_file(png) as temporary:
        sheet.save(temporary, format="PNG")


def _scale_strip(image: np.ndarray) -> Image.Image:
    strip = Image.fromarray(image).convert("RGB")
    width = max(1, round(strip.width * AUGMENTED_HEIGHT / strip.height))
    return strip.resize((width, AUGMENTED_HEIGHT), Image.Resampling.BICUBIC).crop(
        (0, 0, min(width, STRIP_WIDTH), AUGMENTED_HEIGHT)
    )
