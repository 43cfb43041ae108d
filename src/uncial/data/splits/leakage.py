"""The proof that a split keeps its sides apart: what each of them holds, and what two of them share."""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from uncial.data.pages.store import PageStore
from uncial.data.store.store import Store

KINDS = ("page", "image", "document", "hand")
MAX_SHOWN = 3


@dataclass(frozen=True, slots=True)
class SplitLeakage:
    """What the parts of a split hold and have in common, by kind: page, image, document, hand.

    A page is that which the lines were cut from, also where each line is a file. An image is one content, under however
    many names. Documents and hands that nothing names do not count. `counts` are numbers by part and kind; `shared`
    names what two parts both hold, by (part, part) and kind.
    """

    counts: Mapping[str, Mapping[str, int]]
    shared: Mapping[tuple[str, str], Mapping[str, tuple[str, ...]]]

    def leaks(self, by: str) -> tuple[str, ...]:
        """Return a sentence for each kind that lies on two sides and must not: pages and images, and `by` (page,
        document or hand), by which the data were split. None where the split is proved to be clean.
        """
        told = []
        for (one, other), kinds in self.shared.items():
            for kind, names in kinds.items():
                if names and kind in ("page", "image", by):
                    more = f" and {len(names) - MAX_SHOWN:,} more" if len(names) > MAX_SHOWN else ""
                    told.append(
                        f"{_count(len(names), kind)} of {one} in {other} too: {', '.join(names[:MAX_SHOWN])}{more}"
                    )
        return tuple(told)

    def sentence(self, by: str) -> str:
        """Return in one sentence what was compared and what was found."""
        parts = [
            f"{part} {', '.join(_count(number, kind) for kind, number in counts.items() if number)}"
            for part, counts in self.counts.items()
            if counts["page"]
        ]
        verdict = (
            "; ".join(self.leaks(by)) or f"no page, no image{'' if by == 'page' else f' and no {by}'} on two sides"
        )
        return f"{'; '.join(parts)}: {verdict}"

    def to_json(self) -> dict[str, Any]:
        """Return plain types: the counts by part, and the numbers of what two parts share."""
        shared = {
            f"{one} and {other}": {kind: len(names) for kind, names in kinds.items()}
            for (one, other), kinds in self.shared.items()
        }
        return {"counts": {part: dict(counts) for part, counts in self.counts.items()}, "shared": shared}


def find_leakage(store: Store | PageStore, rows: Mapping[str, np.ndarray]) -> SplitLeakage:
    """Compare the lines, or pages, of the parts, `rows` (N,) of the store each, as they are used."""
    columns = {name: store.column(name) for name in ("page", "group", "image_hash", "document", "hand")}
    columns["page"] = [group or page for page, group in zip(columns["page"], columns["group"], strict=True)]
    columns["image"] = columns["image_hash"]
    held = {
        part: {kind: {columns[kind][row] for row in chosen.tolist()} - {""} for kind in KINDS}
        for part, chosen in rows.items()
    }
    counts = {part: {kind: len(names) for kind, names in kinds.items()} for part, kinds in held.items()}
    shared = {
        (one, other): {kind: _sort_names(held[one][kind] & held[other][kind]) for kind in KINDS}
        for one, other in combinations(held, 2)
    }
    return SplitLeakage(counts, shared)


def _sort_names(names: Set[str]) -> tuple[str, ...]:
    return tuple(sorted(names))


def _count(count: int, kind: str) -> str:
    return f"{count:,} {kind}{'' if count == 1 else 's'}"
