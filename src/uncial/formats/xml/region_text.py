"""Text that stands at a region itself, with no line to hold it: there is nothing that it could be learned with."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from uncial.document import Issue
from uncial.errors import IssueCode
from uncial.formats.alto.layout import AltoLayout
from uncial.formats.page_xml.layout import PageLayout
from uncial.formats.page_xml.text import choose_equivalent, read_equivalent_text
from uncial.formats.xml.parsing import get_local_name, iterate_children


@dataclass(frozen=True, slots=True)
class RegionText:
    """A region whose text stands at it alone; `lines` is how many lines, all of them without text, it has."""

    id: str
    lines: int


def read_page_region_texts(layout: PageLayout) -> list[RegionText]:
    """Return the innermost regions of a PAGE file with a text (or words) of their own and no line with text in them."""
    found: list[RegionText] = []
    told: set[etree._Element] = set()
    for region in reversed(layout.regions):  # Regions come before those within them.
        element = region.element
        if _has_own_text(element):
            lines = list(element.iter("{*}TextLine"))
            if not any(one in told for one in element.iter(etree.Element)) and not any(map(_has_line_text, lines)):
                told.add(element)
                found.append(RegionText(region.id, len(lines)))
    return found[::-1]


def read_alto_block_texts(layout: AltoLayout) -> list[RegionText]:
    """Return the blocks of an ALTO page whose strings stand in no line."""
    lone = {}
    for string in layout.page.iter("{*}String"):
        above = list(string.iterancestors())
        if (string.get("CONTENT") or "").strip() and not any(get_local_name(one) == "TextLine" for one in above):
            lone.update(dict.fromkeys(above[:1]))
    return [
        RegionText(block.id, sum(1 for _ in block.element.iter("{*}TextLine")))
        for block in layout.blocks
        if block.element in lone
    ]


def describe_region_text(source: Path, found: Sequence[RegionText], any_line_text: bool) -> list[Issue]:
    """Return what a person should hear about these regions: an error where nothing of the page is transcribed by
    lines."""
    if not found:
        return []
    count = f"{len(found)} of its regions" if len(found) > 1 else "its region"
    named = f"{count} ({'the first: ' if len(found) > 1 else ''}{found[0].id})"
    if any(region.lines for region in found):
        why = f"the text of {named} stands at the region, and its lines have none"
        remedy = "give each line its own text, as Transkribus and eScriptorium do"
    else:
        why = f"the text of {named} stands at the region alone, without a line (TextLine)"
        remedy = "mark the lines and give each its text, as Transkribus and eScriptorium do"
    kind: IssueCode = "region_without_lines" if any_line_text else "text_without_lines"
    return [Issue(str(source), "", f"{why}, so that it is not read; {remedy}", kind)]


def _has_own_text(region: etree._Element) -> bool:
    chosen = choose_equivalent(region)
    if chosen is not None and read_equivalent_text(chosen).strip():
        return True
    return any(_has_line_text(word) for word in iterate_children(region, "Word"))


def _has_line_text(line: etree._Element) -> bool:
    equivalents = (one for one in line.iter("{*}TextEquiv"))
    return any(read_equivalent_text(one).strip() for one in equivalents)
