"""Changing a parsed XML file so that everything else in it stays as it was written, and saving it."""

import codecs
import re
from collections.abc import Iterator
from pathlib import Path

from lxml import etree

from uncial.errors import UnusableInput, UserError
from uncial.files import replace_file
from uncial.formats.xml.parsing import parse

TOKEN = re.compile(
    r"<!--.*?-->|<\?.*?\?>|<!\[CDATA\[.*?\]\]>|<(?P<end>/?)(?:\"[^\"]*\"|'[^']*'|[^\"'>])*?(?P<empty>/?)>", re.DOTALL
)

Extent = tuple[int, int, int]
"""Where an element begins, where its first tag ends, and where the element ends."""


def patch(original: str, before: etree._Element, after: etree._Element) -> str:
    """`original`, whose root is `before`, with each element that differs in `after` written anew."""
    extents = dict(zip(before.iter(etree.Element), _find_extents(original), strict=True))
    line_break = "\r\n" if "\r\n" in original else "\n"
    pieces, place = [], 0
    for old, new in _list_changes(before, after):
        start, content, end = extents[old]
        first_tag, rest = _write_element(new)
        if old.items() == new.items() and content < end and len(new):
            first_tag = original[start:content]
        pieces += [original[place:start], (first_tag + rest).replace("\r\n", "\n").replace("\n", line_break)]
        place = end
    return "".join([*pieces, original[place:]])


def _find_extents(text: str) -> list[Extent]:
    """Return the elements in document order."""
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


def _list_changes(old: etree._Element, new: etree._Element) -> Iterator[tuple[etree._Element, etree._Element]]:
    """Yield the smallest elements that hold all differences, in document order."""
    if not _is_same_shell(old, new):
        yield old, new
        return
    for old_child, new_child in zip(old, new, strict=True):
        if isinstance(old_child.tag, str):
            yield from _list_changes(old_child, new_child)


def _is_same_shell(old: etree._Element, new: etree._Element) -> bool:
    """Return whether two elements differ in nothing but what is inside their child elements."""
    if old.tag != new.tag or old.text != new.text or len(old) != len(new) or old.items() != new.items():
        return False
    for one, other in zip(old, new, strict=True):
        if one.tag != other.tag or one.tail != other.tail:
            return False
        if not isinstance(one.tag, str) and one.text != other.text:
            return False
    return True


def _write_element(element: etree._Element) -> tuple[str, str]:
    """Return the first tag, without the namespace declarations of the elements around it, and what comes after it."""
    text = etree.tostring(element, encoding="unicode", with_tail=False)
    parent = element.getparent()
    end_of_tag = text.index(">") + 1
    tag = text[:end_of_tag]
    for prefix, uri in (parent.nsmap if parent is not None else {}).items():
        tag = tag.replace(f' xmlns{":" + prefix if prefix else ""}="{uri}"', "", 1)
    return tag, text[end_of_tag:]


ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
BREAKS = re.compile(r"[ \t]*[\r\n\x85\u2028\u2029]+[ \t]*")


def make_storable(text: str) -> str:
    """One line of text without the characters that XML cannot hold; a line break in it becomes a space."""
    return ILLEGAL.sub("", BREAKS.sub(" ", text))


def make_element(parent: etree._Element, name: str) -> etree._Element:
    """Return an element in the namespace of `parent`, not yet in its place."""
    namespace = etree.QName(parent).namespace
    tag = f"{{{namespace}}}{name}" if namespace else name
    return parent.makeelement(tag)


def insert(parent: etree._Element, index: int, element: etree._Element) -> None:
    """Puts the element at this place among the children, indented as its siblings are."""
    indentation = parent.text if parent.text and not parent.text.strip() else None
    if index:
        before = parent[index - 1]
        tail, before.tail = before.tail, indentation if index == len(parent) else before.tail
    else:
        tail = indentation if len(parent) else None
    parent.insert(index, element)
    element.tail = tail


def append_indented(parent: etree._Element, element: etree._Element) -> None:
    """Puts the element last in a parent that was just inserted itself, one step deeper than it."""
    if not len(parent):
        parent.text = _find_inner_indentation(parent)
        element.tail = _find_indentation(parent)
        parent.append(element)
        return
    insert(parent, len(parent), element)


def remove(element: etree._Element) -> None:
    """Takes the element out with the white space before it, and leaves text after it in place."""
    parent = element.getparent()
    if parent is None:
        return
    tail, before = element.tail, element.getprevious()
    is_last = element.getnext() is None
    parent.remove(element)
    if not is_last and not (tail or "").strip():
        return
    if before is not None:
        before.tail = tail
    else:
        parent.text = tail if (tail or "").strip() else None


def save(tree: etree._ElementTree, source: Path, target: Path) -> None:
    """Writes the changed tree of `source` under `target`, whole or not at all; what was not changed stays as written.

    Raises UserError where it cannot be written, and where `target` is `source` itself; `UnusableInput` where the source
    is in an encoding that Python does not know."""
    if target.exists() and target.samefile(source):
        raise UserError(f"{target}: is the file that was read; write to another folder, originals are not overwritten")
    content = source.read_bytes()
    encoding = _find_encoding(content, tree.docinfo.encoding or "UTF-8")
    try:
        original = content.decode(encoding)
        data = patch(original, parse(source).getroot(), tree.getroot()).encode(encoding, "xmlcharrefreplace")
    except (LookupError, UnicodeError):
        raise UnusableInput(f"{source}: its encoding {encoding} cannot be written; save it as UTF-8") from None
    with replace_file(target) as unfinished:
        unfinished.write_bytes(data)


def _find_encoding(data: bytes, named: str) -> str:
    """With the order of the bytes where the name leaves that to a mark which the file does not have."""
    if named.upper() != "UTF-16" or data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return named
    return "UTF-16BE" if data.startswith(b"\0") else "UTF-16LE"


def _find_indentation(element: etree._Element) -> str | None:
    parent = element.getparent()
    text = None if parent is None else parent.text
    return text if text and not text.strip() else None


def _find_inner_indentation(element: etree._Element) -> str | None:
    """One step deeper than the element, by the difference between it and its parent."""
    own, parent = _find_indentation(element), element.getparent()
    outer = None if parent is None else _find_indentation(parent)
    if not own or "\n" not in own:
        return None
    width = own.rpartition("\n")[2]
    above = (outer or "").rpartition("\n")[2]
    step = width[len(above) :] if width.startswith(above) else "  "
    return "\n" + width + (step or "  ")
