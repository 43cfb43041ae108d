"""Identifiers of lines and regions that are there and unique even where the file's are not, and in which order."""

import re
from collections.abc import Iterable, Sequence
from typing import Protocol

from uncial.document import TextLine


class PlacedLine(Protocol):
    """A line of a file's layout. `is_ordered` says whether the file states its place among the others."""

    @property
    def id(self) -> str: ...

    @property
    def is_ordered(self) -> bool: ...


def make_identifiers_unique(stated: Sequence[str | None], word: str) -> list[str]:
    """One identifier each, in document order, the same whenever the file is read.

    The first of several equal ones keeps it, the others become `id~2`, `id~3`; a missing one is made from its place:
    `line_0007` is the seventh line of the file.
    """
    taken = {identifier for identifier in stated if identifier}
    used: set[str] = set()
    result = []
    for place, identifier in enumerate(stated, start=1):
        if not identifier:
            identifier = _find_free(f"{word}_{place:04d}", taken | used)
        elif identifier in used:
            identifier = _find_free(identifier, taken | used)
        used.add(identifier)
        result.append(identifier)
    return result


def count_generated(stated: Sequence[str | None], unique: Sequence[str]) -> int:
    """Return how many identifiers differ from what the file states."""
    return sum(own != made for own, made in zip(stated, unique, strict=True))


def read_stated_order(layout: Iterable[PlacedLine], lines: Iterable[TextLine]) -> tuple[str, ...]:
    """Return the ids of those lines, which are in reading order, whose place the file states."""
    ordered = {line.id for line in layout if line.is_ordered}
    return tuple(line.id for line in lines if line.id in ordered)


def _find_free(wish: str, taken: set[str]) -> str:
    count, candidate = 1, wish
    while candidate in taken:
        count += 1
        candidate = f"{wish}~{count}"
    return candidate


def make_identifier(stated: str, otherwise: str) -> str:
    """Return the id where XML allows it; else what is left of it, made unique by `otherwise`."""
    if re.fullmatch(r"[A-Za-z_][\w.\-]*", stated, re.ASCII):
        return stated
    return f"{otherwise}_{re.sub(r'[^A-Za-z0-9_.-]+', '_', stated)}"
