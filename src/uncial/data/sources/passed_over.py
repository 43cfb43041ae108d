"""What lies in the user's folders and is not read by the chosen format: said, with the format that reads it."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PureWindowsPath

from lxml import etree

from uncial.data.sources.finding import Place, find_files
from uncial.document import Issue, Page
from uncial.errors import UnusableInput
from uncial.formats.alto.reading import find_stated_image
from uncial.formats.lines.pairs import TEXT_SUFFIX, is_image, pair
from uncial.formats.xml.parsing import find_kind, get_local_name, iterate_descendants, parse

NAMES = {"page": "PAGE", "alto": "ALTO"}
TEXTS = ("http://www.tei-c.org/ns/1.0", "http://www.w3.org/1999/xhtml")
"""Namespaces of TEI and hOCR, which hold transcriptions too."""

MAX_OPENED = 20
"""XML files beside line images that are opened to see what they are."""


@dataclass(frozen=True, slots=True)
class SkippedFile:
    """An XML file of a kind that is not asked for: `page`, `alto`, or the name of its root element. `image` is the name
    of the image that it states; `is_text` says that it is TEI or hOCR."""

    path: Path
    kind: str
    image: str = ""
    is_text: bool = False


def describe_skipped(path: Path, root: etree._Element) -> SkippedFile | None:
    """Return what is to be said of a file that is not read; nothing of METS files, which come with every export."""
    kind = find_kind(root)
    if kind == "mets":
        return None
    if kind == "alto":
        return SkippedFile(path, kind, find_stated_image(root))
    if kind == "page":
        page = next(iter(iterate_descendants(root, "Page")), None)
        return SkippedFile(path, kind, "" if page is None else page.get("imageFilename", ""))
    return SkippedFile(path, get_local_name(root), is_text=etree.QName(root).namespace in TEXTS)


def report_skipped_xml(passed: Sequence[SkippedFile], pages: Sequence[Page], kinds: Collection[str]) -> list[Issue]:
    """One for each kind: a warning where it holds pages that are not read otherwise, information else."""
    known = {_get_stem(page.source.name) for page in pages} | {
        _get_stem(page.image.path.name) for page in pages if page.image is not None
    }
    problems = []
    read = " and ".join(NAMES[kind] for kind in kinds)
    for kind, name in NAMES.items():
        of_kind = [file for file in passed if file.kind == kind]
        lone = [file for file in of_kind if known.isdisjoint((_get_stem(file.image), _get_stem(file.path.name)))]
        if lone:
            why = f"passed over, since data={'/'.join(kinds)} reads {read} alone"
            remedy = f"read them with data={kind}, or both with data=xml"
            problems.append(_make_issue([file.path for file in lone], f"{name} file", why, remedy, "passed_over"))
        elif of_kind:
            why = f"passed over; the {read} files of the same images are read"
            remedy = f"nothing, or read them with data={kind}"
            problems.append(_make_issue([file.path for file in of_kind], f"{name} file", why, remedy, "other_format"))
    others = [file for file in passed if file.is_text]
    if others:
        roots = ", ".join(f"<{name}>" for name, _ in Counter(file.kind for file in others).most_common(3))
        why = f"neither PAGE nor ALTO ({roots}) and passed over"
        remedy = "export them as PAGE or ALTO, where they hold transcriptions"
        problems.append(_make_issue([file.path for file in others], "XML file", why, remedy, "other_format"))
    return problems


def report_line_pairs(places: Sequence[Place], pages: Sequence[Page]) -> list[Issue]:
    """Line images with their texts in folders that are read for their XML files."""
    known = {_get_stem(page.image.path.name) for page in pages if page.image is not None}
    folders = [place for place in places if place.path.is_dir()]
    found = find_files(folders, lambda path: path.name.lower().endswith(TEXT_SUFFIX) or is_image(path))
    texts = [file.path for file in found if not is_image(file.path)]
    if not texts:
        return []
    pairs = [image for image, _ in pair(file.path for file in found).pairs if _get_stem(image.name) not in known]
    why = "passed over, since only XML files are read"
    remedy = "read them with data=lines, or together with the pages with data=mixed"
    return [_make_issue(pairs, "line image", why, remedy, "passed_over", " with a text X.gt.txt")] if pairs else []


def report_xml_beside_lines(places: Sequence[Place], images: Iterable[Path]) -> list[Issue]:
    """PAGE and ALTO files in folders that are read for line images: information where lines are called as they are."""
    folders = [place for place in places if place.path.is_dir()]
    found = [file.path for file in find_files(folders, lambda path: path.suffix.lower() == ".xml")]
    if not any(_is_transcription(path) for path in islice(found, MAX_OPENED)):
        return []
    names = [_get_stem(image.name) for image in images]
    folders_of_lines = {image.parent.name.casefold() for image in images}
    lone = [
        path
        for path in found
        if _get_stem(path.name) not in folders_of_lines
        and not any(name.startswith(_get_stem(path.name)) for name in names)
    ]
    if not lone:
        why, remedy = "passed over; their line images are read", "nothing"
        return [_make_issue(found, "XML file", why, remedy, "other_format")]
    why, remedy = "passed over, since data=lines reads line images alone", "read PAGE and ALTO files with data=xml"
    return [_make_issue(lone, "XML file", why, remedy, "passed_over")]


def _is_transcription(path: Path) -> bool:
    try:
        return find_kind(parse(path).getroot()) in NAMES
    except UnusableInput:
        return False


def _make_issue(paths: Sequence[Path], noun: str, why: str, remedy: str, kind: str, what: str = "") -> Issue:
    many = len(paths) > 1
    counted = f"{len(paths):,} {noun}{'s' if many else ''}{what} {'are' if many else 'is'}"
    first = f" (the first: {paths[0].name})" if many else f" ({paths[0].name})"
    return Issue(str(paths[0].parent), "", f"{counted} {why}{first}; {remedy}", kind)  # type: ignore[arg-type]


def _get_stem(name: str) -> str:
    """Return the name of a file as files of the same page have it: without folders, suffixes and case."""
    return PureWindowsPath(name).name.partition(".")[0].casefold()
