"""ALTO 2 to 4.4, as eScriptorium, kraken, Transkribus, Tesseract and ABBYY write it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from lxml import etree

from uncial.document import Issue, Page, Point, Region, SourceContents, TextLine, Word
from uncial.errors import UnusableInput
from uncial.formats.alto.layout import (
    AltoLayout,
    AltoLine,
    BlockElement,
    ImageFacts,
    Scale,
    alto_layouts,
    baseline_of,
    box_of,
    box_of_line,
    is_text_block,
    measurement_unit,
    page_scale,
    shape_of,
)
from uncial.formats.alto.text import (
    alto_text,
    divides_words,
    string_confidence,
    string_content,
    style_table,
    uses_spaces,
)
from uncial.formats.provenance import ReadingStep
from uncial.formats.xml import coordinates
from uncial.formats.xml.identifiers import stated_reading_order
from uncial.formats.xml.parsing import child, children, descendants, local_name
from uncial.formats.xml.provenance import read_steps, with_readers
from uncial.formats.xml.region_text import alto_block_texts, region_text_problem

DIRECTIONS = ("ltr", "rtl", "ttb", "btt")
ROTATION_TOLERANCE = 30.0


@dataclass(frozen=True, slots=True)
class _Context:
    """What a line's meaning depends on besides itself."""

    page: etree._Element
    page_id: str
    scale: Scale
    tags: dict[str, tuple[str, str]]
    styles: dict[str, list[str]]
    spaces_marked: bool
    has_words: bool


def read_alto(root: etree._Element, source: Path, page_id: str, image: ImageFacts | None = None) -> SourceContents:
    """The pages of an ALTO file without image: `metadata["image"]` is the name it states.

    A second Page element becomes `page_id#2`, its `metadata["frame"]` "1". Coordinates are pixels; where the file
    counts in tenths of millimetres or 1200ths of an inch, `image` tells how many pixels that is. A line whose
    coordinates are no numbers is left out with an `Issue`. Raises `UnusableInput` where the file holds no Page, or its
    unit cannot be converted."""
    layouts = alto_layouts(root)
    if not layouts:
        raise UnusableInput(f"{source}: is an ALTO file without a <Page> element; export it again")
    unit = measurement_unit(root)
    tags, styles = _tag_table(root), style_table(root)
    pages: list[Page] = []
    problems: list[Issue] = []
    for frame, layout in enumerate(layouts):
        try:
            scale = page_scale(unit, layout.page, image)
        except UnusableInput as error:
            raise UnusableInput(f"{source}: {error}", error.kind) from None
        own_id = page_id if frame == 0 else f"{page_id}#{frame + 1}"
        context = _Context(
            layout.page, own_id, scale, tags, styles, uses_spaces(layout.page), divides_words(layout.page)
        )
        page, found = _read_layout(layout, context, root, source)
        pages.append(_numbered(page, frame))
        problems += found
    return SourceContents(tuple(_with_readers(pages, read_steps(root))), tuple(problems))


def _with_readers(pages: list[Page], steps: list[ReadingStep]) -> list[Page]:
    """The statements are about the whole file, whose line ids differ on all of its pages."""
    told = iter(with_readers([line for page in pages for line in page.lines], steps))
    return [replace(page, lines=tuple(next(told) for _ in page.lines)) for page in pages] if steps else pages


def stated_image(root: etree._Element) -> str:
    """The name of the image that the file states, "" where it states none."""
    information = next(iter(descendants(root, "sourceImageInformation")), None)
    for name in ("fileName", "fileIdentifier"):
        holder = child(information, name) if information is not None else None
        if holder is not None and (holder.text or "").strip():
            return (holder.text or "").strip()
    return ""


def _read_layout(layout: AltoLayout, context: _Context, root: etree._Element, source: Path) -> tuple[Page, list[Issue]]:
    lines, regions, problems = [], [], []
    for line in layout.lines:
        try:
            lines.append(_line(line, context))
        except UnusableInput as error:
            problems.append(
                Issue(str(source), line.id, f"{error}; correct the line's coordinates", "wrong_coordinates")
            )
    ids = {block.element: block.id for block in layout.blocks}
    any_text = any((line.text or "").strip() for line in lines)
    problems += region_text_problem(source, alto_block_texts(layout), any_text)
    for order, block in enumerate(layout.blocks):
        polygon, problem = _block_polygon(block, context.scale)
        parent = next((ids[one] for one in block.around if one in ids), None)
        regions.append(Region(block.id, _block_type(block, context), polygon, order, parent))
        if problem:
            reason = f"region {block.id}: {problem}; it is read without an outline"
            problems.append(Issue(str(source), "", reason, "wrong_coordinates"))
    metadata = {"format": "alto", "image": stated_image(root)}
    if layout.generated:
        metadata["made_up_line_ids"] = str(layout.generated)
    page = Page(
        id=context.page_id,
        source=source,
        width=_pixels(layout.page.get("WIDTH"), context.scale.x),
        height=_pixels(layout.page.get("HEIGHT"), context.scale.y),
        regions=tuple(regions),
        lines=tuple(lines),
        metadata=metadata,
        reading_order=stated_reading_order(layout.lines, lines),
    )
    return page, problems


