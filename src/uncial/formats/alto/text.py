"""The text of an ALTO line: strings, spaces and the hyphen at its end."""

from dataclasses import dataclass

from lxml import etree

from uncial.document import TextSpan
from uncial.formats.page_xml.text import INNER_BREAK
from uncial.formats.xml import coordinates
from uncial.formats.xml.parsing import get_local_name, iterate_children, iterate_descendants

STYLES = {
    "bold": "bold",
    "italics": "italic",
    "italic": "italic",
    "underline": "underline",
    "superscript": "superscript",
    "subscript": "subscript",
    "smallcaps": "small_caps",
    "strikethrough": "strike",
}
STYLE_NAMES = {kind: name for name, kind in reversed(STYLES.items())}


@dataclass(frozen=True, slots=True)
class AltoText:
    """`text` is None where the line has no strings, or a single one that says nothing but how sure a program was of
    the line."""

    text: str | None
    confidence: float | None
    spans: tuple[TextSpan, ...]


def uses_spaces(page: etree._Element) -> bool:
    """Return whether the page marks its spaces with SP.

    Where it does, strings side by side belong together, as kraken writes punctuation. Where it does not, strings are
    words, since the schema says that strings are separated by white space.
    """
    return next(page.iter("{*}SP"), None) is not None


def divides_words(page: etree._Element) -> bool:
    """Return whether the page's strings are words: where no line holds more than one String, nor an SP, each stands for
    a whole line, as eScriptorium writes it."""
    return uses_spaces(page) or any(len(iterate_children(line, "String")) > 1 for line in page.iter("{*}TextLine"))


def read_alto_line_text(
    line: etree._Element, above: list[etree._Element], styles: dict[str, list[str]], spaces_marked: bool
) -> AltoText:
    """Return the line's text, the spaces inside CONTENT kept. SUBS_CONTENT, the whole of a broken word, is ignored."""
    text, after_string = "", False
    found: list[TextSpan] = []
    confidences: list[tuple[float | None, int]] = []
    strings = 0
    for element in iterate_children(line, "String", "SP", "HYP"):
        name, content = get_local_name(element), read_content(element)
        if name == "SP":
            text, after_string = text + " ", False
            continue
        if name == "String":
            strings += 1
            if after_string and not spaces_marked and not text[-1:].isspace() and not content[:1].isspace():
                text += " "
            confidences.append((read_confidence(element), len(content)))
            kinds = _list_kinds([element, line, *above], styles)
            found += [TextSpan(kind, len(text), len(content)) for kind in kinds if content]
            after_string = True
        text += content
    if not text and (not strings or _is_unread(line)):
        return AltoText(None, coordinates.mean_fraction(confidences), ())
    return AltoText(text, coordinates.mean_fraction(confidences), tuple(_join(found, text)))


def _is_unread(line: etree._Element) -> bool:
    """Return whether a program found the line and nobody has read it: a single empty String with a WC. ALTO asks for a
    String in every line."""
    inner = iterate_children(line, "String", "SP", "HYP")
    return len(inner) == 1 and inner[0].get("CONTENT") == "" and read_confidence(inner[0]) is not None


def read_style_table(root: etree._Element) -> dict[str, list[str]]:
    """Return what each TextStyle's FONTSTYLE means, by its ID."""
    table = {one.get("ID", ""): _list_names(one.get("FONTSTYLE")) for one in iterate_descendants(root, "TextStyle")}
    return {identifier: kinds for identifier, kinds in table.items() if kinds}


def _list_kinds(chain: list[etree._Element], styles: dict[str, list[str]]) -> list[str]:
    """Return the styles of the nearest element that states any: styles are inherited."""
    for element in chain:
        kinds = _list_names(element.get("STYLE"))
        for reference in element.get("STYLEREFS", "").split() if styles else []:
            kinds += styles.get(reference, [])
        if kinds:
            return list(dict.fromkeys(kinds))
    return []


def _list_names(stated: str | None) -> list[str]:
    return [STYLES[name] for name in (stated or "").lower().split() if name in STYLES]


def read_content(string: etree._Element) -> str:
    """Return CONTENT, or "". A parser makes spaces of the breaks in an attribute, but not of those written as &#10;."""
    return INNER_BREAK.sub(" ", string.get("CONTENT", ""))


def read_confidence(string: etree._Element) -> float | None:
    """Return the word's WC, else the mean of its glyphs' GC."""
    confidence = coordinates.read_fraction(string.get("WC"))
    if confidence is not None:
        return confidence
    return coordinates.mean_fraction(
        [(coordinates.read_fraction(glyph.get("GC")), 1) for glyph in iterate_children(string, "Glyph")]
    )


def _join(spans: list[TextSpan], text: str) -> list[TextSpan]:
    """Spans of one kind with nothing but white space between them become one."""
    joined: dict[str, list[TextSpan]] = {}
    for span in spans:
        row = joined.setdefault(span.kind, [])
        if row and not text[row[-1].offset + row[-1].length : span.offset].strip():
            last = row.pop()
            span = TextSpan(span.kind, last.offset, span.offset + span.length - last.offset)
        row.append(span)
    return [span for row in joined.values() for span in row]
