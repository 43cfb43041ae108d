"""Pages that are there twice: scanned, saved or cropped anew, so that their files differ.

Their lines' ink is compared where their texts stand."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Literal

import cv2
import numpy as np
from PIL import Image

from uncial.data.checks.findings import Finding, Severity
from uncial.data.checks.likeness import find_nearest, share_contradicted, strip_to_letters
from uncial.document import Page, TextLine

UNREADABLE = (OSError, ValueError, SyntaxError, Image.DecompressionBombError)
"""What Pillow raises for an image that cannot be read."""

SIDE = 128
"""Width and height to which pages are scaled to be compared."""

RIM = 0.1
"""Share of the width and height at each side that is not compared: the table, the colour chart, the other page."""

NEARLY_EQUAL = 0.7
"""Correlation at SIDE pixels from which two images may show the same page. Pages of one layout stay below 0.5, those of
one form do not, copies that were saved anew, smaller or darker, are above 0.9; the cropped ones in between are told by
their texts.
"""

NEIGHBOURS = 8
"""Pages that each one is compared with at most. A copy is the likest."""

LONG = 13
"""Characters, spaces not counted, from which the same text on two pages is no mere formula."""

SHARED = 0.6
"""Share of two pages' long lines that have the same text from which they are taken for one page."""

FORMULA = 20
"""Pages from which a text that they share is printed on all of them."""

OTHER_PAGE = 0.25
"""What each of two pages has alone, as a share of its text, from which they are two pages of one form."""


@dataclass(frozen=True, slots=True)
class PagePair:
    """Two pages that show the same. `by` says how that was told."""

    first: Page
    second: Page
    by: Literal["image", "text"]


def find_page_pairs(pages: Sequence[Page], advance: Callable[[int], None] = lambda count: None) -> list[PagePair]:
    """Pairs of pages with nearly the same image, or with the same text in most of their lines; one that is cleared by
    what differs between its pages is none. `advance` is told of each image."""
    texts = [[text for line in page.lines if (text := strip_to_letters(line.text))] for page in pages]
    found = {pair: PagePair(pages[pair[0]], pages[pair[1]], "image") for pair in _find_like_images(pages, advance)}
    for pair in _find_like_texts(texts):
        found.setdefault(pair, PagePair(pages[pair[0]], pages[pair[1]], "text"))
    return list(found.values())


def find_duplicate_pages(pairs: Sequence[PagePair], part_of: Mapping[str, str]) -> Iterator[Finding]:
    """Yield a finding about the second page of each pair: an error where the two are in different parts, and
    information where either gives no line to train or test on."""
    for pair in pairs:
        one, other = pair.first, pair.second
        shows = "shows nearly the same image as" if pair.by == "image" else "has the same text in most of its lines as"
        message = f"the page {shows} {one.id}"
        parts = part_of.get(one.id, ""), part_of.get(other.id, "")
        if parts[0] and parts[1] and parts[0] != parts[1]:
            message += f", which is in the part {parts[0]}, this in {parts[1]}"
            remedy = "Leave one of the two out: a score on pages that were trained on says nothing."
            yield Finding("error", "leaking_page", message, str(other.source), "", remedy)
        else:
            severity: Severity = "warning" if one.id in part_of and other.id in part_of else "information"
            yield Finding(severity, "duplicate_page", message, str(other.source), "", "Keep one of the two.")


def _find_like_images(pages: Sequence[Page], advance: Callable[[int], None]) -> Iterator[tuple[int, int]]:
    """Pages whose images are like one another and, looked at more closely, show the same ink in their lines. Of the
    many like pages of a form only those are looked at that are much nearer to one another than to the others."""
    pictured, pictures, aspects = [], [], []
    for number, page in enumerate(pages):
        if page.image is not None and any(line.polygon or line.baseline or line.box for line in page.lines):
            found = _make_thumbnail(page)
            if found is not None:
                pictured.append(number)
                pictures.append(found[0].ravel().astype(np.float16))
                aspects.append(found[1])
        advance(1)
    if not pictures:
        return
    near = find_nearest(np.stack(pictures), np.array(aspects), NEARLY_EQUAL, NEIGHBOURS)
    compared: dict[tuple[int, int], bool] = {}
    for place, number in enumerate(pictured):
        for neighbour, likeness in near.of(place):
            pair = min(number, pictured[neighbour]), max(number, pictured[neighbour])
            if not near.stands_out(place, likeness):
                break
            if pair not in compared:
                compared[pair] = is_same_page(pages[pair[0]], pages[pair[1]])
                if compared[pair]:
                    yield pair
            if not compared[pair]:
                break


@contextmanager
def _open_image(page: Page) -> Iterator[Image.Image]:
    assert page.image is not None
    with Image.open(page.image.path) as image:
        if page.image.frame:
            image.seek(page.image.frame)
        yield image


def _read_grey(image: Image.Image, size: tuple[int, int], draft: tuple[int, int]) -> np.ndarray:
    """Return the grey values (h, w) as float32, scaled to `size` (w, h). JPEG is decoded at the fraction of its size
    that `draft` (w, h) needs."""
    image.draft("L", draft)
    return np.asarray(image.convert("L").resize(size, Image.Resampling.BOX), dtype=np.float32)


