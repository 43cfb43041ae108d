"""What other programs call a thing: their options and variables, from the tables of docs/coming-from.md, and other
names of a group's files, from the files themselves."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from uncial.config.location import is_installed

ALSO_CALLED = re.compile(r"^# Also called: (.+?)\.?$", re.MULTILINE)
SPAN = re.compile(r"`([^`]+)`")
MOST_ANSWERS = 3
"""Programs that are named where an option has other meanings in others."""


@dataclass(frozen=True)
class Counterpart:
    """A row of a table: what a program calls it, and what is typed here; `note` says more, or why there is nothing."""

    program: str
    names: tuple[str, ...]
    typed: str
    note: str


def read_counterparts(page: Path) -> Iterator[Counterpart]:
    """Yield the rows of all tables of a page; none where it is not there, as in an installed package."""
    program, was_row = "", False
    for line in page.read_text(encoding="utf-8").splitlines() if page.is_file() else ():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")] if line.startswith("|") else []
        if not cells:
            was_row = False
        elif not was_row:
            program, was_row = cells[0].replace("`", ""), True
        elif not set(cells[0]) <= set("-: "):
            note = re.sub(r"\s+", " ", " ".join(cells[2:]).replace("`", "")).strip()
            yield Counterpart(program, tuple(SPAN.findall(cells[0])), ", ".join(SPAN.findall(cells[1])), note)


def describe_counterpart(name: str, page: Path) -> str:
    """Return what an option or a variable of another program is here, as one sentence; empty where no table has it."""
    wanted = _to_plain(name)
    same: dict[str, list[Counterpart]] = {}
    for row in read_counterparts(page):
        if any(_is_named(name, wanted, one) for one in row.names):
            same.setdefault(row.typed or row.note, []).append(row)
    if not same:
        return ""
    told = [_format_counterpart(rows) for rows in list(same.values())[:MOST_ANSWERS]]
    more = "" if len(same) <= MOST_ANSWERS else f"; and in {len(same) - MOST_ANSWERS} more"
    return (
        f"{name} is {'; '.join(told)}{more}. {page if is_installed() else 'docs/coming-from.md'} has all such options."
    )


def find_choice_called(name: str, conf: Path, group: str) -> str | None:
    """Return the file of a group that is also called so, in its own header; None where there is none."""
    wanted = {_to_plain(name), _to_plain(name.rpartition(".")[2])}
    for path in sorted(conf.joinpath(group).glob("*.yaml")):
        names = [path.stem, *(one.strip() for line in _list_other_names(path) for one in line.split(","))]
        if wanted & {_to_plain(one) for one in names}:
            return path.stem
    return None


def _list_other_names(path: Path) -> list[str]:
    return ALSO_CALLED.findall(path.read_text(encoding="utf-8"))


def _is_named(name: str, wanted: str, other: str) -> bool:
    """Return an option by its very letter, since -r and -R differ; longer names whatever joins their words."""
    return (
        name == other if re.fullmatch(r"-\w", name) else bool(wanted) and len(wanted) > 1 and wanted == _to_plain(other)
    )


def _to_plain(name: str) -> str:
    return re.sub(r"[^a-z0-9+]", "", name.lower())


def _format_counterpart(rows: Sequence[Counterpart]) -> str:
    """Rows that say the same, with the note of the first that has one."""
    *others, last = dict.fromkeys(row.program for row in rows)
    programs = f"{', '.join(others)} or {last}" if others else last
    note = next((row.note for row in rows if row.note), "")
    if not rows[0].typed:
        return f"an option of {programs}: {note[:1].lower()}{note[1:]}"
    return f"{rows[0].typed} here, if that of {programs} is meant{f' ({note})' if note else ''}"
