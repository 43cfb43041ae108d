"""Label files, which name a line image and its text on each row, and manifests, which name a path or glob a row."""

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path

from uncial.document import Issue
from uncial.formats.encoding import iterate_rows, read_utf8
from uncial.formats.lines.results import refuse_results

LABEL_FILES = ("labels.txt", "labels.tsv", "labels.csv", "gt.txt", "gt.tsv", "gt.csv")

_FIRST_DELIMITER = re.compile(r'\s*(?:"(?:[^"]|"")*"|[^",;\t\r\n]*)\s*([,;\t])')
"""What follows the first cell: counting would take the commas of a text for separators."""

_NAME_HEADERS = frozenset({"name", "image", "img", "file", "filename", "file_name", "image_name", "path", "image_path"})
_TEXT_HEADERS = frozenset({"text", "label", "labels", "transcription", "gt", "ground_truth", "words", "sentence"})


@dataclass(frozen=True, slots=True)
class Label:
    """One row: the image's name as written, with or without a suffix, and the text."""

    number: int
    name: str
    text: str


def read_labels(path: Path) -> tuple[list[Label], list[Issue]]:
    """Return the rows of a label file and what is wrong with the others. Raises `UnusableInput` where the file is not
    UTF-8, or holds what a recogniser read.

    `.csv` is read as CSV, quotes and a header row included, separated by comma, semicolon or tab. In other files the
    tab separates where every row has one, so that names may hold spaces; else the first space or tab (Thulium's form).
    """
    text = read_utf8(path)
    refuse_results(path, text)
    return _read_csv(path, text) if path.suffix.lower() == ".csv" else _read_rows(path, text)


def _read_rows(path: Path, text: str) -> tuple[list[Label], list[Issue]]:
    labels: list[Label] = []
    problems: list[Issue] = []
    numbered = iterate_rows(text)
    tabbed = path.suffix.lower() == ".tsv" or all("\t" in row for _, row in numbered)
    for number, row in numbered:
        name, *rest = row.split("\t", 1) if tabbed else re.split("[ \t]", row.lstrip(" "), maxsplit=1)
        if not labels and tabbed and rest and _is_header([name, rest[0]]):
            continue
        if not rest:
            problems.append(
                Issue(str(path), f"row {number}", f"has no text after the name '{name.strip()}'", "empty_text")
            )
        elif not name.strip():
            problems.append(Issue(str(path), f"row {number}", "names no image", "missing_image"))
        else:
            labels.append(Label(number, name.strip(), rest[0]))
    return labels, problems


def _read_csv(path: Path, text: str) -> tuple[list[Label], list[Issue]]:
    found = _FIRST_DELIMITER.match(text)
    delimiter = found.group(1) if found else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    labels: list[Label] = []
    problems: list[Issue] = []
    columns, width = (0, 1), 2
    try:
        for number, row in enumerate(reader, start=1):
            if number == 1 and _is_header(row):
                columns, width = _find_header_columns(row), len(row)
            elif not any(cell.strip() for cell in row):
                continue
            elif len(row) < width or any(row[width:]):
                reason = f"has {len(row)} columns instead of {width}: quote a text that holds '{delimiter}'"
                problems.append(Issue(str(path), f"row {reader.line_num}", reason))
            elif not row[columns[0]].strip():
                problems.append(Issue(str(path), f"row {reader.line_num}", "names no image", "missing_image"))
            else:
                labels.append(Label(reader.line_num, row[columns[0]].strip(), row[columns[1]]))
    except csv.Error as error:
        problems.append(Issue(str(path), f"row {reader.line_num}", f"cannot be read as CSV ({error})"))
    return labels, problems


def _is_header(row: list[str]) -> bool:
    cells = {cell.strip().lower() for cell in row}
    return bool(cells & _NAME_HEADERS) and bool(cells & _TEXT_HEADERS)


def _find_header_columns(row: list[str]) -> tuple[int, int]:
    cells = [cell.strip().lower() for cell in row]
    name = next(i for i, cell in enumerate(cells) if cell in _NAME_HEADERS)
    return name, next(i for i, cell in enumerate(cells) if cell in _TEXT_HEADERS)


def read_manifest(path: Path) -> list[tuple[int, str]]:
    """Return the rows of a manifest with their numbers; blank rows and `#` comments are left out.

    Raises `UnusableInput` where the file cannot be read, is not UTF-8, or holds what a recogniser read.
    """
    text = read_utf8(path)
    refuse_results(path, text)
    return [(number, row.strip()) for number, row in iterate_rows(text)]
