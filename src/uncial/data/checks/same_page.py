"""Whether two page images that look alike show one page: their lines' ink is compared where their texts stand.

The pages of a form are as like as two scans of one page; what differs is what was written into them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from uncial.data.checks.likeness import plain
from uncial.document import Page, TextLine

SIDE = 1000
"""Pixels of the longer side at which two pages are compared."""

SHIFT = 0.012
"""How far a piece of a line may have moved between two scans, as a fraction of the longer side."""

PIECE = 3
"""Width of the pieces over the line's height: short enough that a scan that is askew moves a piece as a whole."""

EQUAL = 0.75
"""Correlation from which a piece of a line is the same ink. Other words in like handwriting stay below 0.6."""

SAME = 0.7
"""Share of equal pieces from which two images show one page, also in the lines that are transcribed otherwise."""

FEW, COPIED = 8, 0.85
"""Pieces below which they must be equal to COPIED, and the paper too: a caption or two may be printed on many pages."""

PAPER = 0.3
"""Correlation of the paper between the lines from which it is the same sheet."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """A piece of a line: whether the two pages transcribe it otherwise, and the correlation of its ink."""

    otherwise: bool
    likeness: float


def is_same_page(one: Page, other: Page) -> bool:
    """Whether both images show one page. Either may be darker, smaller, saved anew, or askew by a little, but is not
    cropped. False where an image cannot be read, or holds no lines with ink to tell it by."""
    first = _ink(one, None)
    second = None if first is None else _ink(other, first.shape)
    if first is None or second is None:
        return False
    found = list(_pieces(one, other, first, second))
    if not found:
        return False
    few = len(found) < FEW
    equal = np.array([piece.likeness >= (COPIED if few else EQUAL) for piece in found])
    otherwise = np.array([piece.otherwise for piece in found])
    if equal.mean() < SAME or (otherwise.any() and equal[otherwise].mean() < SAME):
        return False
    return not few or _paper_likeness(one, first, second) >= PAPER


def _ink(page: Page, shape: tuple[int, ...] | None) -> np.ndarray | None:
    """How much darker than what is around it each pixel is, (h, w) float32, scaled to SIDE or to `shape`."""
    assert page.image is not None
    try:
        with Image.open(page.image.path) as image:
            if page.image.frame:
                image.seek(page.image.frame)
            if shape is None:
                scale = SIDE / max(image.size)
                shape = (max(round(image.height * scale), 8), max(round(image.width * scale), 8))
            image.draft("L", (shape[1], shape[0]))
            grey = np.asarray(image.convert("L").resize((shape[1], shape[0]), Image.Resampling.BOX), dtype=np.float32)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    return cv2.blur(grey, (25, 25)) - grey


def _pieces(one: Page, other: Page, first: np.ndarray, second: np.ndarray) -> Iterator[_Piece]:
    """The pieces of the lines of the first page that hold ink on either."""
    height, width = first.shape
    shift = round(SHIFT * SIDE)
    padded = cv2.copyMakeBorder(second, shift, shift, shift, shift, cv2.BORDER_REPLICATE)
    usual = float(np.percentile(np.abs(first), 98))
    texts = [(box, plain(line.text)) for line, box in _boxes(other)]
    for line, (left, top, right, bottom) in _boxes(one):
        otherwise = _is_otherwise((left, top, right, bottom), plain(line.text), texts)
        y0, y1 = (int(np.clip(round(limit * height), 0, height)) for limit in (top, bottom))
        x0, x1 = (int(np.clip(round(limit * width), 0, width)) for limit in (left, right))
        step = max(PIECE * (y1 - y0), 12)
        for x in range(x0, x1, step):
            piece = first[y0:y1, x : min(x + step, x1)]
            if piece.shape[0] < 4 or piece.shape[1] < 8 or piece.std() < 0.15 * usual:
                continue
            around = padded[y0 : y1 + 2 * shift, x : x + piece.shape[1] + 2 * shift]
            yield _Piece(otherwise, float(cv2.matchTemplate(around, piece, cv2.TM_CCOEFF_NORMED).max()))


def _is_otherwise(
    box: tuple[float, float, float, float], text: str, others: list[tuple[tuple[float, float, float, float], str]]
) -> bool:
    """Whether the other page has another text at this place of the page."""
    middle = (box[1] + box[3]) / 2
    here = [own for place, own in others if place[1] <= middle <= place[3] and place[0] < box[2] and box[0] < place[2]]
    return bool(text) and bool(here) and text not in here


def _boxes(page: Page) -> Iterator[tuple[TextLine, tuple[float, float, float, float]]]:
    """The lines with left, top, right and bottom as fractions of the page that the file states."""
    if page.width <= 0 or page.height <= 0:
        return
    for line in page.lines:
        points = [*line.polygon, *line.baseline]
        if not points and line.box is None:
            continue
        if points:
            left, right = min(x for x, _ in points), max(x for x, _ in points)
            top, bottom = min(y for _, y in points), max(y for _, y in points)
        else:
            assert line.box is not None
            left, top, right, bottom = line.box
        if not line.polygon and line.box is None:
            top -= page.height / 40
        yield line, (left / page.width, top / page.height, right / page.width, bottom / page.height)


def _paper_likeness(page: Page, first: np.ndarray, second: np.ndarray) -> float:
    """The correlation of what lies between the lines: the grain and the stains of the paper, or its rules."""
    height, width = first.shape
    paper = np.ones((height, width), bool)
    for _, (left, top, right, bottom) in _boxes(page):
        y0, x0 = (max(int(limit * size) - 8, 0) for limit, size in ((top, height), (left, width)))
        paper[y0 : int(bottom * height) + 8, x0 : int(right * width) + 8] = False
    one, other = (cv2.blur(np.clip(image, -20, 20), (3, 3))[paper] for image in (first, second))
    if one.size < 1000:
        return 1.0
    one, other = one - one.mean(), other - other.mean()
    return float(one @ other / max(float(np.linalg.norm(one) * np.linalg.norm(other)), 1e-6))
