"""Pages that are there twice: scanned, saved or cropped anew, so that their files differ."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Literal

import cv2
import numpy as np
from PIL import Image

from uncial.data.checks.findings import Finding, Severity
from uncial.data.checks.likeness import contradicted, nearest, plain
from uncial.data.checks.same_page import is_same_page
from uncial.document import Page

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


def page_pairs(pages: Sequence[Page], advance: Callable[[int], None] = lambda count: None) -> list[PagePair]:
    """Pairs of pages with nearly the same image, or with the same text in most of their lines; one that is cleared by
    what differs between its pages is none. `advance` is told of each image."""
    texts = [[text for line in page.lines if (text := plain(line.text))] for page in pages]
    found = {pair: PagePair(pages[pair[0]], pages[pair[1]], "image") for pair in _like_images(pages, advance)}
    for pair in _like_texts(texts):
        found.setdefault(pair, PagePair(pages[pair[0]], pages[pair[1]], "text"))
    return list(found.values())


def duplicate_pages(pairs: Sequence[PagePair], part_of: Mapping[str, str]) -> Iterator[Finding]:
    """A finding about the second page of each pair: an error where the two are in different parts, and information
    where either gives no line to train or test on."""
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


def _like_images(pages: Sequence[Page], advance: Callable[[int], None]) -> Iterator[tuple[int, int]]:
    """Pages whose images are like one another and, looked at more closely, show the same ink in their lines. Of the
    many like pages of a form only those are looked at that are much nearer to one another than to the others."""
    pictured, pictures, aspects = [], [], []
    for number, page in enumerate(pages):
        if page.image is not None and any(line.polygon or line.baseline or line.box for line in page.lines):
            found = _picture(page)
            if found is not None:
                pictured.append(number)
                pictures.append(found[0].ravel().astype(np.float16))
                aspects.append(found[1])
        advance(1)
    if not pictures:
        return
    near = nearest(np.stack(pictures), np.array(aspects), NEARLY_EQUAL, NEIGHBOURS)
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


def _like_texts(texts: Sequence[Sequence[str]]) -> Iterator[tuple[int, int]]:
    """Pages of which most is on another page too, and that have little alone."""
    passages = [_passages(own) for own in texts]
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
        if count >= enough and contradicted(texts[first], texts[second]) <= OTHER_PAGE:
            yield first, second


def _passages(texts: Sequence[str]) -> set[str]:
    """What tells a page by its text: its long lines, and its short ones together with the next."""
    joined = [one if len(one) >= LONG else one + other for one, other in pairwise([*texts, ""])]
    return {passage for passage in joined if len(passage) >= LONG}
