"""Loghi's training lists: `image<TAB>text` or `image<TAB>weight<TAB>text`, a line image a row."""

from dataclasses import dataclass
from pathlib import Path

from uncial.document import Issue, TextSpan
from uncial.formats.encoding import read_utf8, rows
from uncial.formats.lines.results import read_tsv, refuse_results, results_form
from uncial.formats.lines.styles import split_marks

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
    """The rows of a list and what is wrong with the others. Results of a recogniser are rows with a `reader`, whose
    weight is the confidence. Raises `UnusableInput` where the file is not UTF-8."""
    entries: list[ListRow] = []
    problems: list[Issue] = []
    text = read_utf8(path)
    form = results_form(path, text)
    if form == "tsv":
        return _read_results(path)
    if form is not None:
        refuse_results(path, text)
    for number, row in rows(text):
        fields = row.split("\t")
        fault = _fault(fields)
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


def _fault(fields: list[str]) -> str | None:
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
