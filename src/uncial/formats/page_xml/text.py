"""The text of a PAGE line: which of several TextEquivs counts, its confidence, and the styles of its words."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from lxml import etree

from uncial.document import TextSpan
from uncial.formats.page_xml.custom import CustomEntry, list_style_kinds, read_spans
from uncial.formats.xml import coordinates
from uncial.formats.xml.parsing import find_child, iterate_children

LEADING_BREAK = re.compile(r"^[ \t\r\n]*[\r\n][ \t\r\n]*")
TRAILING_BREAK = re.compile(r"[ \t]*[\r\n][ \t\r\n]*$")
INNER_BREAK = re.compile(r"[ \t]*[\r\n][ \t\r\n]*")
STYLE_ATTRIBUTES = (
    "strikethrough",
    "underlined",
    "superscript",
    "subscript",
    "bold",
    "italic",
    "letterSpaced",
    "smallCaps",
)


@dataclass(frozen=True, slots=True)
class WordText:
    """A Word element with its text, None where it states none, and that text's confidence."""

    element: etree._Element
    text: str | None
    confidence: float | None


@dataclass(frozen=True, slots=True)
class LineText:
    """`text` is None where the line holds no transcription. `words` are all of its Word elements."""

    text: str | None
    confidence: float | None
    spans: tuple[TextSpan, ...]
    words: tuple[WordText, ...]


def read_line_text(line: etree._Element, custom: list[CustomEntry]) -> LineText:
    """Return the text of the line's TextEquiv, else its words joined by spaces; white space at the edges is kept.

    kraken writes spaces as words of their own, to which no other is added.
    """
    chosen = choose_equivalent(line)
    words = tuple(_read_word_text(word) for word in iterate_children(line, "Word"))
    if chosen is not None:
        text = read_equivalent_text(chosen)
        confidence = coordinates.read_fraction(chosen.get("conf"))
    elif texts := [(word.text, word.confidence) for word in words if word.text is not None]:
        text = _join_words([one for one, _ in texts])
        confidence = coordinates.mean_fraction([(of_word, len(one)) for one, of_word in texts])
    else:
        return LineText(None, None, (), words)
    found = [*read_spans(custom, text), *_read_line_styles(line, text), *_read_word_styles(words, text)]
    return LineText(text, confidence, tuple(dict.fromkeys(found)), words)


def choose_equivalent(element: etree._Element) -> etree._Element | None:
    """Return the TextEquiv with index 0, else the first without an index, else the one with the lowest."""
    candidates = iterate_children(element, "TextEquiv")
    if len(candidates) < 2:
        return candidates[0] if candidates else None

    def preference(candidate: etree._Element) -> float:
        index = coordinates.read_number(candidate.get("index"))
        return 0.5 if index is None else index

    return min(candidates, key=preference)


def read_equivalent_text(equivalent: etree._Element) -> str:
    """Unicode, else PlainText, without the line breaks and indentation of the XML file."""
    holder = find_child(equivalent, "Unicode")
    if holder is None:
        holder = find_child(equivalent, "PlainText")
    if holder is None:
        return ""
    raw = (holder.text or "") if len(holder) == 0 else str(holder.xpath("string()"))
    if "\n" not in raw and "\r" not in raw:
        return raw
    return INNER_BREAK.sub(" ", TRAILING_BREAK.sub("", LEADING_BREAK.sub("", raw)))


def _read_word_text(word: etree._Element) -> WordText:
    """Return the word's own text and confidence, else those of its glyphs."""
    if (chosen := choose_equivalent(word)) is not None:
        return WordText(word, read_equivalent_text(chosen), coordinates.read_fraction(chosen.get("conf")))
    glyphs = [one for glyph in iterate_children(word, "Glyph") if (one := choose_equivalent(glyph)) is not None]
    if not glyphs:
        return WordText(word, None, None)
    confidence = coordinates.mean_fraction([(coordinates.read_fraction(one.get("conf")), 1) for one in glyphs])
    return WordText(word, "".join(map(read_equivalent_text, glyphs)), confidence)


def _join_words(words: list[str]) -> str:
    text = ""
    for word in words:
        between = " " if text and word and not text[-1].isspace() and not word[0].isspace() else ""
        text += between + word
    return text


def _read_styles(element: etree._Element) -> list[str]:
    style = find_child(element, "TextStyle")
    if style is None:
        return []
    return list_style_kinds(flag for flag in STYLE_ATTRIBUTES if style.get(flag, "").lower() in ("true", "1"))


def _read_line_styles(line: etree._Element, text: str) -> list[TextSpan]:
    return [TextSpan(kind, 0, len(text)) for kind in _read_styles(line)] if text else []


def _read_word_styles(words: Sequence[WordText], text: str) -> list[TextSpan]:
    """Words are looked for one after the other, since the line's text may be spaced otherwise than its words."""
    found, start = [], 0
    for word in words:
        own = word.text
        place = text.find(own, start) if own else -1
        if own and place >= 0:
            found += [TextSpan(kind, place, len(own)) for kind in _read_styles(word.element)]
            start = place + len(own)
    return found
