"""PAGE XML that is made anew: for drawn pages, and for pages of which only some lines are handed on."""

from collections.abc import Iterable

from lxml import etree

from uncial.document import Page, Point, Region, TextLine

_NAMESPACE = "http://schema.primaresearch.org/PAGE/gts/pagecontent/"
_SCHEMA_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
# One date for all: a page's bytes depend on nothing but its options and seed.
_DATE = "2000-01-01T00:00:00"


def page_xml(page: Page, version: str = "2013-07-15") -> bytes:
    """The page as PAGE XML of that version, its coordinates in whole pixels.

    Raises `ValueError` for a page without an image.
    """
    if page.image is None:
        raise ValueError(f"{page.id} has no image")
    space = _NAMESPACE + version
    spaces: dict[str | None, str] = {None: space, "xsi": _SCHEMA_INSTANCE}
    root = etree.Element(f"{{{space}}}PcGts", nsmap=spaces)  # type: ignore[arg-type]  # the stubs know no default namespace
    root.set(f"{{{_SCHEMA_INSTANCE}}}schemaLocation", f"{space} {space}/pagecontent.xsd")
    metadata = etree.SubElement(root, f"{{{space}}}Metadata")
    for name, text in (("Creator", "uncial"), ("Created", _DATE), ("LastChange", _DATE), ("Comments", page.hand)):
        etree.SubElement(metadata, f"{{{space}}}{name}").text = text
    body = etree.SubElement(root, f"{{{space}}}Page", imageFilename=page.image.path.name)
    body.set("imageWidth", str(page.width))
    body.set("imageHeight", str(page.height))
    if page.regions:
        order = etree.SubElement(
            etree.SubElement(body, f"{{{space}}}ReadingOrder"), f"{{{space}}}OrderedGroup", id="order"
        )
        for n, region in enumerate(page.regions):
            etree.SubElement(order, f"{{{space}}}RegionRefIndexed", index=str(n), regionRef=region.id)
    for region in page.regions:
        _region(body, space, region, [line for line in page.lines if line.region_id == region.id])
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _region(body: etree._Element, space: str, region: Region, lines: list[TextLine]) -> None:
    element = etree.SubElement(body, f"{{{space}}}TextRegion", id=region.id, type=region.type or "paragraph")
    etree.SubElement(element, f"{{{space}}}Coords", points=_points(region.polygon))
    for n, line in enumerate(lines):
        _line(element, space, line, n)
    _text(element, space, "\n".join(line.text or "" for line in lines))


def _line(region: etree._Element, space: str, line: TextLine, order: int) -> None:
    element = etree.SubElement(region, f"{{{space}}}TextLine", id=line.id, custom=f"readingOrder {{index:{order};}}")
    if line.language:
        element.set("primaryLanguage", line.language)
    etree.SubElement(element, f"{{{space}}}Coords", points=_points(line.polygon))
    if line.baseline:
        etree.SubElement(element, f"{{{space}}}Baseline", points=_points(line.baseline))
    _text(element, space, line.text or "")


def _text(parent: etree._Element, space: str, text: str) -> None:
    equivalent = etree.SubElement(parent, f"{{{space}}}TextEquiv")
    etree.SubElement(equivalent, f"{{{space}}}Unicode").text = text


def _points(points: Iterable[Point]) -> str:
    return " ".join(f"{max(0, round(x))},{max(0, round(y))}" for x, y in points)
