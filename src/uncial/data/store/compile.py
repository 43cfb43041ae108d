"""Pages to a compiled store: every page is decoded once, its lines cut, in as many processes as there are cores."""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from uncial.data.settings import Advance, Progress
from uncial.data.store.cache import open_or_write
from uncial.data.store.paths import make_paths_relative
from uncial.data.store.processes import map_pages
from uncial.data.store.store import FORMAT_VERSION, Store, StoredLine, StoreWriter
from uncial.document import Issue, Page, TextLine
from uncial.errors import UnusableInput, UserError
from uncial.files import hash_content
from uncial.imaging.extraction import ExtractionSettings, extract_page
from uncial.imaging.page_geometry import resolve_lines


@dataclass(frozen=True)
class CompileSettings:
    """`folder` is where stores lie; `workers` are processes, 1 for none beside the caller's."""

    folder: Path
    max_height: int = 128
    channels: int = 1
    max_pixels: int = 200_000_000
    workers: int = 1
    strict: bool = False


@dataclass(frozen=True)
class CutPage:
    """The strips of one page, in the order of its lines, and the lines that could not be cut."""

    lines: tuple[StoredLine, ...]
    problems: tuple[Issue, ...]
    notes: tuple[Issue, ...] = ()


def hash_images(pages: Sequence[Page]) -> dict[str, str]:
    """Return what tells the images of these pages apart, by page id: the same for the same image under two names.

    Pages whose image cannot be read have none; cutting them says why.
    """
    contents: dict[Path, str] = {}
    for path in {page.image.path for page in pages if page.image}:
        with suppress(OSError):
            contents[path] = hash_content(path)
    return {
        page.id: f"{contents[page.image.path]}#{page.image.frame}"
        for page in pages
        if page.image and page.image.path in contents
    }


def open_or_compile_store(
    pages: Sequence[Page], hashes: Mapping[str, str], settings: CompileSettings, progress: Progress
) -> Store:
    """Return the store of the transcribed lines of these pages: found by the digest of its inputs, or compiled now.

    `hashes` are the pages' `image_hashes`. Of two runs that want the same store at once, one compiles it and the other
    waits. Raises `UserError` when the disk is full, and in strict mode for the first page or line that cannot be used.
    """
    digest = _compute_digest(pages, hashes, settings)
    path = settings.folder / f"{digest[:20]}.arrow"

    def write() -> None:
        with progress("compiling", sum(len(page.lines) for page in pages), "lines") as advance:
            _compile_store(path, digest, pages, hashes, settings, advance)

    return open_or_write(path, digest, Store, write)


def _compute_digest(pages: Sequence[Page], hashes: Mapping[str, str], settings: CompileSettings) -> str:
    """Of all that decides strips and texts: image contents, lines as read and filtered, settings, format version.

    Where the geometry of a line contradicts itself, that by which it is cut counts too: a store that was compiled by
    other rules is not taken for this one, and a store on which the rules have no bearing stays the same.
    """
    digest = hashlib.sha256()
    digest.update(repr((FORMAT_VERSION, settings.max_height, settings.channels, settings.max_pixels)).encode())
    for page in pages:
        image = (hashes.get(page.id), page.image.frame if page.image else 0)
        about = (page.id, page.width, page.height, page.document, page.hand, page.group, page.subset)
        digest.update(repr((image, about, [(region.id, region.type) for region in page.regions])).encode())
        for line in page.lines:
            # Not of dataclasses.astuple, which copies each number and takes six times as long.
            digest.update(repr(line).encode("utf-8", "surrogatepass"))
            digest.update((line.reader or "").encode("utf-8", "surrogatepass"))
        wanted = _select_transcribed(page)
        for line, found in zip(wanted, resolve_lines(page, wanted), strict=True):
            if found.line is not line:
                digest.update(repr(found.line).encode("utf-8", "surrogatepass"))
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
    writer = StoreWriter(path, settings.channels, digest)
    cut_pages = map_pages(partial(cut_page, settings=settings), pages, settings.workers, "cut")
    try:
        for page, cut in zip(pages, cut_pages, strict=True):
            for line in cut.lines:
                writer.add(replace(line, image_hash=hashes.get(line.page, "")))
            problems += make_paths_relative(cut.problems, page)
            notes += make_paths_relative(cut.notes, page)
            raise_if_strict(cut.problems, settings.strict)
            advance(len(cut.lines))
        writer.close(problems, notes)
    except BaseException:
        writer.abandon()
        raise


def raise_if_strict(problems: Sequence[Issue], strict: bool) -> None:
    """In strict mode the first problem ends the run as a `UserError`; what lies beside the data is none."""
    problems = [problem for problem in problems if problem.kind not in ("passed_over", "other_format")]
    if strict and problems:
        first = problems[0]
        where = f"{first.file}, line {first.line}" if first.line else first.file
        raise UserError(f"{where}: {first.reason} (data.strict=true makes this fatal).")


def cut_page(page: Page, settings: CompileSettings) -> CutPage:
    """Decodes a page's image and cuts its transcribed lines. What cannot be used becomes a problem."""
    wanted = _select_transcribed(page)
    problems = [
        Issue(str(page.source), line.id, "the line has a transcription, but an empty one", "empty_text")
        for line in page.lines
        if line.text is not None and not line.text.strip()
    ]
    if not wanted:
        return CutPage((), tuple(problems))
    cutting = ExtractionSettings(settings.max_height, settings.channels, settings.max_pixels)
    try:
        cut = extract_page(page, cutting, wanted)
    except UnusableInput as error:
        return CutPage((), (*problems, Issue(str(page.source), "", str(error), error.kind)))
    types = {region.id: region.type for region in page.regions}
    lines = []
    for line, strip in zip(wanted, cut.strips, strict=True):
        if isinstance(strip, UnusableInput):
            problems.append(Issue(str(page.source), line.id, str(strip), strip.kind))
        else:
            lines.append(_make_stored_line(page, line, types, strip))
    notes = tuple(
        Issue(str(page.source), note.line, note.reason, note.kind, lines=note.lines)
        for note in (*cut.notes, *cut.geometry)
    )
    return CutPage(tuple(lines), tuple(problems), notes)


def _select_transcribed(page: Page) -> tuple[TextLine, ...]:
    return tuple(line for line in page.lines if line.text is not None and line.text.strip())


def _make_stored_line(
    page: Page, line: TextLine, region_types: Mapping[str, str | None], strip: np.ndarray
) -> StoredLine:
    return StoredLine(
        page=page.id,
        line=line.id,
        document=page.document,
        hand=page.hand,
        group=page.group,
        subset=page.subset,
        image_hash="",
        region_type=region_types.get(line.region_id or ""),
        language=line.language,
        direction=line.direction,
        text=line.text or "",
        strip=strip,
        reader=line.reader,
    )
