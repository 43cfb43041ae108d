"""Loghi's training layout, read and written: a folder a page with PNG, text and box a line, and the lists that its
recogniser reads."""

import unicodedata
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np

from uncial.document import Issue, TextSpan
from uncial.errors import UserError
from uncial.files import replace_text_file
from uncial.formats.encoding import iterate_rows, read_utf8
from uncial.formats.lines.results import find_results_form, read_tsv, refuse_results
from uncial.formats.lines.styles import split_marks


@dataclass(frozen=True, slots=True)
class ExportLine:
    """A line to write: its strip, (h, w), (h, w, 3) RGB or (h, w, 4) RGBA uint8, and the part it belongs to, if any.

    `text` may hold Loghi's style characters.
    """

    page_id: str
    line_id: str
    text: str
    strip: np.ndarray
    subset: str | None = None


@dataclass(frozen=True, slots=True)
class Exported:
    """How many lines were written, and how many were not for want of a text (Loghi's cutter leaves those out too)."""

    lines: int
    without_text: int


def export(lines: Iterable[ExportLine], folder: Path) -> Exported:
    """Write lines as Loghi's cutter (MinionCutFromImageBasedOnPageXMLNew) and `create-train-data.sh` leave them.

    `folder/PAGE/PAGE-LINE.png`, `.txt` and `.box`, and the lists `training_all.txt`, `training_all_train.txt`,
    `training_all_val.txt` (and `_test` where there is one) with absolute paths, as Loghi wants them. Strips are written
    as they are: what lies outside the polygon is background already, so no alpha is needed, and Loghi adds an opaque
    one. A tab or line break in a text becomes a space. The lists appear when all lines are written.

    Raises `UserError` where the folder cannot be written.
    """
    folder = folder.expanduser().absolute()
    names = _Names()
    counts = {"lines": 0, "without_text": 0}
    with ExitStack() as stack:
        whole = stack.enter_context(replace_text_file(folder / WHOLE_LIST))
        lists: dict[str, TextIO] = {}
        for subset in ("train", "val"):
            lists[subset] = stack.enter_context(replace_text_file(folder / LIST_NAMES[subset][0]))
        for line in lines:
            text = " ".join(_list_rows(line.text))
            if not text.strip():
                counts["without_text"] += 1
                continue
            if line.subset == "test" and "test" not in lists:
                lists["test"] = stack.enter_context(replace_text_file(folder / LIST_NAMES["test"][0]))
            image = names.path(folder, line)
            _write_line(image, line.strip, text)
            row = f"{image}\t{text}\n"
            whole.write(row)
            if line.subset in lists:
                lists[line.subset].write(row)
            counts["lines"] += 1
    return Exported(**counts)


def format_box(text: str, width: int, height: int) -> str:
    """Return the Tesseract box file of a line: every character in the box of the whole line, then the line's end.

    So Loghi writes it (LayoutProc.convertToBoxFile): Tesseract's LSTM needs no more. A row is `character left bottom
    right top page`, in pixels from the bottom left. Combining marks stay with their base.
    """
    characters: list[str] = []
    for character in text:
        if characters and unicodedata.combining(character):
            characters[-1] += character
        else:
            characters.append(character)
    return "".join(f"{character} 0 0 {width} {height} 0\n" for character in [*characters, "\t"])


class _Names:
    """Paths of line images: ids without what a folder or list cannot hold, numbered where two would be the same."""

    def __init__(self) -> None:
        self._pages: dict[str, str] = {}
        self._taken: set[str] = set()

    def path(self, folder: Path, line: ExportLine) -> Path:
        if line.page_id not in self._pages:
            self._pages[line.page_id] = self._free(_make_safe(line.page_id), "")
        page = self._pages[line.page_id]
        name = self._free(f"{page}-{_make_safe(line.line_id)}", f"{page}/")
        return folder / page / f"{name}.png"

    def _free(self, name: str, place: str) -> str:
        candidate, number = name, 2
        while (place + candidate).casefold() in self._taken:
            candidate, number = f"{name}~{number}", number + 1
        self._taken.add((place + candidate).casefold())
        return candidate


def _make_safe(identity: str) -> str:
    """Return an id as part of a file name: folders become `__`, what a name cannot hold `_`, and no name is hidden."""
    flat = "".join(
        "_" if unicodedata.category(c) == "Cc" or c in '\\:*?"<>|' else c for c in identity.replace("/", "__")
    )
    return flat if flat and flat[0] not in ".#" else f"_{flat}"


def _list_rows(text: str) -> list[str]:
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", "\n").split("\n")


def _write_line(image: Path, strip: np.ndarray, text: str) -> None:
    from PIL import Image

    try:
        image.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(strip).save(image, format="PNG", compress_level=1)
        image.with_name(f"{image.stem}.txt").write_text(text, encoding="utf-8", newline="\n")
        height, width = strip.shape[:2]
        image.with_name(f"{image.stem}.box").write_text(format_box(text, width, height), encoding="utf-8", newline="\n")
    except OSError as error:
        raise UserError(
            f"{image} cannot be written ({error.strerror or error}); choose another folder or make room"
        ) from error


LIST_NAMES = {
    "train": ("training_all_train.txt", "train.txt"),
    "val": ("training_all_val.txt", "val.txt", "validation.txt"),
    "test": ("training_all_test.txt", "test.txt"),
}
"""What Loghi's scripts call the lists, the first that exists is taken."""
WHOLE_LIST = "training_all.txt"


@dataclass(frozen=True, slots=True)
class ListRow:
    """One row: the image as the list names it, its text without style characters, and Loghi's sample weight if any."""

    number: int
    image: str
    text: str
    spans: tuple[TextSpan, ...] = ()
    weight: float | None = None
    reader: str | None = None


def read_list(path: Path) -> tuple[list[ListRow], list[Issue]]:
    """Return the rows of a list and what is wrong with the others. Results of a recogniser are rows with a `reader`,
    whose weight is the confidence. Raises `UnusableInput` where the file is not UTF-8."""
    entries: list[ListRow] = []
    problems: list[Issue] = []
    text = read_utf8(path)
    form = find_results_form(path, text)
    if form == "tsv":
        return _read_results(path)
    if form is not None:
        refuse_results(path, text)
    for number, row in iterate_rows(text):
        fields = row.split("\t")
        fault = _describe_fault(fields)
        if fault:
            problems.append(Issue(str(path), f"row {number}", fault))
            continue
        text, spans = split_marks(fields[-1])
        weight = _number(fields[1]) if len(fields) == 3 else None
        entries.append(ListRow(number, fields[0].strip(), text, spans, weight))
    return entries, problems


def _read_results(path: Path) -> tuple[list[ListRow], list[Issue]]:
    found, problems = read_tsv(path)
    entries = []
    for row in found:
        text, spans = split_marks(row.text)
        entries.append(ListRow(row.number, row.image, text, spans, row.confidence, f"a recogniser ({path.name})"))
    return entries, problems


def _describe_fault(fields: list[str]) -> str | None:
    if len(fields) == 1:
        return "has no tab between the image and its text"
    if len(fields) > 3 or (len(fields) == 3 and _number(fields[1]) is None):
        return "is neither image<TAB>text nor image<TAB>weight<TAB>text: a text may hold no tab"
    return None if fields[0].strip() else "names no image"


def _number(field: str) -> float | None:
    try:
        return float(field)
    except ValueError:
        return None
