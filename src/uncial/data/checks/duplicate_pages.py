"""Pages that are there twice: scanned, saved or cropped anew, so that their files differ."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import cv2
import numpy as np
from PIL import Image

from uncial.data.checks.alike import alike
from uncial.data.checks.findings import Finding
from uncial.formats.types import Page

SIDE = 128
"""Width and height to which pages are scaled to be compared."""

RIM = 0.1
"""Share of the width and height at each side that is not compared: the table, the colour chart, the other page."""

LIKE = 0.6
"""Correlation of page thumbnails from which a pair is compared at full size."""

NEARLY_EQUAL = 0.7
"""Correlation at SIDE pixels from which two images show the same page. Pages of one layout stay below 0.5, copies that
were saved anew, smaller or darker, above 0.9; the cropped ones in between are told by their texts.
"""

LONG = 15
"""Characters from which the same text on two pages is no mere formula."""

SHARED = 0.6
"""Share of two pages' long lines that have the same text from which they are taken for one page."""


@dataclass(frozen=True, slots=True)
class PagePair:
    """Two pages that show the same. `by` says how that was told."""

    first: Page
    second: Page
    by: str


def page_pairs(pages: Sequence[Page], advance: Callable[[int], None] = lambda count: None) -> list[PagePair]:
    """Pairs of pages with nearly the same image, or with the same text in most of their lines. `advance` is told of
    each image."""
    by_image = [PagePair(one, other, "image") for one, other in _like_images(pages, advance)]
    known = {frozenset((pair.first.id, pair.second.id)) for pair in by_image}
    by_text = [PagePair(one, other, "text") for one, other in _like_texts(pages)]
    return by_image + [pair for pair in by_text if frozenset((pair.first.id, pair.second.id)) not in known]


def duplicate_pages(pairs: Sequence[PagePair], part_of: Mapping[str, str]) -> Iterator[Finding]:
    """A finding about the second page of each pair: an error where the two are in different parts."""
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
            yield Finding("warning", "duplicate_page", message, str(other.source), "", "Keep one of the two.")


def _like_images(pages: Sequence[Page], advance: Callable[[int], None]) -> Iterator[tuple[Page, Page]]:
    pictured, pictures, aspects = [], [], []
    for page in pages:
        if page.image is not None and any(line.polygon or line.baseline or line.box for line in page.lines):
            found = _picture(page)
            if found is not None:
                pictured.append(page)
                pictures.append(found[0])
                aspects.append(found[1])
        advance(1)
    if not pictures:
        return
    thumbnails = np.stack([_thumbnail(picture) for picture in pictures])
    for first, second, _ in alike(thumbnails, np.array(aspects), LIKE):
        if float((pictures[first] * pictures[second]).sum()) >= NEARLY_EQUAL:
            yield pictured[first], pictured[second]


def _picture(page: Page) -> tuple[np.ndarray, float] | None:
    """The ink of the page without its rim as (s, s) float32, centred and of length 1, and the aspect; None where it
    cannot be read."""
    assert page.image is not None
    try:
        with Image.open(page.image.path) as image:
            if page.image.frame:
                image.seek(page.image.frame)
            aspect = image.width / max(image.height, 1)
            image.draft("L", (2 * SIDE, 2 * SIDE))  # JPEG is decoded at the fraction of its size that is enough
            grey = np.asarray(image.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX), dtype=np.float32)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    rim = round(RIM * SIDE)
    ink = np.maximum(cv2.blur(grey, (9, 9)) - grey, 0)[rim:-rim, rim:-rim]
    ink = np.minimum(ink, np.percentile(ink, 98))
    ink -= ink.mean()
    length = float(np.linalg.norm(ink))
    return (ink / length, aspect) if length > 1 else None


def _thumbnail(picture: np.ndarray) -> np.ndarray:
    """(512,) float16, centred and of length 1."""
    small = cv2.resize(picture, (64, 8), interpolation=cv2.INTER_AREA)
    small -= small.mean()
    return (small / max(float(np.linalg.norm(small)), 1e-9)).ravel().astype(np.float16)


def _like_texts(pages: Sequence[Page]) -> Iterator[tuple[Page, Page]]:
    """Pages of four and more long lines of which most are those of another page."""
    texts = [{line.text.strip() for line in page.lines if line.text and len(line.text) >= LONG} for page in pages]
    pages_of: dict[str, list[int]] = {}
    for number, own in enumerate(texts):
        if len(own) >= 4:
            for text in own:
                pages_of.setdefault(text, []).append(number)
    shared: Counter[tuple[int, int]] = Counter()
    for numbers in pages_of.values():
        if len(numbers) <= 20:  # more is a formula
            shared.update(combinations(numbers, 2))
    for (first, second), count in sorted(shared.items()):
        if count >= SHARED * max(len(texts[first]), len(texts[second])):
            yield pages[first], pages[second]
