"""Encodings that XML files state: which are read, and which are not what the file is written in."""

import codecs
import re
from pathlib import Path

from uncial.errors import UnusableInput

STATED = re.compile(rb"""^\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._:-]*)["']""")
EBCDIC = b"\x4c\x6f\xa7\x94"
"""What `<?xm` is in all of its code pages."""

ASCII = bytes(range(0x20, 0x7F)).decode("ascii")
WIDE = ("utf-16", "utf-32")
STATEFUL = ("iso2022", "hz", "utf-7")
"""Encodings whose bytes mean letters or markup depending on those before, so that a file cannot be looked through, nor
changed in one place, before it is decoded."""


def refuse_encoding(path: Path, data: bytes, encoding: str) -> None:
    """Raises `UnusableInput` for a parsed file in an encoding that is not read, or that plainly is not what it
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


def why_undecodable(data: bytes) -> str | None:
    """What is wrong with the encoding of a file that cannot be parsed; None where that seems to be in order."""
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
