"""Pages to a store of working-scale images: each is decoded once, in as many processes as there are cores."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from filelock import FileLock

from uncial.data.pages.shapes import PageShapes, read_shapes
from uncial.data.pages.store import (
    FORMAT_VERSION,
    STORED_INTERLINE,
    PageStore,
    PageStoreWriter,
    StoredPage,
    is_complete,
)
from uncial.data.settings import Advance, Progress
from uncial.data.store.compile import CompileSettings, make_page_processes, raise_if_strict
from uncial.data.store.paths import make_paths_relative
from uncial.document import Issue, Page
from uncial.errors import UnusableInput, UserError
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
    try:
        if is_complete(path, digest):  # Without a lock: it may lie where nothing can be written.
            return PageStore(path)
        settings.folder.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock")):
            if not is_complete(path, digest):
                with progress("decoding pages", len(pages), "pages") as advance:
                    _compile_store(path, digest, pages, hashes, settings, advance)
    except OSError as error:
        raise UserError(
            f"{path}: the store of pages could not be written ({error.strerror or error}): make room there, "
            "or name another folder with paths.store."
        ) from None
    return PageStore(path)


def _compute_digest(pages: Sequence[Page], hashes: Mapping[str, str], settings: CompileSettings) -> str:
    """Of all that decides the images and shapes: image contents, lines and regions as read, settings, version."""
    digest = hashlib.sha256()
    digest.update(repr((FORMAT_VERSION, "pages", settings.channels, settings.max_pixels)).encode())
    for page in pages:
        image = (hashes.get(page.id), page.image.frame if page.image else 0)
        about = (page.id, page.width, page.height, page.document, page.hand, page.group, page.subset)
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
    usual = _find_usual_lines(pages)
    writer = PageStoreWriter(path, settings.channels, digest)
    try:
        for page, compiled in zip(pages, _compile_pages(pages, hashes, usual, settings), strict=True):
            if compiled.stored is not None:
                writer.add(compiled.stored)
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


def _compile_pages(
    pages: Sequence[Page], hashes: Mapping[str, str], usual: float, settings: CompileSettings
) -> Iterator[CompiledPage]:
    """Compile the pages in their order, whatever the number of processes."""
    workers, done = min(settings.workers, len(pages)), 0
    if workers > 1:
        try:
            for compiled in _compile_in_processes(pages, hashes, usual, settings, workers):
                done += 1
                yield compiled
        except BrokenProcessPool:
            pass  # Ended by the system where memory runs out: the others are compiled here.
    for page in pages[done:]:
        yield compile_page(page, hashes.get(page.id, ""), usual, settings)


def _compile_in_processes(
    pages: Sequence[Page], hashes: Mapping[str, str], usual: float, settings: CompileSettings, workers: int
) -> Iterator[CompiledPage]:
    waiting = iter(pages)

    def submit(count: int) -> list:
        return [
            pool.submit(compile_page, page, hashes.get(page.id, ""), usual, settings) for page in islice(waiting, count)
        ]

    try:
        pool = make_page_processes(workers)
        running = submit(3 * workers)
    except OSError as error:
        raise BrokenProcessPool(str(error)) from error
    with pool:
        try:
            while running:
                yield running.pop(0).result()
                running += submit(1)
        finally:
            pool.shutdown(cancel_futures=True)


def compile_page(page: Page, image_hash: str, usual: float, settings: CompileSettings) -> CompiledPage:
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
    return CompiledPage(StoredPage(page, image_hash, pixels, scale, moved), notes=notes)


def _scale_image(pixels: np.ndarray, interline: float) -> np.ndarray:
    """Return the pixels at `STORED_INTERLINE`, never larger than they were."""
    height, width = pixels.shape[:2]
    factor = min(1.0, STORED_INTERLINE / interline, (MAX_STORED / (width * height)) ** 0.5)
    if factor == 1.0:
        return pixels
    size = max(1, round(width * factor)), max(1, round(height * factor))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
