"""PAGE XML that is made anew: of drawn pages, and of pages of which only some lines are handed on."""

import shutil
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from lxml import etree
from PIL import Image

from uncial.document import ImageSource, Page, Point, Region, TextLine
from uncial.errors import UnusableInput
from uncial.files import replace_file
from uncial.formats.image_finder import open_header
from uncial.formats.xml.editing import make_storable
from uncial.formats.xml.identifiers import make_identifier

NAMESPACE = "http://schema.primaresearch.org/PAGE/gts/pagecontent/"
SCHEMA_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
# One date for all: a page's bytes depend on nothing but its options and seed.
_DATE = "2000-01-01T00:00:00"


def build_page_xml(page: Page, version: str = "2013-07-15") -> bytes:
    """Return the page as PAGE XML of that version, its coordinates in whole pixels.

    Raises `ValueError` for a page without an image.
    """
    if page.image is None:
        raise ValueError(f"{page.id} has no image")
    space = NAMESPACE + version
    spaces: dict[str | None, str] = {None: space, "xsi": SCHEMA_INSTANCE}
    root = etree.Element(f"{{{space}}}PcGts", nsmap=spaces)  # type: ignore[arg-type]  # the stubs know no default namespace
    root.set(f"{{{SCHEMA_INSTANCE}}}schemaLocation", f"{space} {space}/pagecontent.xsd")
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
        _build_region(body, space, region, [line for line in page.lines if line.region_id == region.id])
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _build_region(body: etree._Element, space: str, region: Region, lines: list[TextLine]) -> None:
    element = _open_region(body, space, region)
    etree.SubElement(element, f"{{{space}}}Coords", points=_format_points(region.polygon))
    if region.type == PICTURE:
        return
    # The older version states the direction of regions alone.
    if len(directions := {line.direction for line in lines}) == 1 and (direction := directions.pop()) is not None:
        element.set("readingDirection", DIRECTION_NAMES[direction])
    for n, line in enumerate(lines):
        _build_line(element, space, line, n)
    _build_text(element, space, "\n".join(line.text or "" for line in lines))


def _open_region(body: etree._Element, space: str, region: Region) -> etree._Element:
    """Return the region's new element: with its type where PAGE knows it, else with the nearest one that it knows and
    its own type as Transkribus and eScriptorium state it."""
    if region.type is None or region.type in TYPES:
        return etree.SubElement(body, f"{{{space}}}TextRegion", id=region.id, type=region.type or "paragraph")
    custom = f"structure {{type:{region.type};}}"
    if region.type == PICTURE:
        return etree.SubElement(body, f"{{{space}}}GraphicRegion", id=region.id, custom=custom)
    kind = SEGMONTO_TYPES.get(region.type, "other")
    return etree.SubElement(body, f"{{{space}}}TextRegion", id=region.id, type=kind, custom=custom)


def _build_line(region: etree._Element, space: str, line: TextLine, order: int) -> None:
    structure = f" structure {{type:{line.tags[0]};}}" if line.tags else ""
    custom = f"readingOrder {{index:{order};}}{structure}"
    element = etree.SubElement(region, f"{{{space}}}TextLine", id=line.id, custom=custom)
    if line.language:
        element.set("primaryLanguage", line.language)
    etree.SubElement(element, f"{{{space}}}Coords", points=_format_points(line.polygon))
    if line.baseline:
        etree.SubElement(element, f"{{{space}}}Baseline", points=_format_points(line.baseline))
    _build_text(element, space, line.text or "")


def _build_text(parent: etree._Element, space: str, text: str) -> None:
    equivalent = etree.SubElement(parent, f"{{{space}}}TextEquiv")
    etree.SubElement(equivalent, f"{{{space}}}Unicode").text = text


def _format_points(points: Iterable[Point]) -> str:
    return " ".join(f"{max(0, round(x))},{max(0, round(y))}" for x, y in points)


TYPES = (
    *("paragraph", "heading", "caption", "header", "footer", "page-number", "drop-capital", "credit", "floating"),
    *("signature-mark", "catch-word", "marginalia", "footnote", "footnote-continued", "endnote", "TOC-entry", "other"),
)
"""What PAGE lets a text region be."""

SEGMONTO_TYPES = {
    "MainZone": "paragraph",
    "MarginTextZone": "marginalia",
    "NumberingZone": "page-number",
    "RunningTitleZone": "header",
    "DropCapitalZone": "drop-capital",
    "QuireMarksZone": "signature-mark",
}
"""The zones of SegmOnto as PAGE names them; all others are `other`."""

