"""Lines beside what their augmentation makes of them, on one picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from uncial.files import replacing
from uncial.reports.plots.text_drawing import Lettering

STRIP_HEIGHT, STRIP_WIDTH = 56, 460
LABEL_WIDTH, LABEL_SIZE = 216, 13
GAP, BLOCK_GAP = 6, 22
SHEET, INK = (214, 218, 224), (25, 25, 25)
"""The sheet is darker than any paper, so that the edges of the strips are seen."""


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """A label and the images beside it, uint8 (H, W) or (H, W, 3); `begins` says that another line starts here."""

    label: str
    images: Sequence[np.ndarray]
    begins: bool = False


def augmentation_sheet(rows: Sequence[Row], png: Path) -> None:
    """Draw the rows into `png`. Images are brought to one height, and long ones cut off on the right."""
    lettering = Lettering((row.label for row in rows), LABEL_SIZE)
    tops: list[int] = []
    top = GAP
    for row in rows:
        top += BLOCK_GAP if row.begins and tops else 0
        tops.append(top)
        top += STRIP_HEIGHT + GAP
    columns = max(len(row.images) for row in rows)
    sheet = Image.new("RGB", (LABEL_WIDTH + columns * (STRIP_WIDTH + GAP), top), SHEET)
    draw = ImageDraw.Draw(sheet)
    for row, top in zip(rows, tops, strict=True):
        labels = lettering.wrap(row.label, LABEL_WIDTH - 2 * GAP)[: STRIP_HEIGHT // lettering.row_height]
        for place, text in enumerate(labels):
            lettering.draw(draw, GAP, top + (place + 0.5) * lettering.row_height, text, INK)
        for place, image in enumerate(row.images):
            sheet.paste(_strip(image), (LABEL_WIDTH + place * (STRIP_WIDTH + GAP), top))
    with replacing(png) as temporary:
        sheet.save(temporary, format="PNG")


def _strip(image: np.ndarray) -> Image.Image:
    strip = Image.fromarray(image).convert("RGB")
    width = max(1, round(strip.width * STRIP_HEIGHT / strip.height))
    return strip.resize((width, STRIP_HEIGHT), Image.Resampling.BICUBIC).crop(
        (0, 0, min(width, STRIP_WIDTH), STRIP_HEIGHT)
    )
