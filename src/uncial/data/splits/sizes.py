"""What a person should hear of the sizes of the parts: which are empty, and which far from what was asked."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from uncial.data.splits.groups import PARTS
from uncial.document import Page

FAR_FACTOR = 1.5
"""How many times as much, or as little, as was asked is far from it."""


def count_asked_lines(total: int, shares: Sequence[float]) -> list[float]:
    """Return how many of `total` lines each part is to have."""
    return [total * share / sum(shares) for share in shares]


def is_far(lines: Sequence[int], asked: Sequence[float]) -> bool:
    """Return whether a part has several times the lines that were asked, or as many times fewer."""
    return any(
        got >= FAR_FACTOR * wanted or wanted >= FAR_FACTOR * got for got, wanted in zip(lines, asked, strict=True)
    )


DEFAULT_FOLDS = 5
LARGE_SHARE = 0.15
"""Of all lines: what a single group has that keeps the others from coming near to the shares."""


class Group(Protocol):
    """Pages that lie on one side."""

    @property
    def pages(self) -> tuple[Page, ...]: ...

    @property
    def key(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Division:
    """Groups of pages by `by` (page, document or hand), the lines of each, and the part or fold that `rule` sent it
    to."""

    by: str
    rule: str
    groups: Sequence[Group]
    lines: Sequence[int]
    sides: Sequence[str]

    def lines_of(self, side: str) -> int:
        return sum(lines for lines, own in zip(self.lines, self.sides, strict=True) if own == side)

    @property
    def has_finer(self) -> bool:
        """Whether the groups hold more pages than there are groups, so that a split by page divides them."""
        pages = {page.group or page.id for group in self.groups for page in group.pages}
        return self.by != "page" and len(pages) > len(self.groups)


def explain_empty_parts(division: Division, empty: Collection[str]) -> dict[str, str]:
    """Why these parts are empty, by part."""
    if not empty:
        return {}
    groups, by = division.groups, division.by
    number = f"one {by} ({groups[0].key})" if len(groups) == 1 else f"{len(groups)} {by}s"
    missing = [part for part in PARTS if part in empty]
    parts = f"the part {missing[0]} is" if len(missing) == 1 else f"the parts {' and '.join(missing)} are"
    remedies = [f"add {by}s", f"name one with data.{missing[0]}"]
    if division.has_finer:
        remedies.append("divide by page with data.split=page")
    elif by == "page" and any(page.group for group in groups for page in group.pages):
        remedies.append("say with data.page_pattern which line images are of one page")
    sentence = f"data.split={by}: the data to be split are {number}, so {parts} empty; {', or '.join(remedies)}"
    return dict.fromkeys(missing, sentence)


def warn_of_uneven_parts(division: Division, shares: Mapping[str, float]) -> tuple[str, ...]:
    """Return a warning where parts have far more or far fewer lines than was asked."""
    parts = [part for part in PARTS if part in division.sides]
    total = sum(division.lines)
    lines = [division.lines_of(part) for part in parts]
    asked = count_asked_lines(total, [shares[part] for part in parts]) if all(shares[part] for part in parts) else []
    if len(parts) < 2 or not asked or not is_far(lines, asked):
        return ()
    wanted, got = ([_format_percent(one, total) for one in figures] for figures in (asked, lines))
    counted = _join_words([f"{count:,}" for count in lines])
    return (
        f"{_join_words(parts)} hold {_join_words(got)} % of the lines ({counted}), where "
        f"{_join_words(wanted)} % were asked: "
        f"{_explain_unevenness(division, total)}; {_suggest_remedy(division, folds=None)}",
    )


def warn_of_uneven_folds(division: Division, folds: int) -> tuple[str, ...]:
    """Return a warning where a fold has far more or far fewer lines than the others."""
    lines = [division.lines_of(str(fold)) for fold in range(folds)]
    total = sum(lines)
    if not is_far(lines, [total / folds] * folds):
        return ()
    return (
        f"data.folds={folds}: the folds hold {_join_words([f'{count:,}' for count in lines])} lines, where "
        f"{total / folds:,.0f} each were asked: {_explain_unevenness(division, total)}; "
        f"{_suggest_remedy(division, folds)}",
    )


def _explain_unevenness(division: Division, total: int) -> str:
    """Groups are few, or one of them is large."""
    largest = max(range(len(division.lines)), key=division.lines.__getitem__)
    number = f"{len(division.groups)} {division.by}{'' if len(division.groups) == 1 else 's'}"
    share = division.lines[largest] / max(total, 1)
    if share > max(2 / len(division.groups), LARGE_SHARE):
        return f"of {number} {division.groups[largest].key} alone holds {share:.0%} of them"
    return f"there are {number} to divide"


def _suggest_remedy(division: Division, folds: int | None) -> str:
    if division.has_finer:
        return "data.split=page divides them by page"
    if division.rule == "hash":
        return "data.split_rule=quantile comes nearer"
    pool = len(division.groups) - list(division.sides).count("test")
    if folds is None and pool >= 2:
        typed = f"-m sweep=folds data.folds={min(DEFAULT_FOLDS, pool)}"
        return f"add {division.by}s, or validate on all of them in turn with {typed}"
    return f"add {division.by}s" if folds in (None, 2) else f"add {division.by}s, or ask for fewer folds"


def _format_percent(lines: float, total: int) -> str:
    return f"{100 * lines / max(total, 1):.0f}"


def _join_words(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
