"""Safe parsing of XML files in the encodings that are read, and finding out which kind of transcription one is."""

import codecs
import re
from pathlib import Path
from typing import Literal

from lxml import etree

from uncial.errors import UnusableInput
from uncial.formats.encoding import refuse_packed

STATED = re.compile(rb"""^\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._:-]*)["']""")
EBCDIC = b"\x4c\x6f\xa7\x94"
"""What `<?xm` is in all of its code pages."""

ASCII = bytes(range(0x20, 0x7F)).decode("ascii")
WIDE = ("utf-16", "utf-32")
STATEFUL = ("iso2022", "hz", "utf-7")
"""Encodings whose bytes mean letters or markup depending on those before, so that a file cannot be looked through, nor
changed in one place, before it is decoded."""


def refuse_encoding(path: Path, data: bytes, encoding: str) -> None:
    """Raise `UnusableInput` for a parsed file in an encoding that is not read, or that plainly is not what it
    states."""
    try:
        name = codecs.lookup(encoding).name
        plain = name.startswith(WIDE) or (not name.startswith(STATEFUL) and ASCII.encode(name) == ASCII.encode("ascii"))
    except (LookupError, UnicodeError):
        plain = False
    if not plain:
        raise UnusableInput(f"{path}: is in the encoding {encoding}, which is not read; save it as UTF-8")
    if name != "utf-8" and not name.startswith(WIDE) and not data.isascii() and _is_utf8(data):
        raise UnusableInput(
            f"{path}: states the encoding {encoding}, but its letters are UTF-8; correct the encoding in its first line"
        )


def explain_undecodable(data: bytes) -> str | None:
    """Return what is wrong with the encoding of a file that cannot be parsed; None where that seems to be in order."""
    if data.startswith(EBCDIC):
        return "is in EBCDIC, an encoding that is not read"
    data = data.removeprefix(codecs.BOM_UTF8)
    if not data.lstrip().startswith(b"<"):
        return None
    stated = STATED.match(data)
    name = stated.group(1).decode("ascii") if stated else "UTF-8"
    try:
        if codecs.lookup(name).name.startswith(WIDE):
            return f"states the encoding {name}, but is not written in it" if stated else None
        data.decode(name)
    except LookupError:
        return f"states the encoding {name!r}, which there is not"
    except UnicodeError:
        if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in data[:200]:
            return None
        what = "that it states" if stated else "which files have that state none"
        return f"is not well-formed XML: it is not written in the encoding {name}, {what}"
    return None


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


Kind = Literal["page", "alto", "mets", "other"]

MAX_BYTES = 256 * 1024 * 1024
PAGE_NAMESPACE = re.compile(r"primaresearch\.org/PAGE/", re.IGNORECASE)
ALTO_NAMESPACE = re.compile(r"alto", re.IGNORECASE)
BEFORE_ROOT = re.compile(rb"(?:\s+|<!--.*?-->|<\?.*?\?>)*", re.DOTALL)
BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
REEXPORT = "export it again"


def parse(path: Path) -> etree._ElementTree:
    """Return the parsed file. Raises `UnusableInput` with one sentence where it cannot or must not be read."""
    data = _read(path)
    if _has_document_type(data):
        raise UnusableInput(
            f"{path}: has a document type declaration (DTD, entities), which is not read; remove the <!DOCTYPE …> line"
        )
    parser = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False, recover=False)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise UnusableInput(f"{path}: {_explain_malformed(error, data)}; {REEXPORT}") from None
    except (ValueError, LookupError) as error:
        raise UnusableInput(f"{path}: is not readable XML ({error}); {REEXPORT}") from None
    tree = root.getroottree()
    refuse_encoding(path, data, tree.docinfo.encoding or "UTF-8")
    return tree


def find_kind(root: etree._Element) -> Kind:
    """`page`, `alto`, `mets`, or `other`, by the root's name and namespace (of any version, or none)."""
    name = etree.QName(root)
    namespace = name.namespace or ""
    if name.localname == "PcGts" and (not namespace or PAGE_NAMESPACE.search(namespace)):
        return "page"
    if name.localname.lower() == "alto" and (not namespace or ALTO_NAMESPACE.search(namespace)):
        return "alto"
    return "mets" if name.localname == "mets" else "other"


def describe_other(root: etree._Element) -> str:
    """Why a file of the kind `mets` or `other` is no page, for a user who named it."""
    name = etree.QName(root)
    if name.localname == "mets":
        return "is a METS file, which lists pages but holds no transcription; name the PAGE or ALTO files beside it"
    namespace = f" in the namespace {name.namespace!r}" if name.namespace else ""
    stated = f"has the root element <{name.localname}>{namespace}"
    return f"{stated}, which is neither PAGE (PcGts) nor ALTO (alto); export it as one of these"


def get_local_name(element: etree._Element) -> str:
    """Return the element's name without its namespace; "" for a comment or processing instruction."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def iterate_children(element: etree._Element, *names: str) -> list[etree._Element]:
    """Return the child elements of these local names (of any name where none is given), in document order."""
    if not names:
        return list(element.iterchildren(etree.Element))
    return list(element.iterchildren(*[f"{{*}}{name}" for name in names]))


def find_child(element: etree._Element, name: str) -> etree._Element | None:
    """Return the first child element of this local name, None where there is none."""
    return next(element.iterchildren(f"{{*}}{name}"), None)


def iterate_descendants(element: etree._Element, *names: str) -> list[etree._Element]:
    """Return all elements of these local names below `element`, in document order."""
    return list(element.iter(*[f"{{*}}{name}" for name in names]))


def _read(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            limit = f"{MAX_BYTES // 1024**2} MB"
            raise UnusableInput(
                f"{path}: is larger than {limit}, which no page's transcription is; split it into pages"
            )
        data = path.read_bytes()
    except OSError as error:
        raise UnusableInput(
            f"{path}: cannot be read ({error.strerror or error}); check its place and its permissions"
        ) from None
    if not data.strip():
        raise UnusableInput(f"{path}: is empty; {REEXPORT}")
    refuse_packed(path, data)
    return data


def _has_document_type(data: bytes) -> bool:
    """Looks before parsing, so that nothing that a DTD declares is ever expanded."""
    for mark in BYTE_ORDER_MARKS:
        data = data.removeprefix(mark)
    plain = data.replace(b"\0", b"") if b"\0" in data[:200] else data
    before = BEFORE_ROOT.match(plain)
    return before is not None and plain[before.end() :][:9].upper() == b"<!DOCTYPE"


def _explain_malformed(error: etree.XMLSyntaxError, data: bytes) -> str:
    start = data.lstrip()[:4]
    if told := explain_undecodable(data):
        return told
    if not data.startswith(BYTE_ORDER_MARKS) and (b"\0" in data[:200] and not start.startswith((b"<", b"\0<"))):
        return "is not XML but binary data"
    if not start.startswith((b"<", *BYTE_ORDER_MARKS, b"\0<")):
        return "is not XML"
    message = (error.msg or "").split("(")[0].rstrip(" ,.")
    if "Premature end" in message or "prematurely" in message or not data.rstrip(b"\0 \t\r\n").endswith(b">"):
        return f"is cut short (the XML ends in line {error.lineno} before its elements are closed)"
    return f"is not well-formed XML (line {error.lineno}: {message})"
