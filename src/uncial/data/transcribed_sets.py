"""The texts of a folder of PAGE or ALTO files, without their images, and how two such folders belong together."""

import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from lxml import etree

from uncial.data.machine_read import has_persons_text
from uncial.data.settings import SourceSettings
from uncial.data.sources.finding import FoundFile, Place, describe_contents, find_files, find_places, strip_suffix
from uncial.data.sources.line_pages import match_pattern
from uncial.data.sources.xml import name_document
from uncial.data.sources.xml_files import LAYOUT_FOLDERS, XmlFile
from uncial.document import Issue, Page, SourceContents, file_problem
from uncial.errors import UnusableInput, UserError
from uncial.formats.alto.layout import ImageFacts
from uncial.formats.alto.reading import read_alto
from uncial.formats.page_xml.reading import read_page
from uncial.formats.xml.parsing import find_kind, parse

ANY_SIZE = ImageFacts(1, 1, 300.0)
"""For files that count in other units than pixels; coordinates do not matter here."""


@dataclass(frozen=True, slots=True)
class SetLine:
    """A line's text, None where the file has none, what it is grouped by, and the program that read it, if one did."""

    text: str | None
    document: str
    hand: str
    region_type: str
    reader: str | None = None


@dataclass(frozen=True, slots=True)
class TranscribedSet:
    """The lines of a folder: by page, named by its path below the folder without the folders of the layout and without
    suffix, then by line id. `problems` are files and lines that could not be read.
    """

    folder: str
    pages: Mapping[str, Mapping[str, SetLine]]
    problems: tuple[Issue, ...]


def read_set(folder: str, key: str, settings: SourceSettings) -> TranscribedSet:
    """Read all PAGE and ALTO files in a folder (or a file, or glob); of two files of one page, that which a person
    transcribed. `key` is the config key that an error names;
    `settings` give `include`, `exclude`, and patterns of documents and hands.

    Raises `UserError` where there is no such folder, or no PAGE or ALTO file in it.
    """
    where = find_places([folder], key)
    pages: dict[str, dict[str, SetLine]] = {}
    persons: set[str] = set()
    problems: list[Issue] = []
    for file, reading in _read_files(where, settings, problems):
        problems += reading.problems
        for page in reading.pages:
            if page.id in pages and (page.id in persons or not has_persons_text(page)):
                problems.append(Issue(str(file.path), "", f"another file of {folder} is page {page.id} already"))
            else:
                pages[page.id] = _collect_lines(page, file, where, settings)
            if has_persons_text(page):
                persons.add(page.id)
    if not pages:
        raise UserError(_explain_nothing(folder, key, where, problems))
    return TranscribedSet(folder, pages, tuple(problems))


@dataclass(frozen=True, slots=True)
class MarkedSet:
    """The pages of a folder, with their lines and regions, by their path below the folder as in `TranscribedSet`."""

    folder: str
    pages: Mapping[str, Page]
    problems: tuple[Issue, ...]


def read_marked_set(folder: str, key: str, settings: SourceSettings) -> MarkedSet:
    """Read all PAGE and ALTO files in a folder for what they mark. Raises `UserError` as `read_set` does."""
    where = find_places([folder], key)
    pages: dict[str, Page] = {}
    problems: list[Issue] = []
    for file, reading in _read_files(where, settings, problems):
        problems += [problem for problem in reading.problems if not problem.line]
        for page in reading.pages:
            if page.id in pages:
                problems.append(Issue(str(file.path), "", f"another file of {folder} is page {page.id} already"))
            else:
                pages[page.id] = replace(page, document=str(PurePosixPath(page.id).parent))
    if not pages:
        raise UserError(_explain_nothing(folder, key, where, problems))
    return MarkedSet(folder, pages, tuple(problems))


def _read_files(
    where: Sequence[Place], settings: SourceSettings, problems: list[Issue]
) -> Iterator[tuple[FoundFile, SourceContents]]:
    """Yield each PAGE and ALTO file with what it holds; those that cannot be read are added to `problems`."""
    for file in find_files(where, _is_xml, settings.include, settings.exclude):
        try:
            reading = _read_file(file)
        except UnusableInput as error:
            problems.append(file_problem(file.path, error))
        else:
            yield file, reading


def _explain_nothing(folder: str, key: str, where: Sequence[Place], problems: Sequence[Issue]) -> str:
    first = f"; the first problem: {problems[0].file}: {problems[0].reason}" if problems else ""
    return f"{key}: no PAGE or ALTO file with a page in {folder}, but {describe_contents(where)}{first}"


def match_pages(truth: TranscribedSet | MarkedSet, other: TranscribedSet | MarkedSet) -> dict[str, str]:
    """Return for each page of `truth` that `other` has too what it is called there.

    Pages belong together that have the same path below their folders; those left over also where the end of their paths
    is the same and no other page's is.
    """
    found = {page: page for page in truth.pages if page in other.pages}
    left = [page for page in truth.pages if page not in found]
    others = [page for page in other.pages if page not in found]
    names = {page: PurePosixPath(page).name for page in (*left, *others)}
    mine, theirs = Counter(names[page] for page in left), Counter(names[page] for page in others)
    by_name = {names[page]: page for page in others}
    for page in left:
        if mine[names[page]] == 1 and theirs[names[page]] == 1:
            found[page] = by_name[names[page]]
    return found


def _is_xml(path: Path) -> bool:
    return path.suffix.lower() == ".xml"


def _read_file(file: FoundFile) -> SourceContents:
    root: etree._Element = parse(file.path).getroot()
    page_id = _make_page_id(file.relative)
    kind = find_kind(root)
    if kind == "page":
        return read_page(root, file.path, page_id)
    return read_alto(root, file.path, page_id, ANY_SIZE) if kind == "alto" else SourceContents()


def _make_page_id(relative: str) -> str:
    parts = [part for part in PurePosixPath(strip_suffix(relative)).parts if part.lower() not in LAYOUT_FOLDERS]
    return unicodedata.normalize("NFC", "/".join(parts) or strip_suffix(relative))


def _collect_lines(page: Page, file: FoundFile, where: Sequence[Place], settings: SourceSettings) -> dict[str, SetLine]:
    types = {region.id: region.type or "" for region in page.regions}
    document = match_pattern(settings, "document_pattern", page.id) or name_document(
        XmlFile(file.path, file.relative, where[0].anchor)
    )
    hand = match_pattern(settings, "hand_pattern", page.id) or document
    return {
        line.id: SetLine(line.text, document, hand, types.get(line.region_id or "", ""), line.reader)
        for line in page.lines
    }
