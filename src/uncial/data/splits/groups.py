"""Pages that must lie on one side of a split, and where the hash puts them."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from uncial.document import Page
from uncial.errors import UserError


@dataclass(frozen=True, slots=True)
class PageGroups:
    """Pages of one group, or with the same image. `position` is the hash of their `key` in [0, 1)."""

    pages: tuple[Page, ...]
    key: str
    position: float


def connect_pages(pages: Sequence[Page], by: str, seed: int, hashes: Mapping[str, str]) -> list[PageGroups]:
    """Return the pages joined by group (`page`, `document` or `hand`) and by image, whose content hashes stand by page
    id. Those joined have the first of their keys in the alphabet.

    Raises `UserError` for another `by`, and for pages without document or hand.
    """
    key_of = _choose_key(by)
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while parent.setdefault(name, name) != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    keys = [f"group\0{key_of(page)}" for page in pages]
    for page, key in zip(pages, keys, strict=True):
        content = hashes.get(page.id)
        if content:
            parent[root(f"image\0{content}")] = root(key)
        if page.group:
            parent[root(f"page\0{page.group}")] = root(key)
    members: dict[str, list[tuple[str, Page]]] = {}
    for page, key in zip(pages, keys, strict=True):
        members.setdefault(root(key), []).append((key.removeprefix("group\0"), page))
    found_together = []
    for found in members.values():
        first = min(key for key, _ in found)
        found_together.append(PageGroups(tuple(page for _, page in found), first, hash_position(first, seed)))
    return sorted(found_together, key=lambda one: one.key)


def hash_position(key: str, seed: int) -> float:
    """Return where a group lies between 0 and 1: the same on every machine and whatever else is in the data."""
    digest = hashlib.sha256(f"{seed}\0{key}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def _choose_key(by: str) -> Callable[[Page], str]:
    def of_page(page: Page) -> str:
        return page.group or page.id

    def of_document(page: Page) -> str:
        return page.document

    def of_hand(page: Page) -> str:
        return page.hand

    keys = {"page": of_page, "document": of_document, "hand": of_hand}
    if by not in keys:
        raise UserError(f"data.split={by}: choose page, document or hand")

    def key(page: Page) -> str:
        name = keys[by](page)
        if not name:
            raise UserError(
                f"data.split={by}: nothing tells the {by} of {page.id}; put each {by} into a folder of its own, "
                f"or name it by a pattern on the path: data.{by}_pattern='([^/]+)/'"
            )
        return name

    return key


PARTS = ("train", "val", "test")
"""From the least to the most strictly kept apart."""


def choose_strictest_part(parts: Iterable[str]) -> str | None:
    """Return the part that is kept apart the most, None of none."""
    return max(parts, key=PARTS.index, default=None)
