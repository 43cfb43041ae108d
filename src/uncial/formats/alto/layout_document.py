"""ALTO 4 of what a model found on a page: blocks with their types as tags, lines with their confidence and direction.

ALTO has no place for the confidence of a line but its strings: one that nobody read has a single empty one.
"""

from collections.abc import Sequence

from lxml import etree

from uncial.document import Page, Point, Region, TextLine
from uncial.formats.page_xml.new_document import SCHEMA_INSTANCE
from uncial.formats.provenance import Reader
from uncial.formats.xml.editing import make_storable
from uncial.formats.xml.whole_pixels import compute_box, fit_to_file

NAMESPACE = "http://www.loc.gov/standards/alto/ns-v4#"
SCHEMA = "http://www.loc.gov/standards/alto/v4/alto-4-3.xsd"
VERSION = "4.3"


def build_layout_alto(page: Page, finder: Reader, time: str) -> bytes:
    """Return the page as ALTO 4.3. `finder` found its lines at `time`, in UTC as XML has it.

    Coordinates become whole pixels on the page (`fit_to_file`). Regions within regions stand side by side.
    Raises `ValueError` for a page without an image.
    """
    if page.image is None:
        raise ValueError(f"{page.id} has no image")
    fitted = fit_to_file(page)
    spaces: dict[str | None, str] = {None: NAMESPACE, "xsi": SCHEMA_INSTANCE}
    root = etree.Element(f"{{{NAMESPACE}}}alto", nsmap=spaces)  # type: ignore[arg-type]  # the stubs know no default namespace
    root.set(f"{{{SCHEMA_INSTANCE}}}schemaLocation", f"{NAMESPACE} {SCHEMA}")
    root.set("SCHEMAVERSION", VERSION)
    own = {region.id for region in fitted.regions} | {line.id for line in fitted.lines}
    _add_description(root, page.image.path.name, finder, time, _find_free_name(f"{finder.program}_layout", own))
    tags = _add_tags(root, fitted, own)
    if fitted.regions:
        order = _add(_add(root, "ReadingOrder"), "OrderedGroup", ID=_find_free_name("order", own))
        for number, region in enumerate(fitted.regions, start=1):
            _add(order, "ElementRef", ID=_find_free_name(f"order_{number}", own), REF=region.id)
    whole = {"HPOS": "0", "VPOS": "0", "WIDTH": str(page.width), "HEIGHT": str(page.height)}
    sheet = _add(_add(root, "Layout"), "Page", ID=_find_free_name("page", own), PHYSICAL_IMG_NR="1")
    sheet.set("WIDTH", str(page.width))
    sheet.set("HEIGHT", str(page.height))
    space = _add(sheet, "PrintSpace", **whole)
    for region in fitted.regions:
        _add_block(space, region, [line for line in fitted.lines if line.region_id == region.id], tags)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _add(parent: etree._Element, name: str, **attributes: str) -> etree._Element:
    return etree.SubElement(parent, f"{{{NAMESPACE}}}{name}", attributes)


def _add_description(root: etree._Element, image: str, finder: Reader, time: str, name: str) -> None:
    description = _add(root, "Description")
    _add(description, "MeasurementUnit").text = "pixel"
    _add(_add(description, "sourceImageInformation"), "fileName").text = image
    processing = _add(description, "Processing", ID=name)
    _add(processing, "processingCategory").text = "contentGeneration"
    _add(processing, "processingDateTime").text = time
    _add(processing, "processingStepDescription").text = "layout analysis"
    _add(processing, "processingStepSettings").text = make_storable(f"{finder.model} ({finder.weights[:8]})")
    software = _add(processing, "processingSoftware")
    _add(software, "softwareName").text = finder.program
    _add(software, "softwareVersion").text = finder.version


def _add_tags(root: etree._Element, page: Page, own: set[str]) -> dict[str, str]:
    """Return the identifier of the tag of each word that a region or line is called by."""
    words = dict.fromkeys(
        make_storable(word)
        for word in (*(region.type for region in page.regions), *(tag for line in page.lines for tag in line.tags))
        if word
    )
    tags = {word: _find_free_name(f"tag_{number}", own) for number, word in enumerate(words, start=1)}
    if tags:
        holder = _add(root, "Tags")
        for word, name in tags.items():
            _add(holder, "OtherTag", ID=name, LABEL=word)
    return tags


def _add_block(space: etree._Element, region: Region, lines: Sequence[TextLine], tags: dict[str, str]) -> None:
    block = _add(space, "TextBlock", ID=region.id, **_format_box(region.polygon))
    if region.type:
        block.set("TAGREFS", tags[make_storable(region.type)])
    _add_shape(block, region.polygon)
    for line in lines:
        element = _add(block, "TextLine", ID=line.id, **_format_box(line.polygon))
        if line.tags:
            element.set("TAGREFS", " ".join(tags[make_storable(tag)] for tag in line.tags))
        if line.baseline:
            element.set("BASELINE", _format_points(line.baseline))
        if line.direction:
            element.set("BASEDIRECTION", line.direction)
        _add_shape(element, line.polygon)
        string = _add(element, "String", CONTENT=make_storable(line.text or ""), **_format_box(line.polygon))
        if line.confidence is not None and line.text != "":  # which would be taken for a line that nobody read
            string.set("WC", f"{line.confidence:.4f}")


def _add_shape(parent: etree._Element, polygon: Sequence[Point]) -> None:
    _add(_add(parent, "Shape"), "Polygon", POINTS=_format_points(polygon))


def _format_points(points: Sequence[Point]) -> str:
    return " ".join(f"{x:.0f} {y:.0f}" for x, y in points)


def _format_box(points: Sequence[Point]) -> dict[str, str]:
    left, top, right, bottom = compute_box(points)
    values = {"HPOS": left, "VPOS": top, "WIDTH": right - left, "HEIGHT": bottom - top}
    return {name: f"{value:.0f}" for name, value in values.items()}


def _find_free_name(wish: str, taken: set[str]) -> str:
    while wish in taken:
        wish += "_"
    return wish
