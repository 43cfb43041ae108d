"""Tables in Markdown whose cells may hold any text."""

import re
from collections.abc import Iterable, Sequence

from uncial.reports.terminal.formatting import visible


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of GitHub's Markdown, the first column to the left and the others to the right."""
    rule = ["---", *("---:" for _ in header[1:])]
    return "\n".join(_row(cells) for cells in (header, rule, *([cell(text) for text in row] for row in rows)))


def cell(text: str) -> str:
    """Return text that shows as it is in a cell: what Markdown or HTML would take for markup is escaped."""
    return re.sub(r"([\\|`*_<>\[\]&#~])", r"\\\1", visible(text))


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
