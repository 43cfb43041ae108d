"""`data=manifest`: lists of paths: PAGE or ALTO XML, line images with their text, kraken's `.arrow` files."""

import glob
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from uncial.data.settings import SourceSettings
from uncial.data.sources import compiled
from uncial.data.sources.finding import Place, find_by_pattern, find_files, is_selected, strip_suffix
from uncial.data.sources.line_pages import LineImage, make_line_pages
from uncial.data.sources.lists import (
    ListFile,
    find_list_files,
    format_bases,
    make_relative_paths,
    name_stated_parts,
    resolve_folder,
    resolve_path,
)
from uncial.data.sources.xml import read_files
from uncial.data.sources.xml_files import XmlFile
from uncial.document import Issue, Page, SourceContents, file_problem, of_part
from uncial.errors import UnusableInput, UserError
from uncial.formats.lines.labels import read_manifest
from uncial.formats.lines.pairs import TEXT_SUFFIX, find_text_beside, is_image, read_transcription
from uncial.formats.lines.styles import split_marks

_USUAL_NAMES = {
    "train": ("train.txt", "train.lst"),
    "val": ("val.txt", "validation.txt", "val.lst"),
    "test": ("test.txt", "test.lst"),
}
_WHOLE = ("manifest.txt", "all.txt")


@dataclass(frozen=True, slots=True)
class _Entry:
    """A file that a manifest names, its path below the base, and the manifest that names it."""

    path: Path
    relative: str
    listed: ListFile

    @property
    def anchor(self) -> Path:
        bases = self.listed.bases
        return next((base for base in bases if self.path.is_relative_to(base)), self.path.parent)


def read(settings: SourceSettings) -> SourceContents:
    """Return the pages of all files that the manifests name, the manifests' parts kept.

    A file that two manifests name is used in the stricter one (test, val, train). Options: those of `data=xml` for XML,
    `page_pattern`, `document_pattern` and `hand_pattern` for line images.
    """
    lists = find_list_files(settings, _USUAL_NAMES, _WHOLE)
    entries: dict[Path, _Entry] = {}
    problems: list[Issue] = []
    for listed in lists:
        problems += of_part(_add_entries(entries, listed, settings), listed.subset)
    pages: list[Page] = []
    stated: dict[str, str] = {}
    for subset in dict.fromkeys(listed.subset for listed in lists):
        members = [entry for entry in entries.values() if entry.listed.subset == subset]
        for kind in (_read_xml, _read_arrow, _read_lines):
            reading = kind(members, subset, settings)
            pages += reading.pages
            problems += of_part(reading.problems, subset)
            stated |= reading.stated
    if not pages:
        first = f"; the first problem: {problems[0].line or problems[0].file}: {problems[0].reason}" if problems else ""
        whence = f"relative paths in it count from {format_bases(lists[0].bases)}, which data.root sets"
        raise UserError(f"{lists[0].path} names no usable page{first}; {whence}")
    return SourceContents(tuple(pages), tuple(problems), stated | name_stated_parts(lists))


def _add_entries(entries: dict[Path, _Entry], listed: ListFile, settings: SourceSettings) -> list[Issue]:
    """Add the files of one manifest that no stricter one named; what is wrong with the other rows."""
    try:
        rows = read_manifest(listed.path)
    except UnusableInput as error:
        raise UserError(str(error)) from error
    problems: list[Issue] = []
    found: list[tuple[int, Path]] = []
    for number, row in rows:
        paths = _find_files_of(row, listed.bases)
        found += [(number, path) for path in paths]
        if not paths:
            problems.append(Issue(str(listed.path), f"row {number}", _describe_missing(row, listed)))
    named = make_relative_paths([path for _, path in found], listed.bases)
    for number, path in found:
        where = f"row {number}"
        if not is_selected(named[path], settings.include, settings.exclude):
            continue
        if path in entries:
            used = entries[path].listed.path.name
            reason = f"{named[path]} is named again; it is used as in {used}"
            problems.append(Issue(str(listed.path), where, reason, "duplicate_page"))
        elif _is_known(path):
            entries[path] = _Entry(path, named[path], listed)
        else:
            problems.append(Issue(str(listed.path), where, f"{named[path]} is no XML, line image or .arrow file"))
    return problems


def _find_files_of(row: str, bases: Sequence[Path]) -> list[Path]:
    """Return the files that a row means: a path, the image of a named `.gt.txt`, those in a folder, or that a glob
    matches."""
    path = resolve_path(row, bases)
    if path is None and (folder := resolve_folder(row, bases)) is not None:
        return [found.path for found in find_files([Place(folder, folder)], _is_known)]
    if path is None and glob.has_magic(row):
        patterns = [Path(glob.escape(str(base)), row) for base in bases]  # an absolute row stands for itself
        globs = [pattern / "*" if pattern.name == "**" else pattern for pattern in patterns]
        matches = {match for pattern in globs for match in find_by_pattern(pattern)}
        return sorted(match for match in matches if match.is_file() and _is_known(match))
    if path is not None and path.name.lower().endswith(TEXT_SUFFIX):
        stem = path.name[: -len(TEXT_SUFFIX)]
        images = [other for other in sorted(path.parent.glob(f"{glob.escape(stem)}.*")) if is_image(other)]
        return images[:1]
    return [path] if path else []


def _describe_missing(row: str, listed: ListFile) -> str:
    return f"there is no file {row}; relative paths count from {format_bases(listed.bases)}"


def _is_known(path: Path) -> bool:
    return path.suffix.lower() in (".xml", ".arrow") or is_image(path)


def _read_xml(entries: list[_Entry], subset: str | None, settings: SourceSettings) -> SourceContents:
    """Return the pages of the XML files, read as `data=xml` does."""
    files = [
        XmlFile(entry.path, entry.relative, entry.anchor, subset, named=True)
        for entry in entries
        if entry.path.suffix.lower() == ".xml"
    ]
    return read_files(files, settings, ("page", "alto"))


def _read_arrow(entries: list[_Entry], subset: str | None, settings: SourceSettings) -> SourceContents:
    readings = [
        compiled.read_file(entry.path, strip_suffix(entry.relative), subset)
        for entry in entries
        if entry.path.suffix.lower() == ".arrow"
    ]
    return SourceContents(
        tuple(page for reading in readings for page in reading.pages),
        tuple(problem for reading in readings for problem in reading.problems),
        {part: name for reading in readings for part, name in reading.stated.items()},
    )


def _read_lines(entries: list[_Entry], subset: str | None, settings: SourceSettings) -> SourceContents:
    images: list[LineImage] = []
    problems: list[Issue] = []
    for entry in entries:
        if not is_image(entry.path):
            continue
        text = find_text_beside(entry.path)
        try:
            if text is None:
                raise UnusableInput("no transcription X.gt.txt beside the image X", "untranscribed_image")
            content, spans = split_marks(read_transcription(text))
        except UnusableInput as error:
            problems.append(file_problem(text or entry.path, error))
            continue
        images.append(LineImage(entry.path, entry.relative, text, content, spans, subset=subset))
    return SourceContents(make_line_pages(images, settings), tuple(problems))
