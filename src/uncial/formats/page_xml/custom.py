"""PAGE's `custom` attribute, in which Transkribus, Loghi and eScriptorium keep what the schema has no place for.

It reads like `readingOrder {index:0;} structure {type:heading;} unclear {offset:3; length:4; continued:true;}`, with
characters that would disturb it written as `\\u0020`.
"""

import re
from collections.abc import Iterable

from uncial.document import TextSpan

ENTRY = re.compile(r"([^\s{}]+)\s*\{([^{}]*)\}")
ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")
STYLES = {
    "strikethrough": "strike",
    "underlined": "underline",
    "letterSpaced": "letter_spaced",
    "smallCaps": "small_caps",
}
FLAGS = {kind: flag for flag, kind in STYLES.items()}
STYLE_FLAGS = ("strikethrough", "underlined", "superscript", "subscript", "bold", "italic", "letterSpaced", "smallCaps")

CustomEntry = tuple[str, dict[str, str]]


def parse_custom(text: str | None) -> list[CustomEntry]:
    """Return the entries as (name, {key: value}) in order; what does not fit the pattern is passed over."""
    entries = []
    for name, body in ENTRY.findall(text or ""):
        pairs = (pair.partition(":") for pair in body.split(";"))
        entries.append((name, {key.strip(): _unescape(value.strip()) for key, colon, value in pairs if colon}))
    return entries


def get_first_value(entries: Iterable[CustomEntry], name: str, key: str) -> str | None:
    """Return the value of `name {key: value}`, None where it is missing or empty."""
    return next((values[key] for entry, values in entries if entry == name and values.get(key)), None)


def read_reading_index(entries: Iterable[CustomEntry]) -> int | None:
    """Transkribus' `readingOrder {index:N;}`."""
    value = get_first_value(entries, "readingOrder", "index")
    return int(value) if value is not None and value.isdecimal() else None


def read_spans(entries: Iterable[CustomEntry], text: str) -> tuple[TextSpan, ...]:
    """Return the marked stretches of a line, those outside the text cut off.

    Transkribus and Loghi count UTF-16 units, as Java does; a TextSpan counts code points.
    """
    found = []
    for name, values in entries:
        offset, length = values.get("offset", ""), values.get("length", "")
        if not offset.isdecimal() or not length.isdecimal():
            continue
        start = _to_code_points(text, int(offset))
        end = _to_code_points(text, int(offset) + int(length))
        if end > start:
            found += [TextSpan(kind, start, end - start) for kind in _list_kinds(name, values)]
    return tuple(found)


def list_style_kinds(flags: Iterable[str]) -> list[str]:
    """Return the names that TextSpan uses for PAGE's style attributes."""
    return [STYLES.get(flag, flag) for flag in flags]


def drop_spans(text: str, name: str | None = None) -> str:
    """Return the attribute without the entries, all or those of one name, that point into a text, which was
    replaced."""

    def left(match: re.Match[str]) -> str:
        return "" if name in (None, match[1]) and re.search(r"(?:^|;)\s*offset\s*:", match[2]) else match[0]

    kept = ENTRY.sub(left, text)
    return " ".join(kept.split()) if kept != text else text


def add_styles(custom: str, spans: Iterable[TextSpan], text: str) -> str:
    """Return the attribute with the styles of a text that was replaced, as Transkribus and Loghi write them."""
    entries = [custom] if custom else []
    for span in spans:
        offset, end = (_to_units(text[:place]) for place in (span.offset, span.offset + span.length))
        entries.append(f"textStyle {{offset:{offset}; length:{end - offset}; {FLAGS.get(span.kind, span.kind)}:true;}}")
    return " ".join(entries)


def _list_kinds(name: str, values: dict[str, str]) -> list[str]:
    if name != "textStyle":
        return [name]
    return list_style_kinds(flag for flag in STYLE_FLAGS if values.get(flag, "").lower() == "true")


def _to_code_points(text: str, units: int) -> int:
    """Return the code points that the first `units` UTF-16 units of the text make, at most its length."""
    if text.isascii() or max(text) <= "\uffff":
        return min(units, len(text))
    return len(text.encode("utf-16-le", "surrogatepass")[: 2 * units].decode("utf-16-le", "ignore"))


def _to_units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def escape(value: str) -> str:
    """Return a value as `parse_custom` reads it: what would end it, and white space, as `\\u0020`."""
    return re.sub(r"[\\{};\s]", lambda match: f"\\u{ord(match[0]):04x}", value)


def _unescape(value: str) -> str:
    joined = ESCAPE.sub(lambda match: chr(int(match[1], 16)), value)
    return joined.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
