"""Changing a parsed XML file so that everything else in it stays as it was written, and saving it."""

import codecs
import re
from pathlib import Path

from lxml import etree

from uncial.errors import UnusableInput, UserError
from uncial.files import replacing
from uncial.formats.xml.parsing import parse
from uncial.formats.xml.patching import patched

ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
BREAKS = re.compile(r"[ \t]*[\r\n\x85\u2028\u2029]+[ \t]*")


def storable(text: str) -> str:
    """One line of text without the characters that XML cannot hold; a line break in it becomes a space."""
    return ILLEGAL.sub("", BREAKS.sub(" ", text))


def new_element(parent: etree._Element, name: str) -> etree._Element:
    """An element in the namespace of `parent`, not yet in its place."""
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
        parent.text = _inner_indentation(parent)
        element.tail = _indentation(parent)
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
    encoding = _encoding(content, tree.docinfo.encoding or "UTF-8")
    try:
        original = content.decode(encoding)
        data = patched(original, parse(source).getroot(), tree.getroot()).encode(encoding, "xmlcharrefreplace")
    except (LookupError, UnicodeError):
        raise UnusableInput(f"{source}: its encoding {encoding} cannot be written; save it as UTF-8") from None
    with replacing(target) as unfinished:
        unfinished.write_bytes(data)


def _encoding(data: bytes, named: str) -> str:
    """With the order of the bytes where the name leaves that to a mark which the file does not have."""
    if named.upper() != "UTF-16" or data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return named
    return "UTF-16BE" if data.startswith(b"\0") else "UTF-16LE"


def _indentation(element: etree._Element) -> str | None:
    parent = element.getparent()
    text = None if parent is None else parent.text
    return text if text and not text.strip() else None


def _inner_indentation(element: etree._Element) -> str | None:
    """One step deeper than the element, by the difference between it and its parent."""
    own, parent = _indentation(element), element.getparent()
    outer = None if parent is None else _indentation(parent)
    if not own or "\n" not in own:
        return None
    width = own.rpartition("\n")[2]
    above = (outer or "").rpartition("\n")[2]
    step = width[len(above) :] if width.startswith(above) else "  "
    return "\n" + width + (step or "  ")
