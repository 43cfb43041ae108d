"""PAGE XML of every version, 2009 to 2019 and later, as Transkribus, eScriptorium, Loghi, Laypa and OCR-D write it."""

from collections.abc import Iterable
from pathlib import Path

from lxml import etree

from uncial.document import Issue, Page, Point, Region, SourceContents, TextLine, Word
from uncial.errors import UnusableInput
from uncial.formats.page_xml.custom import CustomEntry, get_first_value, parse_custom
from uncial.formats.page_xml.layout import LineElement, RegionElement, read_layout
from uncial.formats.page_xml.text import WordText, read_line_text
from uncial.formats.xml import coordinates
from uncial.formats.xml.identifiers import read_stated_order
from uncial.formats.xml.parsing import find_child, get_local_name, iterate_children, iterate_descendants
from uncial.formats.xml.provenance import add_readers, read_steps
from uncial.formats.xml.region_text import describe_region_text, read_page_region_texts

DIRECTIONS = {"left-to-right": "ltr", "right-to-left": "rtl", "top-to-bottom": "ttb", "bottom-to-top": "btt"}
TRANSKRIBUS_KEYS = ("docId", "pageId", "pageNr", "title", "imgUrl", "status", "tsid")


def read_page(root: etree._Element, source: Path, page_id: str) -> SourceContents:
    """Return the page of a PAGE file, without its image: `metadata["image"]` is the name that the file states.

    Coordinates are pixels of that image. A line whose coordinates are no numbers is left out with an `Issue`. Raises
    LineError where the file holds no Page.
    """
    pages = iterate_descendants(root, "Page")
    if not pages:
        raise UnusableInput(f"{source}: is a PAGE file without a <Page> element; export it again")
    page = pages[0]
    layout = read_layout(page)
    lines, problems = [], []
    if len(pages) > 1:
        reason = f"holds {len(pages)} <Page> elements, of which PAGE knows one and only the first is read"
        problems.append(Issue(str(source), "", f"{reason}; write one file for each page"))
    for line in layout.lines:
        try:
            lines.append(_read_line(line, page, page_id))
        except UnusableInput as error:
            problems.append(
                Issue(str(source), line.id, f"{error}; correct the line's coordinates", "wrong_coordinates")
            )
    regions = []
    ids = {region.element: region.id for region in layout.regions}
    for order, region in enumerate(layout.regions):
        polygon, problem = _read_region_polygon(region)
        parent = ids[region.around[0]] if region.around else None
        regions.append(Region(region.id, _read_region_type(region.element), polygon, order, parent))
        if problem:
            reason = f"region {region.id}: {problem}; it is read without an outline"
            problems.append(Issue(str(source), "", reason, "wrong_coordinates"))
    any_text = any((line.text or "").strip() for line in lines)
    problems += describe_region_text(source, read_page_region_texts(layout), any_text)
    found = Page(
        id=page_id,
        source=source,
        width=coordinates.read_size(page.get("imageWidth")),
        height=coordinates.read_size(page.get("imageHeight")),
        regions=tuple(regions),
        lines=tuple(add_readers(lines, read_steps(root))),
        metadata=_read_metadata(root, page, layout.generated),
        reading_order=read_stated_order(layout.lines, lines),
    )
    return SourceContents((found,), tuple(problems))


def _read_line(line: LineElement, page: etree._Element, page_id: str) -> TextLine:
    element, region = line.element, line.region
    custom = parse_custom(element.get("custom"))
    above = [] if region is None else [region.element, *region.around]
    content = read_line_text(element, custom)
    polygon, baseline = _read_points(element, "Coords"), _read_points(element, "Baseline")
    return TextLine(
        id=line.id,
        page_id=page_id,
        polygon=polygon,
        baseline=baseline,
        box=None if polygon or baseline else _compute_box_of_words(element),
        text=content.text,
        region_id=None if region is None else region.id,
        direction=_read_direction([element, *above, page]),
        language=_read_language([element, *above, page]),
        tags=_read_tags(element, custom, above),
        confidence=_read_outline_confidence(element) if content.text is None else content.confidence,
        spans=content.spans,
        words=_read_words(content.words),
    )