def _make_thumbnail(page: Page) -> tuple[np.ndarray, float] | None:
    """Return the ink of the page without its rim as (s, s) float32, centred and of length 1, and the aspect; None where
    it cannot be read."""
    try:
        with _open_image(page) as image:
            aspect = image.width / max(image.height, 1)
            grey = _read_grey(image, (SIDE, SIDE), (2 * SIDE, 2 * SIDE))
    except UNREADABLE:
        return None
    rim = round(RIM * SIDE)
    ink = np.maximum(cv2.blur(grey, (9, 9)) - grey, 0)[rim:-rim, rim:-rim]
    ink = np.minimum(ink, np.percentile(ink, 98))
    ink -= ink.mean()
    length = float(np.linalg.norm(ink))
    return (ink / length, aspect) if length > 1 else None


def _find_like_texts(texts: Sequence[Sequence[str]]) -> Iterator[tuple[int, int]]:
    """Pages of which most is on another page too, and that have little alone."""
    passages = [_list_passages(own) for own in texts]
    pages_of: dict[str, list[int]] = {}
    for number, own in enumerate(passages):
        if len(own) >= 4:
            for passage in own:
                pages_of.setdefault(passage, []).append(number)
    shared: Counter[tuple[int, int]] = Counter()
    for numbers in pages_of.values():
        if len(numbers) <= FORMULA:
            shared.update(combinations(numbers, 2))
    for (first, second), count in sorted(shared.items()):
        enough = SHARED * max(len(passages[first]), len(passages[second]))
        if count >= enough and share_contradicted(texts[first], texts[second]) <= OTHER_PAGE:
            yield first, second


def _list_passages(texts: Sequence[str]) -> set[str]:
    """Return what tells a page by its text: its long lines, and its short ones together with the next."""
    joined = [one if len(one) >= LONG else one + other for one, other in pairwise([*texts, ""])]
    return {passage for passage in joined if len(passage) >= LONG}


SHEET_SIDE = 1000
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
    """Return whether both images show one page. Either may be darker, smaller, saved anew, or askew by a little, but is
    not cropped. False where an image cannot be read, or holds no lines with ink to tell it by."""
    first = _extract_ink(one, None)
    second = None if first is None else _extract_ink(other, first.shape)
    if first is None or second is None:
        return False
    found = list(_cut_pieces(one, other, first, second))
    if not found:
        return False
    few = len(found) < FEW
    equal = np.array([piece.likeness >= (COPIED if few else EQUAL) for piece in found])
    otherwise = np.array([piece.otherwise for piece in found])
    if equal.mean() < SAME or (otherwise.any() and equal[otherwise].mean() < SAME):
        return False
    return not few or _compare_paper(one, first, second) >= PAPER


def _extract_ink(page: Page, shape: tuple[int, ...] | None) -> np.ndarray | None:
    """Return how much darker than what is around it each pixel is, (h, w) float32, scaled to SIDE or to `shape`."""
    try:
        with _open_image(page) as image:
            if shape is None:
                scale = SHEET_SIDE / max(image.size)
                shape = (max(round(image.height * scale), 8), max(round(image.width * scale), 8))
            grey = _read_grey(image, (shape[1], shape[0]), (shape[1], shape[0]))
    except UNREADABLE:
        return None
    return cv2.blur(grey, (25, 25)) - grey


def _cut_pieces(one: Page, other: Page, first: np.ndarray, second: np.ndarray) -> Iterator[_Piece]:
    """Yield the pieces of the lines of the first page that hold ink on either."""
    height, width = first.shape
    shift = round(SHIFT * SHEET_SIDE)
    padded = cv2.copyMakeBorder(second, shift, shift, shift, shift, cv2.BORDER_REPLICATE)
    usual = float(np.percentile(np.abs(first), 98))
    texts = [(box, strip_to_letters(line.text)) for line, box in _list_line_boxes(other)]
    for line, (left, top, right, bottom) in _list_line_boxes(one):
        otherwise = _is_otherwise((left, top, right, bottom), strip_to_letters(line.text), texts)
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
    """Return whether the other page has another text at this place of the page."""
    middle = (box[1] + box[3]) / 2
    here = [own for place, own in others if place[1] <= middle <= place[3] and place[0] < box[2] and box[0] < place[2]]
    return bool(text) and bool(here) and text not in here


def _list_line_boxes(page: Page) -> Iterator[tuple[TextLine, tuple[float, float, float, float]]]:
    """Yield the lines with left, top, right and bottom as fractions of the page that the file states."""
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


def _compare_paper(page: Page, first: np.ndarray, second: np.ndarray) -> float:
    """Return the correlation of what lies between the lines: the grain and the stains of the paper, or its rules."""
    height, width = first.shape
    paper = np.ones((height, width), bool)
    for _, (left, top, right, bottom) in _list_line_boxes(page):
        y0, x0 = (max(int(limit * size) - 8, 0) for limit, size in ((top, height), (left, width)))
        paper[y0 : int(bottom * height) + 8, x0 : int(right * width) + 8] = False
    one, other = (cv2.blur(np.clip(image, -20, 20), (3, 3))[paper] for image in (first, second))
    if one.size < 1000:
        return 1.0
    one, other = one - one.mean(), other - other.mean()
    return float(one @ other / max(float(np.linalg.norm(one) * np.linalg.norm(other)), 1e-6))