PICTURE = "GraphicZone"
DIRECTION_NAMES = {"ltr": "left-to-right", "rtl": "right-to-left", "ttb": "top-to-bottom", "btt": "bottom-to-top"}


def write_excerpt(page: Page, lines: Collection[str], folder: Path, with_image: bool) -> Path:
    """Write `FOLDER/<page id>.xml`, PAGE 2013 with the lines of these ids, their regions and nothing else, and where
    wanted a copy of the image beside it. Return the file.

    Identifiers that PAGE does not allow are changed, and a line's number is kept in their place. Raises `UnusableInput`
    where the page has no image, or one that cannot be read, and `UserError` where the file cannot be written.
    """
    if page.image is None:
        raise UnusableInput(f"{page.id} has no image, and PAGE needs one")
    width, height = _find_size(page, page.image)
    name = page.image.path.name if not page.image.frame else f"{page.image.path.stem}_{page.image.frame}.png"
    target = excerpt_file(page, folder)
    chosen = [line for line in page.lines if line.id in set(lines)]
    regions = _list_regions(page, chosen, width, height)
    excerpt = replace(
        page,
        image=ImageSource(Path(name)),
        width=width,
        height=height,
        regions=tuple(regions.values()),
        lines=tuple(_excerpt_line(line, regions, number, width, height) for number, line in enumerate(chosen, start=1)),
    )
    with replace_file(target) as file:
        file.write_bytes(build_page_xml(excerpt))
    if with_image:
        _copy(page.image, target.with_name(name))
    return target


def excerpt_file(page: Page, folder: Path) -> Path:
    """Return where `write_excerpt` writes the lines of a page."""
    return folder / f"{page.id}.xml"


def _find_size(page: Page, image: ImageSource) -> tuple[int, int]:
    if page.width > 0 and page.height > 0:
        return page.width, page.height
    try:
        with open_header(image.path) as opened:
            opened.seek(image.frame)
            return opened.size
    except (OSError, EOFError) as error:
        raise UnusableInput(f"{image.path}: {error}") from error


def _copy(image: ImageSource, target: Path) -> None:
    if target.exists() and target.samefile(image.path):
        return
    with replace_file(target) as file:
        if not image.frame:
            shutil.copyfile(image.path, file)
            return
        with Image.open(image.path) as opened:
            opened.seek(image.frame)
            opened.save(file)


def _list_regions(page: Page, lines: Sequence[TextLine], width: int, height: int) -> dict[str | None, Region]:
    """Return the regions of these lines by the id that the page has for them, in its order."""
    stated = {region.id: region for region in page.regions}
    found: dict[str | None, Region] = {}
    for identity in sorted({line.region_id for line in lines}, key=lambda one: (one not in stated, str(one))):
        region = stated.get(identity or "")
        polygon = _move_inside(region.polygon, width, height) if region else ()
        if len(polygon) < 3:
            points = [
                point for line in lines if line.region_id == identity for point in _find_outline(line, width, height)
            ]
            polygon = _make_rectangle(points)
        kind = region.type if region and region.type in TYPES else "other" if region and region.type else "paragraph"
        found[identity] = Region(make_identifier(identity or "lines", f"r{len(found) + 1}"), kind, polygon)
    return found


def _excerpt_line(line: TextLine, regions: dict[str | None, Region], number: int, width: int, height: int) -> TextLine:
    baseline = _move_inside(line.baseline, width, height)
    return replace(
        line,
        id=make_identifier(line.id, f"l{number}"),
        region_id=regions[line.region_id].id,
        polygon=_find_outline(line, width, height),
        baseline=baseline if len(baseline) > 1 else (),
        text=make_storable(line.text or ""),
        language=None,
        direction=None,
        tags=(),
    )


def _find_outline(line: TextLine, width: int, height: int) -> tuple[Point, ...]:
    """Return the polygon, else the box, else the baseline, else all of the image: PAGE needs one."""
    if len(line.polygon) >= 3:
        return _move_inside(line.polygon, width, height)
    if line.box is not None:
        return _move_inside(_make_rectangle([line.box[:2], line.box[2:]]), width, height)
    if len(line.baseline) >= 2:
        return _move_inside(line.baseline, width, height)
    return _make_rectangle([(0.0, 0.0), (float(width), float(height))])


def _move_inside(points: Sequence[Point], width: int, height: int) -> tuple[Point, ...]:
    return tuple((min(max(x, 0.0), float(width)), min(max(y, 0.0), float(height))) for x, y in points)


def _make_rectangle(points: Sequence[Point]) -> tuple[Point, ...]:
    xs, ys = zip(*points, strict=True)
    return (min(xs), min(ys)), (max(xs), min(ys)), (max(xs), max(ys)), (min(xs), max(ys))