def _read_outline_confidence(line: etree._Element) -> float | None:
    """Return how sure a program was of a line that nobody has read."""
    holder = find_child(line, "Coords")
    return None if holder is None else coordinates.read_fraction(holder.get("conf"))


def _read_words(words: Iterable[WordText]) -> tuple[Word, ...]:
    """Return the line's words; kraken writes spaces as words of their own, which are none."""
    found = []
    for word in words:
        text = word.text or ""
        if text and text.isspace():
            continue
        try:
            polygon = _read_points(word.element, "Coords")
        except UnusableInput:
            polygon = ()
        found.append(Word(polygon, text, word.confidence))
    return tuple(found)


def _read_points(element: etree._Element, name: str) -> tuple[Point, ...]:
    """Return the `points` attribute, or the Point children of the versions before 2013."""
    holder = find_child(element, name)
    if holder is None:
        return ()
    if (stated := holder.get("points")) is not None:
        return coordinates.read_points(stated)
    olds = [one for one in holder if get_local_name(one) == "Point"]
    return tuple((coordinates.number(one.get("x", "")), coordinates.number(one.get("y", ""))) for one in olds)


def _compute_box_of_words(line: etree._Element) -> tuple[float, float, float, float] | None:
    """Return what the outlines of the words cover together, for a line that states no place of its own."""
    points = [point for word in iterate_children(line, "Word") for point in _read_points(word, "Coords")]
    if not points:
        return None
    across, down = zip(*points, strict=True)
    return min(across), min(down), max(across), max(down)


def _read_region_polygon(region: RegionElement) -> tuple[tuple[Point, ...], str]:
    try:
        return _read_points(region.element, "Coords"), ""
    except UnusableInput as error:
        return (), str(error)


def _read_region_type(element: etree._Element) -> str | None:
    """Return the structure type of Transkribus and eScriptorium, else PAGE's own type, else the kind of region."""
    stated = get_first_value(
        _read_of_the_whole(parse_custom(element.get("custom"))), "structure", "type"
    ) or element.get("type")
    if stated:
        return stated
    return None if get_local_name(element) == "TextRegion" else get_local_name(element)


def _read_direction(chain: Iterable[etree._Element]) -> str | None:
    """Return the nearest statement of the line, its regions and its page."""
    for element in chain:
        stated = element.get("readingDirection") or get_first_value(
            parse_custom(element.get("custom")), "readingDirection", "type"
        )
        if stated in DIRECTIONS:
            return DIRECTIONS[stated]
    return None


def _read_language(chain: Iterable[etree._Element]) -> str | None:
    for element in chain:
        custom = _read_of_the_whole(parse_custom(element.get("custom")))
        if stated := get_first_value(custom, "language", "type") or element.get("primaryLanguage"):
            return stated
    return None


def _read_tags(element: etree._Element, custom: list[CustomEntry], above: list[etree._Element]) -> tuple[str, ...]:
    """Return the structure type, the `type` attribute, and how the line was produced (`printed`, `handwritten-cursive`
    …)."""
    production = next((value for one in [element, *above] if (value := one.get("production"))), None)
    stated = (get_first_value(_read_of_the_whole(custom), "structure", "type"), element.get("type"), production)
    return tuple(dict.fromkeys(tag for tag in stated if tag))


def _read_of_the_whole(custom: list[CustomEntry]) -> list[CustomEntry]:
    return [(name, values) for name, values in custom if "offset" not in values]


def _read_metadata(root: etree._Element, page: etree._Element, generated: int) -> dict[str, str]:
    found = {"format": "page", "image": (page.get("imageFilename") or "").strip()}
    metadata = find_child(root, "Metadata")
    if metadata is not None:
        creator = find_child(metadata, "Creator")
        if creator is not None and (creator.text or "").strip():
            found["creator"] = (creator.text or "").strip()
        transkribus = find_child(metadata, "TranskribusMetadata")
        if transkribus is not None:
            found |= {key: value for key in TRANSKRIBUS_KEYS if (value := transkribus.get(key))}
    if generated:
        found["made_up_line_ids"] = str(generated)
    return found
