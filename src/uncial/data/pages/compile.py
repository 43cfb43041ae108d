"""Pages to a store of working-scale images: each is decoded once, in as many processes as there are cores."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from uncial.data.pages.shapes import PageShapes, read_shapes
from uncial.data.pages.store import (
    FORMAT_VERSION,
    STORED_INTERLINE,
    PageStore,
    PageStoreWriter,
    StoredPage,
)
from uncial.data.settings import Advance, Progress
from uncial.data.store.cache import open_or_write
from uncial.data.store.compile import CompileSettings, raise_if_strict
from uncial.data.store.paths import make_paths_relative
from uncial.data.store.processes import map_pages
from uncial.document import Issue, Page
from uncial.errors import UnusableInput
from uncial.imaging.images import read_image

MAX_STORED = 12_000_000
"""Pixels of a stored image: of the largest newspapers at their working scale, half as many again on either side."""

USUAL_LINES = 50.0
"""Interlines on the longer side of a page, where no page of the set has lines that would tell."""


@dataclass(frozen=True, slots=True)
class CompiledPage:
    """A page for the store, None where it could not be used; `notes` are about one that is, `problems` about others."""

    stored: StoredPage | None
    problems: tuple[Issue, ...] = ()
    notes: tuple[Issue, ...] = ()


def open_or_compile_pages(
    pages: Sequence[Page], hashes: Mapping[str, str], settings: CompileSettings, progress: Progress
) -> PageStore:
    """Return the store of these pages: found by the digest of its inputs, or compiled now.

    `hashes` are those of the pages' images. Of two runs that want the same store at once, one compiles it and the other
    waits. Raises `UserError` when the disk is full, and in strict mode for the first page that cannot be used.
    """
    digest = _compute_digest(pages, hashes, settings)
    path = settings.folder / f"{digest[:20]}.pages.arrow"

    def write() -> None:
        with progress("decoding pages", len(pages), "pages") as advance:
            _compile_store(path, digest, pages, hashes, settings, advance)

    return open_or_write(path, digest, PageStore, write)


def _compute_digest(pages: Sequence[Page], hashes: Mapping[str, str], settings: CompileSettings) -> str:
    """Of all that decides the images and shapes: image contents, lines and regions as read, settings, version."""
    digest = hashlib.sha256()
    digest.update(repr((FORMAT_VERSION, "pages", settings.channels, settings.max_pixels)).encode())
    for page in pages:
        image = (hashes.get(page.id), page.image.frame if page.image else 0)
        about = (page.id, page.width, page.height, page.document, page.hand, page.group, page.subset, page.annotated)
        digest.update(repr((image, about, page.regions)).encode("utf-8", "surrogatepass"))
        for line in page.lines:
            geometry = (line.id, line.polygon, line.baseline, line.box, line.region_id, line.direction)
            digest.update(repr((geometry, [word.polygon for word in line.words])).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _compile_store(
    path: Path,
    digest: str,
    pages: Sequence[Page],
    hashes: Mapping[str, str],
    settings: CompileSettings,
    advance: Advance,
) -> None:
    problems: list[Issue] = []
    notes: list[Issue] = []
    compiling = partial(compile_page, usual=_find_usual_lines(pages), settings=settings)
    compiled_pages = map_pages(compiling, pages, settings.workers, "decoded")
    writer = PageStoreWriter(path, settings.channels, digest)
    try:
        for page, compiled in zip(pages, compiled_pages, strict=True):
            if compiled.stored is not None:
                writer.add(replace(compiled.stored, image_hash=hashes.get(page.id, "")))
            problems += make_paths_relative(compiled.problems, page)
            notes += make_paths_relative(compiled.notes, page)
            raise_if_strict(compiled.problems, settings.strict)
            advance(1)
        writer.close(problems, notes)
    except BaseException:
        writer.abandon()
        raise


def _find_usual_lines(pages: Sequence[Page]) -> float:
    """Return how many interlines the longer side of a page of the set has, for those without lines."""
    ratios = [
        max(page.width, page.height) / read_shapes(page).interline
        for page in islice((page for page in pages if page.lines and page.width and page.height), 50)
    ]
    return float(np.median(ratios)) if ratios else USUAL_LINES


def compile_page(page: Page, usual: float, settings: CompileSettings) -> CompiledPage:
    """Decode the image of a page and bring it to its working scale. `usual` are the interlines on the longer side of a
    page without lines. What cannot be used becomes a problem."""
    if page.image is None:
        return CompiledPage(None, (Issue(str(page.source), "", "the page has no image", "missing_image"),))
    try:
        image = read_image(page.image, settings.channels, (page.width, page.height), settings.max_pixels)
    except UnusableInput as error:
        return CompiledPage(None, (Issue(str(page.source), "", str(error), error.kind),))
    notes = tuple(Issue(str(page.source), note.line, note.reason, note.kind, lines=note.lines) for note in image.notes)
    height, width = image.pixels.shape[:2]
    size = (width / image.scale[0], height / image.scale[1])
    shapes = read_shapes(page)
    if not shapes.lines:
        shapes = PageShapes(shapes.size, max(size) / usual, (), shapes.regions)
    pixels = _scale_image(image.pixels, shapes.interline * float(np.mean(image.scale)))
    scale = pixels.shape[1] / size[0], pixels.shape[0] / size[1]
    moved = shapes.moved(lambda points: points * scale, (pixels.shape[1], pixels.shape[0]), float(np.mean(scale)))
    return CompiledPage(StoredPage(page, "", pixels, scale, moved), notes=notes)


def _scale_image(pixels: np.ndarray, interline: float) -> np.ndarray:
    """Return the pixels at `STORED_INTERLINE`, never larger than they were."""
    height, width = pixels.shape[:2]
    factor = min(1.0, STORED_INTERLINE / interline, (MAX_STORED / (width * height)) ** 0.5)
    if factor == 1.0:
        return pixels
    size = max(1, round(width * factor)), max(1, round(height * factor))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
