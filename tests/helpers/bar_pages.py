"""Pages of black bars, and a layout model that sees each bar as a line: what it finds can be told beforehand."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from uncial.data.pages.shapes import LineShape, RegionShape
from uncial.models.layout.outlines import outline_lines
from uncial.models.layout.pages import Layout

INTERLINE = 40.0
SIZE = (400, 600)
"""Width and height of a page."""

BARS = ((40, 100, 300, 120), (40, 140, 340, 160), (40, 180, 200, 200))
"""(left, top, right, bottom) of each."""


def draw_bars(bars: Sequence[tuple[int, int, int, int]] = BARS, size: tuple[int, int] = SIZE) -> np.ndarray:
    page = np.full((size[1], size[0]), 255, np.uint8)
    for left, top, right, bottom in bars:
        page[top:bottom, left:right] = 0
    return page


def write_bars(path: Path, *bars: tuple[int, int, int, int], size: tuple[int, int] = SIZE, **options) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(draw_bars(bars or BARS, size)).save(path, **options)
    return path


def see_bars(model: object, sheet: np.ndarray) -> Layout:
    """In place of `Segmenter.find`: the lower edge of each bar is a baseline, and all of them are in one region."""
    grey = sheet if sheet.ndim == 2 else sheet[:, :, 0]
    count, _, stats, _ = cv2.connectedComponentsWithStats((grey < 128).astype(np.uint8))
    lines = []
    for number in range(1, count):
        left, top, width, height = (float(value) for value in stats[number, :4])
        ends = np.array([[left, top + height], [left + width, top + height]])
        lines.append(LineShape(ends, height, 0.3 * height, 0.875))
    corners = np.array([[20.0, 60.0], [380.0, 60.0], [380.0, 560.0], [20.0, 560.0]])
    regions = (RegionShape("MainZone", corners),) if lines else ()
    return Layout(tuple(lines), tuple(outline_lines(lines, INTERLINE)), regions, INTERLINE)