def _numbered(page: Page, frame: int) -> Page:
    if frame:
        page.metadata["frame"] = str(frame)
    return page


def _line(line: AltoLine, context: _Context) -> TextLine:
    element = line.element
    above = [] if line.block is None else [line.block.element, *line.block.around]
    content = alto_text(element, above, context.styles, context.spaces_marked)
    box = box_of_line(element)
    labels, language = _labels(element, context.tags)
    return TextLine(
        id=line.id,
        page_id=context.page_id,
        polygon=context.scale.points(shape_of(element)),
        baseline=context.scale.points(baseline_of(element, box)),
        box=context.scale.box(box),
        text=content.text,
        region_id=None if line.block is None else line.block.id,
        direction=direction_of([element, *above]),
        language=_language(element, language, above, context),
        tags=labels,
        confidence=content.confidence,
        spans=content.spans,
        words=_words(element, context.scale) if context.has_words else (),
    )


def _words(line: etree._Element, scale: Scale) -> tuple[Word, ...]:
    found = []
    for element in children(line, "String"):
        text = string_content(element)
        if text and text.isspace():
            continue
        try:
            polygon = _outline(element)
        except UnusableInput:
            polygon = ()
        found.append(Word(scale.points(polygon), text, string_confidence(element)))
    return tuple(found)


def direction_of(chain: Iterable[etree._Element]) -> str | None:
    """The nearest BASEDIRECTION; else what a quarter turn by a block's ROTATION makes of horizontal text."""
    elements = list(chain)
    for element in elements:
        stated = (element.get("BASEDIRECTION") or "").lower()
        if stated in DIRECTIONS:
            return stated
    for element in elements:
        rotation = coordinates.optional_number(element.get("ROTATION"))
        if rotation is not None:
            turned = rotation % 360
            if abs(turned - 90) <= ROTATION_TOLERANCE:
                return "btt"
            return "ttb" if abs(turned - 270) <= ROTATION_TOLERANCE else None
    return None


def _language(
    element: etree._Element, tagged: str | None, above: list[etree._Element], context: _Context
) -> str | None:
    if stated := element.get("LANG") or tagged:
        return stated
    for one in above:
        if stated := one.get("LANG") or _labels(one, context.tags)[1] or one.get("language"):
            return stated
    return next((value for one in element.iter("{*}String") if (value := one.get("LANG"))), None)


def _tag_table(root: etree._Element) -> dict[str, tuple[str, str]]:
    """(label, type) of each tag by its ID."""
    holder = child(root, "Tags")
    if holder is None:
        return {}
    found = {}
    for tag in holder:
        if isinstance(tag.tag, str) and tag.get("ID"):
            found[tag.get("ID", "")] = (tag.get("LABEL") or "", (tag.get("TYPE") or "").lower())
    return found


def _labels(element: etree._Element, tags: dict[str, tuple[str, str]]) -> tuple[tuple[str, ...], str | None]:
    """The labels that TAGREFS names, and among them the language, which is not one of the tags."""
    found = [tags[reference] for reference in element.get("TAGREFS", "").split() if reference in tags]
    labels = tuple(dict.fromkeys(label for label, kind in found if label and kind != "language"))
    return labels, next((label for label, kind in found if label and kind == "language"), None)


def _block_type(block: BlockElement, context: _Context) -> str | None:
    labels, _ = _labels(block.element, context.tags)
    if labels:
        return labels[0]
    if is_text_block(block.element):
        return None
    return block.element.get("TYPE") or local_name(block.element)


def _block_polygon(block: BlockElement, scale: Scale) -> tuple[tuple[Point, ...], str]:
    try:
        return scale.points(_outline(block.element)), ""
    except UnusableInput as error:
        return (), str(error)


def _outline(element: etree._Element) -> tuple[Point, ...]:
    """The element's shape, else its box as four points, in the file's unit. Raises `UnusableInput`."""
    shape, box = shape_of(element), box_of(element)
    if shape or box is None:
        return shape
    left, top, right, bottom = box
    return (left, top), (right, top), (right, bottom), (left, bottom)


def _pixels(stated: str | None, scale: float) -> int:
    value = coordinates.optional_number(stated)
    return round(value * scale) if value is not None and value > 0 else 0
