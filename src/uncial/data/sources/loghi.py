"""`data=loghi`: the lists that Loghi's scripts write for its recogniser, and the line images that they name."""

from pathlib import Path

from uncial.data.settings import SourceSettings
from uncial.data.sources.finding import is_selected
from uncial.data.sources.line_pages import LineImage, make_line_pages
from uncial.data.sources.lists import (
    ListFile,
    find_list_files,
    format_bases,
    make_relative_paths,
    name_stated_parts,
    resolve_path,
)
from uncial.document import Issue, SourceContents, of_part
from uncial.errors import UnusableInput, UserError
from uncial.formats.lines.loghi import LIST_NAMES, WHOLE_LIST, ListRow, read_list

RESULT_NAMES = ("results.txt", "results.tsv")
"""What a recogniser read, as Loghi and task=predict call it."""


def read(settings: SourceSettings) -> SourceContents:
    """Return every row of the lists as a page of one line.

    Style characters become spans of the text; a sample weight between 0 and 1 becomes the line's confidence, which is
    what Loghi's cutter writes there. Rows of a recogniser's results are lines that a program read. Images are often
    RGBA, the alpha being the line's polygon: the image reader lays them on paper. An image that two lists name is used
    in the stricter one. Options: `page_pattern`, `document_pattern`, `hand_pattern`.
    """
    images: dict[Path, LineImage] = {}
    problems: list[Issue] = []
    lists = _find_lists(settings)
    for entry in lists:
        try:
            rows, faults = read_list(entry.path)
        except UnusableInput as error:
            raise UserError(str(error)) from error
        problems += of_part([*faults, *_add_rows(images, entry, rows, settings)], entry.subset)
    if not images:
        first = f": {problems[0].reason} ({problems[0].line})" if problems else ": it has no rows"
        whence = f"relative paths in it count from {format_bases(lists[0].bases)}, which data.root sets"
        raise UserError(f"{lists[0].path} names no usable line image{first}; {whence}")
    return SourceContents(make_line_pages(list(images.values()), settings), tuple(problems), name_stated_parts(lists))


def _find_lists(settings: SourceSettings) -> list[ListFile]:
    """Raise `UserError` where there is none, and names results of a recogniser that lie there instead."""
    try:
        return find_list_files(settings, LIST_NAMES, [WHOLE_LIST])
    except UserError as error:
        results = (Path(root).expanduser() / name for root in settings.root for name in RESULT_NAMES)
        found = next((path for path in results if path.is_file()), None)
        if found is None:
            raise
        raise UserError(
            f"{error}; {found} holds what a recogniser read: data.train={found} with data.min_confidence=0.9 trains on "
            "what it was sure of"
        ) from None


def _add_rows(
    images: dict[Path, LineImage], entry: ListFile, rows: list[ListRow], settings: SourceSettings
) -> list[Issue]:
    """Add the rows whose image exists and is not yet named; what is wrong with the others."""
    problems = []
    resolved = [(row, resolve_path(row.image, entry.bases)) for row in rows]
    named = make_relative_paths([path for _, path in resolved if path], entry.bases)
    for row, path in resolved:
        where = f"row {row.number}"
        if path is None:
            where_to = (
                f"relative paths count from {format_bases(entry.bases)}: put it there, or set data.root to the "
                "folder of "
                "the paths"
            )
            # Results of pages name line images that only Loghi's cutter makes.
            remedy = f"{where_to}; readings of pages are trained on as predict.format=xml" if row.reader else where_to
            reason = f"the image {row.image} does not exist; {remedy}"
            problems.append(Issue(str(entry.path), where, reason, "missing_image"))
        elif not is_selected(named[path], settings.include, settings.exclude):
            continue
        elif path in images and (row.reader is not None or images[path].reader is None):
            problems.append(
                Issue(
                    str(entry.path),
                    where,
                    f"the image {row.image} is already used: {_describe_use(images[path])}",
                    "second_transcription",
                )
            )
        else:
            weight = row.weight if row.weight is not None and 0 <= row.weight <= 1 else None
            images[path] = LineImage(
                path, named[path], entry.path, row.text, row.spans, weight, entry.subset, row.reader
            )
    return problems


def _describe_use(line: LineImage) -> str:
    return f"named before in {line.source.name}"
