"""Line images as pages of one line each: what every source of line images has in common."""

import os
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from uncial.data.settings import SourceSettings
from uncial.data.sources.grouping import page_groups
from uncial.document import ImageSource, Issue, Page, TextLine, TextSpan
from uncial.errors import IssueCode, UserError


@dataclass(frozen=True, slots=True)
class LineImage:
    """A line image, its path below the root (the id, without the suffix), its text, and the program that read it, if
    one did."""

    image: Path
    relative: str
    source: Path
    text: str | None
    spans: tuple[TextSpan, ...] = ()
    confidence: float | None = None
    subset: str | None = None
    reader: str | None = None


def line_pages(images: Sequence[LineImage], settings: SourceSettings) -> tuple[Page, ...]:
    """A page for each image, in the order of the ids, grouped by the pages that they were cut from (`page_groups`).

    Ids are in Unicode's composed form. `document` is the first group of `data.document_pattern`, else the folder below
    the root; `hand` is the first group of `data.hand_pattern`, else the document.
    """
    images = [replace(line, relative=unicodedata.normalize("NFC", line.relative)) for line in images]
    images.sort(key=lambda line: line.relative)
    relatives = [line.relative for line in images]
    groups = _groups(images, settings.options.get("page_pattern"))
    ids = _unique_ids(relatives)
    pages = []
    for line, identity, group in zip(images, ids, groups, strict=True):
        page = line_page(identity, line)
        document = named(settings, "document_pattern", identity) or _folder(line.relative)
        hand = named(settings, "hand_pattern", identity) or document
        pages.append(replace(page, group=group, document=document, hand=hand))
    return tuple(pages)


def line_page(identity: str, line: LineImage) -> Page:
    """One line image as a page of a single line without polygon, baseline or box; the line is called as the file."""
    text_line = TextLine(
        id=PurePosixPath(identity).name,
        page_id=identity,
        text=line.text,
        spans=line.spans,
        confidence=line.confidence,
        reader=line.reader,
    )
    return Page(id=identity, source=line.source, image=ImageSource(line.image), lines=(text_line,), subset=line.subset)


def named(settings: SourceSettings, key: str, identity: str) -> str:
    """What the first group of the pattern `data.KEY` finds in a page's id; empty without one or where it finds none."""
    pattern = settings.options.get(key)
    if not pattern:
        return ""
    try:
        match = re.search(pattern, identity)
    except re.error as error:
        raise UserError(f"data.{key}='{pattern}' is no regular expression ({error})") from error
    if match and not match.re.groups:
        raise UserError(
            f"data.{key}='{pattern}' has no group: put the part that names the {key.split('_')[0]} in parentheses"
        )
    return (match.group(1) or "") if match else ""


def many_lines_problem(image: LineImage) -> Issue | None:
    """What keeps a text that is not one line from being used."""
    if image.text is not None and ("\n" in image.text or "\r" in image.text):
        reason = "holds a line break: a line image has one line of text"
        return Issue(str(image.source), image.relative, reason, "several_lines")
    return None


def folder_problems(images: Iterable[Path], reason: str, kind: IssueCode) -> list[Issue]:
    """A problem for each image, or one for a whole folder where none of its images can be used and they are many."""
    by_folder: dict[Path, list[Path]] = {}
    for image in images:
        by_folder.setdefault(image.parent, []).append(image)
    problems = []
    for folder, members in sorted(by_folder.items()):
        if len(members) > 3:
            several = f"{len(members)} images: {reason} (the first: {members[0].name})"
            problems.append(Issue(str(folder), "", several, kind))
        else:
            problems.extend(Issue(str(image), "", reason, kind) for image in members)
    return problems


def _groups(images: Sequence[LineImage], pattern: str | None) -> list[str]:
    """The pages within each explicit subset: the folders `train/` and `val/` are no pages."""
    groups = [""] * len(images)
    for subset in {line.subset for line in images}:
        members = [i for i, line in enumerate(images) if line.subset == subset]
        for i, group in zip(members, page_groups([images[i].relative for i in members], pattern), strict=True):
            groups[i] = group
    return groups


def _folder(relative: str) -> str:
    folder = PurePosixPath(relative).parent.as_posix()
    return "" if folder == "." else folder


def _unique_ids(relatives: Sequence[str]) -> list[str]:
    """The paths without suffix; with it where `X.png` and `X.jpg` are both used, numbered where a path comes twice."""
    stems = [os.path.splitext(relative)[0] for relative in relatives]  # noqa: PTH122 - ids, not paths on this disk
    shared = {stem for stem, relatives_of in _grouped(stems, relatives).items() if len(set(relatives_of)) > 1}
    seen: dict[str, int] = {}
    ids = []
    for stem, relative in zip(stems, relatives, strict=True):
        identity = relative if stem in shared else stem
        seen[identity] = seen.get(identity, 0) + 1
        ids.append(identity if seen[identity] == 1 else f"{identity}~{seen[identity]}")
    return ids


def _grouped(keys: Sequence[str], values: Sequence[str]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for key, value in zip(keys, values, strict=True):
        grouped.setdefault(key, []).append(value)
    return grouped
