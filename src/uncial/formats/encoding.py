"""Text files as people save them: UTF-8, with or without a byte order mark, and nothing else."""

import codecs
import unicodedata
from pathlib import Path

from uncial.errors import UnusableInput

_PACKED = {b"\x1f\x8b": "gzip", b"PK\x03\x04": "zip", b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz"}
_MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
"""The longer ones first: UTF-32's begins with UTF-16's."""

_CONTROLS = bytes(set(range(0x20)) - set(b"\t\n\v\f\r\x1c\x1d\x1e\x1f"))


def read_utf8(path: Path) -> str:
    """Return the text of a UTF-8 file without its byte order mark, line ends untouched.

    Raises `UnusableInput` where the file cannot be read or is in another encoding: a wrong guess would teach wrong
    letters.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UnusableInput(f"{path}: cannot be read ({error.strerror or error})") from error
    refuse_packed(path, data)
    marked = next((name for mark, name in _MARKS.items() if data.startswith(mark)), None)
    if marked:
        raise UnusableInput(f"{path}: is {marked}, not UTF-8: save it as UTF-8")
    if _is_wide(data):
        raise UnusableInput(f"{path}: is UTF-16 or UTF-32 without a byte order mark, not UTF-8: save it as UTF-8")
    try:
        return data.removeprefix(codecs.BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnusableInput(f"{path}: is not UTF-8 (byte {error.start + 1}): save it as UTF-8") from error


def _is_wide(data: bytes) -> bool:
    """Return whether the bytes are characters of two or four bytes each: in ASCII, Latin, Greek, Cyrillic, Hebrew or
    Arabic letters one of the two is a control character, which with luck makes UTF-8 of them too."""
    if len(data) < 4:
        return data.count(0) * 2 >= len(data) > 0
    head = data[: 1 << 16]
    return any(len(half) >= 2 and not half.translate(None, _CONTROLS + b"\x1e\x1f") for half in (head[::2], head[1::2]))


def refuse_packed(path: Path, data: bytes) -> None:
    """Raise `UnusableInput` where the contents of a file that should hold text are those of an archive."""
    packer = next((name for start, name in _PACKED.items() if data.startswith(start)), None)
    if packer:
        raise UnusableInput(f"{path}: is packed with {packer}; unpack it first")


def iterate_rows(text: str) -> list[tuple[int, str]]:
    """Return the rows of a list that say something, each with its number from 1: neither blank nor a `#` comment.

    Rows end in LF or CRLF; other characters that Unicode calls line breaks may be part of a transcription.
    """
    numbered = ((number, row.removesuffix("\r")) for number, row in enumerate(text.split("\n"), start=1))
    return [(number, row) for number, row in numbered if row.strip() and not row.lstrip().startswith("#")]


def make_storable_name(name: str) -> str:
    """Return a file's name or path as text that can be stored: bytes of it that are no UTF-8 become backslash
    escapes."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def list_unicode_forms(name: str) -> list[str]:
    """Return the name as written, composed and decomposed: macOS takes accents apart in names, lists and XML mostly do
    not."""
    return list(dict.fromkeys([name, unicodedata.normalize("NFC", name), unicodedata.normalize("NFD", name)]))
