"""PAGE XML of what a model found on a page: regions of every kind, lines with their confidence, direction and order."""

from collections.abc import Sequence

from lxml import etree

from uncial.document import Page, Point, Region, TextLine
from uncial.formats.page_xml.custom import escape
from uncial.formats.page_xml.new_document import NAMESPACE, SCHEMA_INSTANCE, TYPES
from uncial.formats.page_xml.reading import DIRECTIONS
from uncial.formats.provenance import Reader
from uncial.formats.xml.editing import make_storable
from uncial.formats.xml.whole_pixels import compute_box, fit_to_file

VERSIONS = ("2019-07-15", "2013-07-15")
"""The versions of PAGE that are written; the later one has a confidence of outlines and the direction of a line."""

KINDS = (
    *("ImageRegion", "LineDrawingRegion", "GraphicRegion", "TableRegion", "ChartRegion", "SeparatorRegion"),
    *("MathsRegion", "ChemRegion", "MusicRegion", "AdvertRegion", "NoiseRegion", "UnknownRegion"),
)
"""Elements for regions that are no text; lines in them stand in a text region within."""

DIRECTION_NAMES = {short: name for name, short in DIRECTIONS.items()}


def build_layout_page(page: Page, finder: Reader, time: str, version: str = VERSIONS[0]) -> bytes:
    """Return the page as PAGE XML of that version. `finder` found its lines at `time`, in UTC as XML has it.

    Coordinates become whole pixels on the page (`fit_to_file`). What PAGE's own words do not cover of a region's type
    stands in its `custom` attribute, as Transkribus and eScriptorium write it.
    Raises `ValueError` for a page without an image.
    """
    if page.image is None:
        raise ValueError(f"{page.id} has no image")
    fitted = fit_to_file(page)
    writer = _Writer(NAMESPACE + version, is_latest=version == VERSIONS[0])
    spaces: dict[str | None, str] = {None: writer.space, "xsi": SCHEMA_INSTANCE}
    root = etree.Element(writer.name("PcGts"), nsmap=spaces)  # type: ignore[arg-type]  # the stubs know no default namespace
    root.set(f"{{{SCHEMA_INSTANCE}}}schemaLocation", f"{writer.space} {writer.space}/pagecontent.xsd")
    writer.add_metadata(root, finder, time)
    body = writer.add(root, "Page", imageFilename=page.image.path.name)
    body.set("imageWidth", str(page.width))
    body.set("imageHeight", str(page.height))
    if fitted.regions:
        order = writer.add(writer.add(body, "ReadingOrder"), "OrderedGroup", id=_find_free_name(fitted))
        for number, region in enumerate(fitted.regions):
            writer.add(order, "RegionRefIndexed", index=str(number), regionRef=region.id)
    places = {region.id: number for number, region in enumerate(fitted.regions)}
    for region in fitted.regions:
        if region.parent not in places:
            writer.add_region(body, region, fitted, places)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


class _Writer:
    """Adds elements in the namespace `space`. `is_latest` tells whether that is the version of 2019."""

    def __init__(self, space: str, is_latest: bool) -> None:
        self.space, self.is_latest = space, is_latest

    def name(self, name: str) -> str:
        return f"{{{self.space}}}{name}"

    def add(self, parent: etree._Element, name: str, **attributes: str) -> etree._Element:
        return etree.SubElement(parent, self.name(name), attributes)

    def add_metadata(self, root: etree._Element, finder: Reader, time: str) -> None:
        metadata = self.add(root, "Metadata")
        program, found_by = f"{finder.program} {finder.version}", f"{finder.model} ({finder.weights[:8]})"
        for name, text in (("Creator", program), ("Created", time), ("LastChange", time)):
            self.add(metadata, name).text = text
        if not self.is_latest:
            self.add(metadata, "Comments").text = make_storable(f"lines and regions found by {program} with {found_by}")
            return
        item = self.add(metadata, "MetadataItem", type="processingStep", value=program, date=time)
        item.set("name", "layout analysis")
        self.add(self.add(item, "Labels"), "Label", type="model", value=make_storable(found_by))

    def add_region(self, parent: etree._Element, region: Region, page: Page, places: dict[str, int]) -> None:
        lines = [line for line in page.lines if line.region_id == region.id]
        inner = [one for one in page.regions if one.parent == region.id]
        is_text = region.type not in KINDS
        element = self.add(parent, "TextRegion" if is_text else str(region.type), id=region.id)
        custom = [f"readingOrder {{index:{places[region.id]};}}"]
        if is_text and region.type:
            custom.append(f"structure {{type:{escape(make_storable(region.type))};}}")
            if region.type in TYPES:
                element.set("type", region.type)
        element.set("custom", " ".join(custom))
        self._add_points(element, "Coords", region.polygon)
        for one in inner:
            self.add_region(element, one, page, places)
        if lines and not is_text:
            element = self.add(element, "TextRegion", id=_find_free_name(page, f"{region.id}_text"))
            self._add_points(element, "Coords", _list_corners([point for line in lines for point in line.polygon]))
        for number, line in enumerate(lines):
            self._add_line(element, line, number)
        texts = [line.text for line in lines if line.text is not None]
        if texts:
            self._add_text(element, "\n".join(map(make_storable, texts)), None)

    def _add_line(self, region: etree._Element, line: TextLine, number: int) -> None:
        custom = [f"readingOrder {{index:{number};}}"]
        element = self.add(region, "TextLine", id=line.id)
        if line.direction and self.is_latest:
            element.set("readingDirection", DIRECTION_NAMES[line.direction])
        elif line.direction:
            custom.append(f"readingDirection {{type:{DIRECTION_NAMES[line.direction]};}}")
        if line.language:
            custom.append(f"language {{type:{escape(make_storable(line.language))};}}")
        if line.tags:
            custom.append(f"structure {{type:{escape(make_storable(line.tags[0]))};}}")
        element.set("custom", " ".join(custom))
        outline = self._add_points(element, "Coords", line.polygon)
        if self.is_latest and line.text is None and line.confidence is not None:
            outline.set("conf", f"{line.confidence:.4f}")
        if line.baseline:
            self._add_points(element, "Baseline", line.baseline)
        if line.text is not None:
            self._add_text(element, make_storable(line.text), line.confidence)

    def _add_text(self, parent: etree._Element, text: str, confidence: float | None) -> None:
        equivalent = self.add(parent, "TextEquiv")
        if confidence is not None:
            equivalent.set("conf", f"{confidence:.4f}")
        self.add(equivalent, "Unicode").text = text

    def _add_points(self, parent: etree._Element, name: str, points: Sequence[Point]) -> etree._Element:
        return self.add(parent, name, points=" ".join(f"{x:.0f},{y:.0f}" for x, y in points))


def _list_corners(points: Sequence[Point]) -> tuple[Point, ...]:
    left, top, right, bottom = compute_box(points)
    return (left, top), (right, top), (right, bottom), (left, bottom)


def _find_free_name(page: Page, wish: str = "order") -> str:
    """Return a name that no region or line has."""
    taken = {region.id for region in page.regions} | {line.id for line in page.lines}
    while wish in taken:
        wish += "_"
    return wish
