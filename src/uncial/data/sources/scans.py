"""Page images in which lines are to be found: images, each page of a TIFF or PDF, with the PAGE or ALTO of their name
where there is one."""

import os
import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from uncial.data.settings import SourceSettings
from uncial.data.sources.finding import (
    FoundFile,
    Place,
    describe_contents,
    find_files,
    find_places,
    strip_suffix,
)
from uncial.data.sources.xml import read_files
from uncial.data.sources.xml_files import find_xml_beside, find_xml_files
from uncial.document import ImageSource, Issue, Page, file_problem
from uncial.errors import UnusableInput, UserError
from uncial.formats.image_finder import is_image, open_header
from uncial.formats.pdf import count_pdf_pages, is_pdf

REDUCED = 1
"""Bit of a TIFF's NewSubfileType that says: a smaller copy of another page."""

SUBFILE_TYPE = 254


@dataclass(frozen=True)
class Scan:
    """A page image and what is known of it. `name` is what its file is to be called, without a suffix and below the
    folder that was named; `number` is that of the page in a TIFF or PDF, 0 for an image that is alone in its file."""

    page: Page
    name: str
    number: int = 0

    @property
    def has_file(self) -> bool:
        """Whether a PAGE or ALTO file describes the page."""
        return self.page.image is not None and self.page.source != self.page.image.path


@dataclass(frozen=True)
class Scans:
    """All page images, in the order of their names, and what had to be left out and why."""

    scans: tuple[Scan, ...]
    problems: tuple[Issue, ...] = ()


def find_scans(settings: SourceSettings) -> Scans:
    """Return the page images in and below the places of `settings.root`: images, and those of PAGE and ALTO files.

    The third page of `scan.tif` or `scan.pdf` is called `scan_0003`. Raises `UserError` where there is none, and for a
    PDF without the package that reads it.
    """
    places = find_places(settings.root, settings.key)
    files = find_files(places, lambda path: is_image(path) or is_pdf(path), settings.include, settings.exclude)
    described, problems = _read_descriptions(settings, places, files)
    usable = {page.source for page in described}
    unusable = {Path(issue.file) for issue in problems if issue.kind != "other_file"} - usable
    by_image = {_get_key(page.image): page for page in reversed(described) if page.image is not None}
    scans: list[Scan] = []
    for file in files:
        if find_xml_beside(file.path) in unusable:
            continue
        try:
            images = _list_images(file.path)
        except UnusableInput as error:
            problems.append(file_problem(file.path, error))
            continue
        for number, image in images:
            place = number + 1 if len(images) > 1 or is_pdf(file.path) else 0
            name = strip_suffix(file.relative) + (f"_{place:04d}" if place else "")
            known = by_image.pop(_get_key(image), None)
            page = Page(name, image.path, image) if known is None else replace(known, image=image)
            scans.append(Scan(page, name, place))
    scans += [_name_described(page) for page in by_image.values()]
    if not scans and not problems:
        inputs = ", ".join(map(str, settings.root))
        raise UserError(f"{settings.key}={inputs} holds no page image, but {describe_contents(places)}.")
    return Scans(tuple(_make_names_unique(sorted(scans, key=lambda scan: scan.name))), tuple(problems))


def _read_descriptions(
    settings: SourceSettings, places: Sequence[Place], files: Sequence[FoundFile]
) -> tuple[list[Page], list[Issue]]:
    """Return the pages of the PAGE and ALTO files in the places and beside the images."""
    named = [str(place.path) for place in places if place.path.is_dir() or place.path.suffix.lower() == ".xml"]
    beside = sorted({str(path) for file in files if (path := find_xml_beside(file.path)) is not None})
    if not (named or beside):
        return [], []
    found, faults = find_xml_files(replace(settings, root=(*named, *beside)))
    read = read_files(found, settings, ("page", "alto"))
    return list(read.pages), [*faults, *read.problems]


def _list_images(path: Path) -> list[tuple[int, ImageSource]]:
    """Return the pages of a file, by their number from 0. Raises `UnusableInput`."""
    if is_pdf(path):
        return [(number, ImageSource(path, number)) for number in range(count_pdf_pages(path))]
    if path.suffix.lower() not in (".tif", ".tiff"):
        return [(0, ImageSource(path))]
    frames = _list_tiff_pages(path)
    return [(number, ImageSource(path, frame)) for number, frame in enumerate(frames)]


def _list_tiff_pages(path: Path) -> list[int]:
    """Return the frames of a TIFF but for smaller copies of others; the first where nothing can be told of them, so
    that reading it says what is wrong."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with open_header(path) as image:
                frames = []
                for number in range(getattr(image, "n_frames", 1)):
                    image.seek(number)
                    if not int(image.tag_v2.get(SUBFILE_TYPE, 0)) & REDUCED:  # type: ignore[attr-defined]
                        frames.append(number)
                return frames or [0]
    # On damaged files Pillow's plugins raise OSError, SyntaxError, ValueError, struct.error and more.
    except Exception:
        return [0]


def _get_key(image: ImageSource) -> tuple[str, int]:
    return os.path.realpath(image.path), image.frame


def _name_described(page: Page) -> Scan:
    """Return a page whose image lies elsewhere, called as its file."""
    frame = page.image.frame if page.image else 0
    return Scan(page, page.id.replace("#", "_"), frame + 1 if frame else 0)


def _make_names_unique(scans: Sequence[Scan]) -> Iterable[Scan]:
    """Yield the scans, those of one name told apart by the suffix of their file, else by a number."""
    counts = Counter(scan.name.casefold() for scan in scans)
    taken: Counter[str] = Counter()
    for scan in scans:
        name = scan.name
        if counts[name.casefold()] > 1 and scan.page.image is not None:
            name = f"{name}~{scan.page.source.name}" if scan.number else f"{name}{scan.page.image.path.suffix}"
        taken[name.casefold()] += 1
        if taken[name.casefold()] > 1:
            name = f"{name}~{taken[name.casefold()]}"
        page = scan.page if scan.has_file else replace(scan.page, id=name)
        yield Scan(page, name, scan.number)
