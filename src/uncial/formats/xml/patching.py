"""A changed XML tree as text in which whatever was not changed stands as its author wrote it.

Serialising a whole tree would rewrap attributes and lose the spelling of empty elements, entities and quotes.
"""

import re
from collections.abc import Iterator

from lxml import etree

TOKEN = re.compile(
    r"<!--.*?-->|<\?.*?\?>|<!\[CDATA\[.*?\]\]>|<(?P<end>/?)(?:\"[^\"]*\"|'[^']*'|[^\"'>])*?(?P<empty>/?)>", re.DOTALL
)

Extent = tuple[int, int, int]
"""Where an element begins, where its first tag ends, and where the element ends."""


def patched(original: str, before: etree._Element, after: etree._Element) -> str:
    """`original`, whose root is `before`, with each element that differs in `after` written anew."""
    extents = dict(zip(before.iter(etree.Element), _extents(original), strict=True))
    line_break = "\r\n" if "\r\n" in original else "\n"
    pieces, place = [], 0
    for old, new in _changes(before, after):
        start, content, end = extents[old]
        first_tag, rest = _written(new)
        if old.items() == new.items() and content < end and len(new):
            first_tag = original[start:content]
        pieces += [original[place:start], (first_tag + rest).replace("\r\n", "\n").replace("\n", line_break)]
        place = end
    return "".join([*pieces, original[place:]])


def _extents(text: str) -> list[Extent]:
    """The elements in document order."""
    extents: list[Extent] = []
    still_open: list[int] = []
    for token in TOKEN.finditer(text):
        if token["end"] is None:
            continue
        if token["end"]:
            place = still_open.pop()
            extents[place] = (*extents[place][:2], token.end())
            continue
        extents.append((token.start(), token.end(), token.end()))
        if not token["empty"]:
            still_open.append(len(extents) - 1)
    return extents


def _changes(old: etree._Element, new: etree._Element) -> Iterator[tuple[etree._Element, etree._Element]]:
    """The smallest elements that hold all differences, in document order."""
    if not _same_shell(old, new):
        yield old, new
        return
    for old_child, new_child in zip(old, new, strict=True):
        if isinstance(old_child.tag, str):
            yield from _changes(old_child, new_child)


def _same_shell(old: etree._Element, new: etree._Element) -> bool:
    """Whether two elements differ in nothing but what is inside their child elements."""
    if old.tag != new.tag or old.text != new.text or len(old) != len(new) or old.items() != new.items():
        return False
    for one, other in zip(old, new, strict=True):
        if one.tag != other.tag or one.tail != other.tail:
            return False
        if not isinstance(one.tag, str) and one.text != other.text:
            return False
    return True


def _written(element: etree._Element) -> tuple[str, str]:
    """The first tag, without the namespace declarations of the elements around it, and what comes after it."""
    text = etree.tostring(element, encoding="unicode", with_tail=False)
    parent = element.getparent()
    end_of_tag = text.index(">") + 1
    tag = text[:end_of_tag]
    for prefix, uri in (parent.nsmap if parent is not None else {}).items():
        tag = tag.replace(f' xmlns{":" + prefix if prefix else ""}="{uri}"', "", 1)
    return tag, text[end_of_tag:]
