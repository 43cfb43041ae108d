"""Which types of regions are learned: the file's own words, renamed or merged by a table.

model.regions=null                                     the file's words, without `#1`, `#2` …, which number areas
model.regions='{MainZone: [text, paragraph]}'          text and paragraph are MainZone
model.regions='{StampZone: null}'                      none of that type is learned
model.regions='[MainZone:text,paragraph]'              the same in Laypa's way (`a:b,c`)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from uncial.data.pages.shapes import PageShapes
from uncial.document import Page
from uncial.errors import UserError

UNTYPED = "text"
"""What a region is called whose file says no type."""


@dataclass(frozen=True)
class RegionTypes:
    """`names` holds what words of the file are called, None for those that are not learned; others stay as they are."""

    names: Mapping[str, str | None] = field(default_factory=dict)

    def find_name(self, word: str | None) -> str | None:
        """Return what a region of this type is called; None where it is not learned."""
        if word and word in self.names:
            return self.names[word]
        plain = (word or UNTYPED).partition("#")[0] or UNTYPED
        return self.names.get(plain, plain)

    def rename_shapes(self, shapes: PageShapes) -> PageShapes:
        """Return the shapes with their regions under these names."""
        named = [(self.find_name(region.type), region) for region in shapes.regions]
        return replace(shapes, regions=tuple(replace(region, type=name) for name, region in named if name is not None))

    def rename_page(self, page: Page) -> Page:
        """Return the page with its regions under these names."""
        named = [(self.find_name(region.type), region) for region in page.regions]
        return replace(page, regions=tuple(replace(region, type=name) for name, region in named if name is not None))


def parse_region_types(value: Any, key: str = "model.regions") -> RegionTypes:
    """Return the table that a config gives. Raises `UserError` for what is none, and for a word that is given two
    names."""
    names: dict[str, str | None] = {}
    for new, olds in _iterate_rules(value, key):
        for old in olds:
            wanted = old if new is None else new
            if names.setdefault(old, None if new is None else wanted) != (None if new is None else wanted):
                raise UserError(f"{key} gives {old} two names, {names[old]} and {new}: leave one of them out.")
    return RegionTypes(names)


def _iterate_rules(value: Any, key: str) -> list[tuple[str | None, list[str]]]:
    if value is None:
        return []
    if isinstance(value, str):
        return [_split_rule(value, key)]
    if isinstance(value, Mapping):
        return [
            (None, [str(new)]) if olds is None else (str(new), _list_words(olds, key)) for new, olds in value.items()
        ]
    if isinstance(value, Sequence):
        return [rule for one in _join_rules(value) for rule in _iterate_rules(one, key)]
    raise UserError(_explain(value, key))


def _join_rules(listed: Sequence[Any]) -> list[Any]:
    """Return a list in which rules are whole again that were divided at their commas: [a:b,c] is typed for [a:b, c]."""
    joined: list[Any] = []
    for one in listed:
        if joined and isinstance(one, str) and isinstance(joined[-1], str) and ":" not in one:
            joined[-1] += f",{one}"
        else:
            joined.append(one)
    return joined


def _split_rule(rule: str, key: str) -> tuple[str, list[str]]:
    new, colon, olds = rule.partition(":")
    words = [word.strip() for word in olds.split(",") if word.strip()]
    if not colon or not new.strip() or not words:
        raise UserError(_explain(rule, key))
    return new.strip(), words


def _list_words(olds: Any, key: str) -> list[str]:
    words = [olds] if isinstance(olds, str) else olds
    if not isinstance(words, Sequence) or not all(isinstance(word, str) for word in words):
        raise UserError(_explain(olds, key))
    return list(words)


def _explain(value: Any, key: str) -> str:
    return (
        f"{key}={value}: a table is needed, '{{MainZone: [text, paragraph], StampZone: null}}', or Laypa's "
        "'[MainZone:text,paragraph]'."
    )
