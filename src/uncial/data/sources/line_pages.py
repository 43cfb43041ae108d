"""Line images as pages of one line each, grouped by the pages that they were cut from."""

import os
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from uncial.data.settings import SourceSettings
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


def make_line_pages(images: Sequence[LineImage], settings: SourceSettings) -> tuple[Page, ...]:
    """Return a page for each image, in the order of the ids, grouped by the pages that they were cut from
    (`page_groups`).

    Ids are in Unicode's composed form. `document` is the first group of `data.document_pattern`, else the folder below
    the root; `hand` is the first group of `data.hand_pattern`, else the document.
    """
    images = [replace(line, relative=unicodedata.normalize("NFC", line.relative)) for line in images]
    images.sort(key=lambda line: line.relative)
    relatives = [line.relative for line in images]
    groups = _group_by_subset(images, settings.options.get("page_pattern"))
    ids = _make_unique_ids(relatives)
    pages = []
    for line, identity, group in zip(images, ids, groups, strict=True):
        page = make_line_page(identity, line)
        document = match_pattern(settings, "document_pattern", identity) or _find_folder(line.relative)
        hand = match_pattern(settings, "hand_pattern", identity) or document
        pages.append(replace(page, group=group, document=document, hand=hand))
    return tuple(pages)


def make_line_page(identity: str, line: LineImage) -> Page:
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


def match_pattern(settings: SourceSettings, key: str, identity: str) -> str:
    """Return what the first group of the pattern `data.KEY` finds in a page's id; empty without one or where it finds
    none."""
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


def check_single_line(image: LineImage) -> Issue | None:
    """Return what keeps a text that is not one line from being used."""
    if image.text is not None and ("\n" in image.text or "\r" in image.text):
        reason = "holds a line break: a line image has one line of text"
        return Issue(str(image.source), image.relative, reason, "several_lines")
    return None


def report_by_folder(images: Iterable[Path], reason: str, kind: IssueCode) -> list[Issue]:
    """Return a problem for each image, or one for a whole folder where none of its images can be used and they are
    many."""
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


def _group_by_subset(images: Sequence[LineImage], pattern: str | None) -> list[str]:
    """Return the pages within each explicit subset: the folders `train/` and `val/` are no pages."""
    groups = [""] * len(images)
    for subset in {line.subset for line in images}:
        members = [i for i, line in enumerate(images) if line.subset == subset]
        for i, group in zip(members, group_by_page([images[i].relative for i in members], pattern), strict=True):
            groups[i] = group
    return groups


def _find_folder(relative: str) -> str:
    folder = PurePosixPath(relative).parent.as_posix()
    return "" if folder == "." else folder


def _make_unique_ids(relatives: Sequence[str]) -> list[str]:
    """Return the paths without suffix; with it where `X.png` and `X.jpg` are both used, numbered where a path comes
    twice."""
    stems = [os.path.splitext(relative)[0] for relative in relatives]  # noqa: PTH122 - ids, not paths on this disk
    shared = {stem for stem, relatives_of in _group_values(stems, relatives).items() if len(set(relatives_of)) > 1}
    seen: dict[str, int] = {}
    ids = []
    for stem, relative in zip(stems, relatives, strict=True):
        identity = relative if stem in shared else stem
        seen[identity] = seen.get(identity, 0) + 1
        ids.append(identity if seen[identity] == 1 else f"{identity}~{seen[identity]}")
    return ids


def _group_values(keys: Sequence[str], values: Sequence[str]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for key, value in zip(keys, values, strict=True):
        grouped.setdefault(key, []).append(value)
    return grouped


_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_LINE_UUID = re.compile(rf"(.+?)[-_.](?:[a-z]+_)?{_UUID}", re.IGNORECASE)
_LINE_WORD = re.compile(
    r"(.+?)[-_.](?:esc_)?(?:(?:text)?(?:line|region|block)[-_]?[0-9a-f]|(?:tr|tl|ln|r|l)[-_]?\d).*", re.IGNORECASE
)
_LINE_NUMBER = re.compile(r"(.*\d[^-_.]*)[-_.]\d+[a-z]?", re.IGNORECASE)


def group_by_page(relatives: Sequence[str], pattern: str | None = None) -> list[str]:
    """Return the page of each line image; `relatives` are paths below the root, with or without suffix.

    `pattern` is a regular expression searched in the path without suffix; its first group names the page (an image that
    it does not fit stands for itself). Without one the name decides, the first rule that fits:

    1. Loghi's folders: `P/P-line_3.png` was cut from `P`, where the rest does not begin with a digit or is a UUID;
    2. `P-r1l3`, `P_line_3`, `P-<UUID>`: a word for a region or line, or a UUID, follows the page's name;
    3. `P_27`, where `P` ends in a part with a digit (`book_0051_27` is line 27 of `book_0051`);
    4. names that tell nothing: the folder, below the deepest folder that holds all images;
    5. images in that deepest folder itself: each stands for itself.
    """
    stems = [os.path.splitext(relative)[0] for relative in relatives]  # noqa: PTH122 - ids, not paths on this disk
    if pattern is not None:
        return [_match_page(stem, _compile_pattern(pattern)) for stem in stems]
    top = os.path.commonpath([os.path.dirname(stem) for stem in stems]) if stems else ""  # noqa: PTH120
    return [_guess_page(PurePosixPath(stem), top) for stem in stems]


def _compile_pattern(pattern: str) -> re.Pattern[str]:
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise UserError(f"data.page_pattern='{pattern}' is no regular expression ({error})") from error
    if not compiled.groups:
        raise UserError(f"data.page_pattern='{pattern}' has no group: put the part that names the page in parentheses")
    return compiled


def _match_page(stem: str, pattern: re.Pattern[str]) -> str:
    match = pattern.search(stem)
    return match.group(1) if match and match.group(1) else stem


def _guess_page(stem: PurePosixPath, top: str) -> str:
    folder, name = stem.parent, stem.name
    rest = name[len(folder.name) + 1 :] if folder.name and name.startswith(folder.name) else ""
    if rest and name[len(folder.name)] in "-_." and (not rest[0].isdigit() or re.fullmatch(_UUID, rest, re.IGNORECASE)):
        return folder.as_posix()
    for rule in (_LINE_UUID, _LINE_WORD, _LINE_NUMBER):
        match = rule.fullmatch(name)
        if match:
            return (folder / match.group(1)).as_posix()
    return stem.as_posix() if folder == PurePosixPath(top) else folder.as_posix()
