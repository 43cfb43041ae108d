"""`data=loghi`: the lists that Loghi's scripts write for its recogniser, and the line images that they name."""

from pathlib import Path

from uncial.data.settings import SourceSettings
from uncial.data.sources.finding import selected
from uncial.data.sources.line_pages import LineImage, line_pages
from uncial.data.sources.lists import ListFile, list_files, relatives, resolve, stated_by, where_from
from uncial.errors import LineError, UserError
from uncial.formats.loghi import LIST_NAMES, WHOLE_LIST, ListRow, read_list
from uncial.formats.types import Problem, Reading, of_part


def read(settings: SourceSettings) -> Reading:
    """Every row of the lists as a page of one line.

    Style characters become spans of the text; a sample weight between 0 and 1 becomes the line's confidence, which is
    what Loghi's cutter writes there. Images are often RGBA, the alpha being the line's polygon: the image reader lays
    them on paper. An image that two lists name is used in the stricter one. Options: `page_pattern`,
    `document_pattern`, `hand_pattern`.
    """
    images: dict[Path, LineImage] = {}
    problems: list[Problem] = []
    lists = list_files(settings, LIST_NAMES, [WHOLE_LIST])
    for entry in lists:
        try:
            rows, faults = read_list(entry.path)
        except LineError as error:
            raise UserError(str(error)) from error
        problems += of_part([*faults, *_add_rows(images, entry, rows, settings)], entry.subset)
    if not images:
        first = f": {problems[0].reason} ({problems[0].line})" if problems else ": it has no rows"
        whence = f"relative paths in it count from {where_from(lists[0].bases)}, which data.root sets"
        raise UserError(f"{lists[0].path} names no usable line image{first}; {whence}")
    return Reading(line_pages(list(images.values()), settings), tuple(problems), stated_by(lists))


def _add_rows(
    images: dict[Path, LineImage], entry: ListFile, rows: list[ListRow], settings: SourceSettings
) -> list[Problem]:
    """Add the rows whose image exists and is not yet named; what is wrong with the others."""
    problems = []
    resolved = [(row, resolve(row.image, entry.bases)) for row in rows]
    named = relatives([path for _, path in resolved if path], entry.bases)
    for row, path in resolved:
        where = f"row {row.number}"
        if path is None:
            reason = (
                f"the image {row.image} does not exist; relative paths count from {where_from(entry.bases)}: put it "
                "there, or set data.root to the folder of the paths"
            )
            problems.append(Problem(str(entry.path), where, reason, "missing_image"))
        elif not selected(named[path], settings.include, settings.exclude):
            continue
        elif path in images:
            problems.append(
                Problem(
                    str(entry.path),
                    where,
                    f"the image {row.image} is already used: {_use(images[path])}",
                    "second_transcription",
                )
            )
        else:
            weight = row.weight if row.weight is not None and 0 <= row.weight <= 1 else None
            images[path] = LineImage(path, named[path], entry.path, row.text, row.spans, weight, entry.subset)
    return problems


def _use(line: LineImage) -> str:
    return f"named before in {line.source.name}"
