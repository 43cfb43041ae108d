"""Recognised text into the lines and regions of a PAGE file."""

import re
from collections.abc import Mapping
from dataclasses import replace

from lxml import etree

from uncial.document import Transcription
from uncial.formats.lines.styles import unmarked
from uncial.formats.page_xml.custom import parse_custom, with_styles, without_spans
from uncial.formats.page_xml.layout import LineElement, PageLayout, page_layout
from uncial.formats.page_xml.text import chosen_equivalent, line_text
from uncial.formats.xml.editing import append_indented, insert, new_element, remove, storable
from uncial.formats.xml.parsing import child, children, descendants, local_name

BEFORE_LINE_TEXT = ("AlternativeImage", "Coords", "Baseline", "Word", "TextEquiv")
AFTER_REGION_TEXT = ("TextStyle",)
FIRST_YEAR_WITH_CONFIDENCE = 2013


def update_page(root: etree._Element, texts: Mapping[str, Transcription]) -> set[str]:
    """Puts the texts into the TextEquiv of their lines, and returns the identifiers of lines that were found.

    Words with their glyphs and alternative readings are removed, for they belong to the old text, as are the parts of
    `custom` that point into it; the styles of a model that learnt Loghi's characters are written there. The text of a
    region follows, its lines in reading order, where the region has one or where none of its lines had any text
    before; one that holds regions but no lines has the text of their lines.
    Relations that name a word or glyph that is gone are removed.
    """
    found: set[str] = set()
    gone: set[str] = set()
    for page in descendants(root, "Page")[:1]:  # the one that is read
        layout = page_layout(page)
        touched = [line for line in layout.lines if line.id in texts]
        fresh = _regions_without_text(layout)
        for line in touched:
            gone |= _set_line(line.element, texts[line.id], _knows_confidence(root))
        _update_regions(layout, touched, fresh)
        found.update(line.id for line in touched)
        _forget(page, gone)
    return found


def set_page_image(root: etree._Element, name: str) -> None:
    """States another name of the page's image."""
    for page in descendants(root, "Page"):
        page.set("imageFilename", name)


def _set_line(line: etree._Element, transcription: Transcription, with_confidence: bool) -> set[str]:
    """Returns the identifiers of the words and glyphs that were taken out."""
    custom = line.get("custom")
    before = line_text(line, parse_custom(custom)).text
    transcription, styles = unmarked(replace(transcription, text=storable(transcription.text)))
    text = transcription.text
    kept = chosen_equivalent(line)
    gone = {name for one in descendants(line, "Word", "Glyph") if (name := one.get("id"))}
    for stale in children(line, "Word", "TextEquiv"):
        if stale is not kept:
            remove(stale)
    if kept is None:
        kept = new_element(line, "TextEquiv")
        insert(line, _place_after(line, BEFORE_LINE_TEXT), kept)
    _set_text(kept, text)
    kept.attrib.pop("conf", "")
    if with_confidence and 0 <= transcription.confidence <= 1:
        kept.set("conf", f"{transcription.confidence:.4f}")
    if custom and text != before:
        line.set("custom", without_spans(custom))
    if styles and with_confidence:
        line.set("custom", with_styles(without_spans(line.get("custom", ""), "textStyle"), styles, text))
    return gone


def _forget(page: etree._Element, gone: set[str]) -> None:
    """Takes out the relations of what is no longer there; the schema wants every reference to lead somewhere."""
    for relation in descendants(page, "Relation") if gone else []:
        if any(one.get("regionRef") in gone for one in children(relation)):
            holder = relation.getparent()
            remove(relation)
            if holder is not None and not children(holder):
                remove(holder)


def _set_text(equivalent: etree._Element, text: str) -> None:
    unicode, plain = child(equivalent, "Unicode"), child(equivalent, "PlainText")
    if unicode is None:
        unicode = new_element(equivalent, "Unicode")
        append_indented(equivalent, unicode)
    for holder in (unicode, plain):
        if holder is not None:
            for inner in list(holder):
                holder.remove(inner)
            holder.text = text


def _regions_without_text(layout: PageLayout) -> set[str]:
    with_text = {line.region.id for line in layout.lines if line.region is not None and _has_text(line)}
    return {region.id for region in layout.regions if region.id not in with_text}


def _has_text(line: LineElement) -> bool:
    return bool(line_text(line.element, []).text)


def _update_regions(layout: PageLayout, touched: list[LineElement], fresh: set[str]) -> None:
    changed = {line.id for line in touched}
    placed = [(line, line.region) for line in layout.lines if line.region is not None]
    for region in layout.regions:
        own = [line for line, where in placed if where.id == region.id]
        lines = own or [line for line, where in placed if region.element in where.around]
        if not any(line.id in changed for line in lines):
            continue
        kept = chosen_equivalent(region.element)
        if kept is None:
            if not own or region.id not in fresh or local_name(region.element) != "TextRegion":
                continue
            kept = new_element(region.element, "TextEquiv")
            insert(region.element, _place_before(region.element, AFTER_REGION_TEXT), kept)
        for stale in children(region.element, "TextEquiv"):
            if stale is not kept:
                remove(stale)
        kept.attrib.pop("conf", "")
        texts = [line_text(line.element, []).text for line in lines]
        _set_text(kept, "\n".join(text for text in texts if text is not None))


def _place_after(parent: etree._Element, names: tuple[str, ...]) -> int:
    return max((parent.index(one) + 1 for one in children(parent, *names)), default=0)


def _place_before(parent: etree._Element, names: tuple[str, ...]) -> int:
    return min((parent.index(one) for one in children(parent, *names)), default=len(parent))


def _knows_confidence(root: etree._Element) -> bool:
    """Versions before 2013 have no `conf`."""
    year = re.search(r"/(\d{4})-\d\d-\d\d", etree.QName(root).namespace or "")
    return year is None or int(year[1]) >= FIRST_YEAR_WITH_CONFIDENCE
