"""What a recogniser read, a line a row: Loghi's results (TSV), and JSON lines."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from uncial.document import Issue, Page, Transcription
from uncial.errors import UnusableInput
from uncial.files import replace_text_file
from uncial.formats.encoding import read_utf8


@dataclass(frozen=True, slots=True)
class ResultRow:
    """A row of Loghi's results as read back, and which of the file it is, from 1. `metadata` is empty in the older form
    with three columns."""

    image: str
    confidence: float
    text: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    number: int = field(default=0, compare=False)


def find_results_form(path: Path, text: str) -> Literal["tsv", "jsonl"] | None:
    """Return which form of results a text file holds by its first row, None where it holds something else.

    Loghi's older form, `image<TAB>confidence<TAB>text`, is also that of its lists with weights: where the file is
    called results, it is what was read.
    """
    first = next((row for row in text.split("\n") if row.strip()), "")
    if first.startswith("{"):
        try:
            row = json.loads(first)
        except ValueError:
            return None
        return "jsonl" if isinstance(row, dict) and {"line", "text", "confidence"} <= set(row) else None
    cells = first.split("\t")
    is_new = len(cells) > 3 and cells[1].startswith("{")
    is_old = len(cells) == 3 and path.stem.lower().startswith("results") and _is_number(cells[1])
    return "tsv" if is_new or is_old else None


def holds_results(path: Path) -> bool:
    """Return whether the file is empty or begins as results do, so that writing results there loses nothing else."""
    try:
        with path.open(encoding="utf-8") as file:
            first = next((row for row in file if row.strip()), "")
    except (OSError, UnicodeDecodeError):
        return False
    return not first or find_results_form(path, first) is not None


def refuse_results(path: Path, text: str) -> None:
    """Raise `UnusableInput` where the file holds what a recogniser read, and a list of ground truth is expected."""
    form = find_results_form(path, text)
    if form is None:
        return
    remedy = (
        "read it with data=loghi, data.train=RESULTS and data.min_confidence=0.9, or as a source of data=mixed"
        if form == "tsv"
        else "readings are trained on as PAGE or ALTO (predict.format=xml), or as predict.format=tsv with data=loghi"
    )
    what = "Loghi's results, or those of predict.format=tsv" if form == "tsv" else "results of predict.format=jsonl"
    raise UnusableInput(f"{path}: holds what a recogniser read ({what}), which is no ground truth: {remedy}")


def format_tsv_rows(page: Page) -> list[str]:
    """Return the lines that a model read as rows of Loghi's results, `image<TAB>{}<TAB>confidence<TAB>text`, which its
    tooling merges into PAGE, with the line breaks that end them.

    A tab or line break in a text or name becomes a space, for the form cannot hold it.
    """
    return [
        f"{_format_cell(name_line_image(page, line.id))}\t{{}}\t{read.confidence}\t{_format_cell(read.text)}\n"
        for line in page.lines
        if (read := line.transcription) is not None
    ]


def name_line_image(page: Page, line: str) -> str:
    """Return what Loghi's results call a line: the line image, or for a line of a PAGE or ALTO file the name that
    Loghi's cutter would give its image, `PAGE/PAGE-LINE.png`, by which its merging finds the line
    (MinionLoghiHTRMergePageXML).
    """
    path = page.image.path if page.image else page.source
    if page.source.suffix.lower() != ".xml":
        return str(path)
    name = page.source.stem
    return str(path.parent / name / f"{name}-{line}.png")


def write_rows(path: Path, rows: Iterable[str]) -> None:
    """Write rows with their line breaks, all or none of them."""
    with replace_text_file(path) as file:
        file.writelines(rows)


def read_tsv(path: Path) -> tuple[list[ResultRow], list[Issue]]:
    """Loghi's results in either form, with or without the metadata column, and the rows that are of neither.

    Raises `UnusableInput` where the file cannot be read or is not UTF-8.
    """
    rows: list[ResultRow] = []
    problems: list[Issue] = []
    for number, row in enumerate(read_utf8(path).split("\n"), start=1):
        if not row.strip():
            continue
        try:
            rows.append(replace(_parse(row.removesuffix("\r").split("\t")), number=number))
        except UnusableInput as error:
            problems.append(Issue(str(path), f"row {number}", str(error)))
    return rows, problems


def format_jsonl_rows(page: Page) -> list[str]:
    """Return the lines that a model read as one JSON object each: page, line, source, image, text, confidence, and
    `characters`, with the line breaks that end them.

    A character is `{text, confidence, start, end}`, its place as fractions of the line image's width.
    """
    return [
        json.dumps(_to_object(page, line.id, line.transcription), ensure_ascii=False) + "\n"
        for line in page.lines
        if line.transcription is not None
    ]


def _to_object(page: Page, line: str, read: Transcription) -> dict[str, Any]:
    characters: list[dict[str, Any]] = []
    for i, character in enumerate(read.text):
        entry: dict[str, Any] = {"text": character}
        if i < len(read.character_confidences):
            entry["confidence"] = read.character_confidences[i]
        if i < len(read.positions):
            entry["start"], entry["end"] = read.positions[i]
        characters.append(entry)
    return {
        "page": page.id,
        "line": line,
        "source": str(page.source),
        "image": str(page.image.path) if page.image else "",
        "text": read.text,
        "confidence": read.confidence,
        "characters": characters,
    }


def _parse(cells: list[str]) -> ResultRow:
    metadata: Mapping[str, Any] = {}
    if len(cells) > 2 and cells[1].startswith("{"):
        metadata = _read_metadata(cells[1])
        cells = [cells[0], *cells[2:]]
    if len(cells) == 2:
        cells = [*cells, ""]
    if len(cells) != 3:
        raise UnusableInput("is neither image<TAB>confidence<TAB>text nor image<TAB>{}<TAB>confidence<TAB>text")
    try:
        return ResultRow(cells[0], float(cells[1]), cells[2], metadata)
    except ValueError:
        raise UnusableInput(f"has '{cells[1][:40]}' where the confidence is expected") from None


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _read_metadata(cell: str) -> Mapping[str, Any]:
    try:
        return dict(json.loads(cell))
    except ValueError:
        return {"raw": cell}


def _format_cell(text: str) -> str:
    return text.replace("\t", " ").replace("\r\n", " ").replace("\n", " ").replace("\r", " ")
