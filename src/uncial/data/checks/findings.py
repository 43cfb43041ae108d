"""What checks see of the data and what they say of it: compiled lines with their measures, and findings."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import numpy as np

from uncial.data.checks.measures import Measures
from uncial.data.ground_truth import GroundTruth
from uncial.data.store.store import Store
from uncial.document import Page

Severity = Literal["information", "warning", "error"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
"""From the least to the gravest: what is good to know, what should be looked at, what cannot stay."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to know about the data.

    `kind` is a short name to filter by, for instance `missing_image` or `duplicate_line`. `file` and `line` say where
    it is, empty where it concerns all of the data; `remedy` what to do. `row` is the line's row in the compiled store,
    for its picture, and None where there is none.
    """

    severity: Severity
    kind: str
    message: str
    file: str = ""
    line: str = ""
    remedy: str = ""
    row: int | None = None


@dataclass(frozen=True, slots=True)
class CheckedLine:
    """A row of the store. `file` is what a person opens to mend it, `sheet` the page it stands on or was cut from,
    `text` the ground truth as the file has it."""

    row: int
    line: str
    file: str
    page: str
    sheet: str
    hand: str
    part: str
    text: str


@dataclass(frozen=True)
class CheckedData:
    """`pages` are empty where the data are a compiled store."""

    store: Store
    lines: Sequence[CheckedLine]
    measures: Measures
    pages: Sequence[Page]

    @cached_property
    def lengths(self) -> np.ndarray:
        """(n,): characters of each line, outer white space left out."""
        return np.array([len(line.text.strip()) for line in self.lines], dtype=np.int64)

    @cached_property
    def by_hand(self) -> Mapping[str, np.ndarray]:
        """The rows of each hand."""
        return self._grouped([line.hand for line in self.lines])

    @cached_property
    def by_sheet(self) -> Mapping[str, np.ndarray]:
        """The rows of each page, for line images of the page that they were cut from."""
        return self._grouped([line.sheet for line in self.lines])

    @cached_property
    def part_of_page(self) -> Mapping[str, str]:
        """The part of each page that has compiled lines."""
        return {line.page: line.part for line in self.lines}

    def finding(self, row: int, severity: Severity, kind: str, message: str, remedy: str) -> Finding:
        """Return a finding about one line."""
        line = self.lines[row]
        return Finding(severity, kind, message, line.file, line.line, remedy, row)

    def where(self, row: int) -> str:
        """Return a line as a message about another one names it."""
        line = self.lines[row]
        return f"line {line.line} of {line.page}"

    def _grouped(self, keys: Sequence[str]) -> dict[str, np.ndarray]:
        rows: dict[str, list[int]] = {}
        for row, key in enumerate(keys):
            rows.setdefault(key, []).append(row)
        return {key: np.array(members) for key, members in rows.items()}


def collect_checked_lines(truth: GroundTruth) -> Iterator[CheckedLine]:
    """Yield the rows of the store with the files that they come from."""
    files = {page.id: str(page.source) for page in truth.pages}
    parts = {int(row): part for part, rows in truth.rows.items() for row in rows}
    names = ("page", "line", "group", "hand", "document", "text")
    for row, (page, line, group, hand, document, text) in enumerate(
        zip(*(truth.store.column(name) for name in names), strict=True)
    ):
        file = files.get(page, str(truth.store.path))
        yield CheckedLine(row, line, file, page, group or page, hand or document, parts.get(row, ""), text)
