"""What other programs call a thing: their options and variables, from the tables of docs/coming-from.md, and other
names of a group's files, from the files themselves."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

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


def counterparts(page: Path) -> Iterator[Counterpart]:
    """The rows of all tables of a page; none where it is not there, as in an installed package."""
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


def answer(name: str, page: Path) -> str:
    """What an option or a variable of another program is here, as one sentence; empty where no table has it."""
    wanted = _plain(name)
    rows = [row for row in counterparts(page) if any(_is_named(name, wanted, one) for one in row.names)]
    if not rows:
        return ""
    more = "" if len(rows) <= MOST_ANSWERS else f"; and in {len(rows) - MOST_ANSWERS} more"
    return f"{name} is {'; '.join(map(_told, rows[:MOST_ANSWERS]))}{more}. docs/coming-from.md has all such options."


def choice_called(name: str, conf: Path, group: str) -> str | None:
    """The file of a group that is also called so, in its own header; None where there is none."""
    wanted = {_plain(name), _plain(name.rpartition(".")[2])}
    for path in sorted(conf.joinpath(group).glob("*.yaml")):
        names = [path.stem, *(one.strip() for line in _also_called(path) for one in line.split(","))]
        if wanted & {_plain(one) for one in names}:
            return path.stem
    return None


def _also_called(path: Path) -> list[str]:
    return ALSO_CALLED.findall(path.read_text(encoding="utf-8"))


def _is_named(name: str, wanted: str, other: str) -> bool:
    """An option by its very letter, since -r and -R differ; longer names whatever joins their words."""
    return name == other if re.fullmatch(r"-\w", name) else bool(wanted) and len(wanted) > 1 and wanted == _plain(other)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9+]", "", name.lower())


def _told(row: Counterpart) -> str:
    if not row.typed:
        return f"an option of {row.program}: {row.note[:1].lower()}{row.note[1:]}"
    note = f" ({row.note})" if row.note else ""
    return f"{row.typed} here, if that of {row.program} is meant{note}"
