"""Recognised text into the lines and regions of a PAGE file."""

import re
from collections.abc import Mapping
from dataclasses import replace

from lxml import etree

from uncial.document import Transcription
from uncial.formats.lines.styles import strip_marks
from uncial.formats.page_xml.custom import add_styles, drop_spans, parse_custom
from uncial.formats.page_xml.layout import LineElement, PageLayout, read_layout
from uncial.formats.page_xml.text import choose_equivalent, read_line_text
from uncial.formats.xml.editing import append_indented, insert, make_element, make_storable, remove
from uncial.formats.xml.parsing import find_child, get_local_name, iterate_children, iterate_descendants

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
    for page in iterate_descendants(root, "Page")[:1]:  # the one that is read
        layout = read_layout(page)
        touched = [line for line in layout.lines if line.id in texts]
        fresh = _find_regions_without_text(layout)
        for line in touched:
            gone |= _set_line(line.element, texts[line.id], _has_confidence(root))
        _update_regions(layout, touched, fresh)
        found.update(line.id for line in touched)
        _forget(page, gone)
    return found


def set_page_image(root: etree._Element, name: str) -> None:
    """States another name of the page's image."""
    for page in iterate_descendants(root, "Page"):
        page.set("imageFilename", name)


def _set_line(line: etree._Element, transcription: Transcription, with_confidence: bool) -> set[str]:
    """Returns the identifiers of the words and glyphs that were taken out."""
    custom = line.get("custom")
    before = read_line_text(line, parse_custom(custom)).text
    transcription, styles = strip_marks(replace(transcription, text=make_storable(transcription.text)))
    text = transcription.text
    kept = choose_equivalent(line)
    gone = {name for one in iterate_descendants(line, "Word", "Glyph") if (name := one.get("id"))}
    for stale in iterate_children(line, "Word", "TextEquiv"):
        if stale is not kept:
            remove(stale)
    if kept is None:
        kept = make_element(line, "TextEquiv")
        insert(line, _place_after(line, BEFORE_LINE_TEXT), kept)
    _set_text(kept, text)
    kept.attrib.pop("conf", "")
    if with_confidence and 0 <= transcription.confidence <= 1:
        kept.set("conf", f"{transcription.confidence:.4f}")
    if custom and text != before:
        line.set("custom", drop_spans(custom))
    if styles and with_confidence:
        line.set("custom", add_styles(drop_spans(line.get("custom", ""), "textStyle"), styles, text))
    return gone


def _forget(page: etree._Element, gone: set[str]) -> None:
    """Takes out the relations of what is no longer there; the schema wants every reference to lead somewhere."""
    for relation in iterate_descendants(page, "Relation") if gone else []:
        if any(one.get("regionRef") in gone for one in iterate_children(relation)):
            holder = relation.getparent()
            remove(relation)
            if holder is not None and not iterate_children(holder):
                remove(holder)


def _set_text(equivalent: etree._Element, text: str) -> None:
    unicode, plain = find_child(equivalent, "Unicode"), find_child(equivalent, "PlainText")
    if unicode is None:
        unicode = make_element(equivalent, "Unicode")
        append_indented(equivalent, unicode)
    for holder in (unicode, plain):
        if holder is not None:
            for inner in list(holder):
                holder.remove(inner)
            holder.text = text


def _find_regions_without_text(layout: PageLayout) -> set[str]:
    with_text = {line.region.id for line in layout.lines if line.region is not None and _has_text(line)}
    return {region.id for region in layout.regions if region.id not in with_text}


def _has_text(line: LineElement) -> bool:
    return bool(read_line_text(line.element, []).text)


def _update_regions(layout: PageLayout, touched: list[LineElement], fresh: set[str]) -> None:
    changed = {line.id for line in touched}
    placed = [(line, line.region) for line in layout.lines if line.region is not None]
    for region in layout.regions:
        own = [line for line, where in placed if where.id == region.id]
        lines = own or [line for line, where in placed if region.element in where.around]
        if not any(line.id in changed for line in lines):
            continue
        kept = choose_equivalent(region.element)
        if kept is None:
            if not own or region.id not in fresh or get_local_name(region.element) != "TextRegion":
                continue
            kept = make_element(region.element, "TextEquiv")
            insert(region.element, _place_before(region.element, AFTER_REGION_TEXT), kept)
        for stale in iterate_children(region.element, "TextEquiv"):
            if stale is not kept:
                remove(stale)
        kept.attrib.pop("conf", "")
        texts = [read_line_text(line.element, []).text for line in lines]
        _set_text(kept, "\n".join(text for text in texts if text is not None))


def _place_after(parent: etree._Element, names: tuple[str, ...]) -> int:
    return max((parent.index(one) + 1 for one in iterate_children(parent, *names)), default=0)


def _place_before(parent: etree._Element, names: tuple[str, ...]) -> int:
    return min((parent.index(one) for one in iterate_children(parent, *names)), default=len(parent))


def _has_confidence(root: etree._Element) -> bool:
    """Versions before 2013 have no `conf`."""
    year = re.search(r"/(\d{4})-\d\d-\d\d", etree.QName(root).namespace or "")
    return year is None or int(year[1]) >= FIRST_YEAR_WITH_CONFIDENCE
