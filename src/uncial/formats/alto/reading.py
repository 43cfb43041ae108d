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
    compute_page_scale,
    is_text_block,
    read_baseline,
    read_box,
    read_layouts,
    read_line_box,
    read_measurement_unit,
    read_shape,
)
from uncial.formats.alto.text import (
    divides_words,
    read_alto_line_text,
    read_confidence,
    read_content,
    read_style_table,
    uses_spaces,
)
from uncial.formats.provenance import ReadingStep, hash_text
from uncial.formats.xml import coordinates
from uncial.formats.xml.identifiers import read_stated_order
from uncial.formats.xml.parsing import find_child, get_local_name, iterate_children, iterate_descendants
from uncial.formats.xml.provenance import add_readers, read_steps
from uncial.formats.xml.region_text import describe_region_text, read_alto_block_texts

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
    """Return the pages of an ALTO file without image: `metadata["image"]` is the name it states.

    A second Page element becomes `page_id#2`, its `metadata["frame"]` "1". Coordinates are pixels; where the file
    counts in tenths of millimetres or 1200ths of an inch, `image` tells how many pixels that is. A line whose
    coordinates are no numbers is left out with an `Issue`. Raises `UnusableInput` where the file holds no Page, or its
    unit cannot be converted."""
    layouts = read_layouts(root)
    if not layouts:
        raise UnusableInput(f"{source}: is an ALTO file without a <Page> element; export it again")
    unit = read_measurement_unit(root)
    tags, styles = _read_tag_table(root), read_style_table(root)
    pages: list[Page] = []
    problems: list[Issue] = []
    for frame, layout in enumerate(layouts):
        try:
            scale = compute_page_scale(unit, layout.page, image)
        except UnusableInput as error:
            raise UnusableInput(f"{source}: {error}", error.kind) from None
        own_id = page_id if frame == 0 else f"{page_id}#{frame + 1}"
        context = _Context(
            layout.page, own_id, scale, tags, styles, uses_spaces(layout.page), divides_words(layout.page)
        )
        page, found = _read_layout(layout, context, root, source)
        pages.append(_number_lines(page, frame))
        problems += found
    return SourceContents(tuple(_add_readers(pages, read_steps(root))), tuple(problems))


def _add_readers(pages: list[Page], steps: list[ReadingStep]) -> list[Page]:
    """Return the pages with who read their lines: the statements are about the whole file, whose line ids differ on all
    of its pages. A line without text that a program is said to have read is blank."""
    blank = {line for step in steps for line, digest in step.lines.items() if digest == hash_text("")}
    lines = [line for page in pages for line in page.lines]
    stated = [replace(line, text="") if line.text is None and line.id in blank else line for line in lines]
    told = iter(add_readers(stated, steps))
    return [replace(page, lines=tuple(next(told) for _ in page.lines)) for page in pages] if steps else pages


def find_stated_image(root: etree._Element) -> str:
    """Return the name of the image that the file states, "" where it states none."""
    information = next(iter(iterate_descendants(root, "sourceImageInformation")), None)
    for name in ("fileName", "fileIdentifier"):
        holder = find_child(information, name) if information is not None else None
        if holder is not None and (holder.text or "").strip():
            return (holder.text or "").strip()
    return ""


def _read_layout(layout: AltoLayout, context: _Context, root: etree._Element, source: Path) -> tuple[Page, list[Issue]]:
    lines, regions, problems = [], [], []
    for line in layout.lines:
        try:
            lines.append(_read_line(line, context))
        except UnusableInput as error:
            problems.append(
                Issue(str(source), line.id, f"{error}; correct the line's coordinates", "wrong_coordinates")
            )
    ids = {block.element: block.id for block in layout.blocks}
    any_text = any((line.text or "").strip() for line in lines)
    problems += describe_region_text(source, read_alto_block_texts(layout), any_text)
    for order, block in enumerate(layout.blocks):
        polygon, problem = _find_block_polygon(block, context.scale)
        parent = next((ids[one] for one in block.around if one in ids), None)
        regions.append(Region(block.id, _find_block_type(block, context), polygon, order, parent))
        if problem:
            reason = f"region {block.id}: {problem}; it is read without an outline"
            problems.append(Issue(str(source), "", reason, "wrong_coordinates"))
    metadata = {"format": "alto", "image": find_stated_image(root)}
    if layout.generated:
        metadata["made_up_line_ids"] = str(layout.generated)
    page = Page(
        id=context.page_id,
        source=source,
        width=_to_pixels(layout.page.get("WIDTH"), context.scale.x),
        height=_to_pixels(layout.page.get("HEIGHT"), context.scale.y),
        regions=tuple(regions),
        lines=tuple(lines),
        metadata=metadata,
        reading_order=read_stated_order(layout.lines, lines),
    )
    return page, problems


def _number_lines(page: Page, frame: int) -> Page:
    if frame:
        page.metadata["frame"] = str(frame)
    return page


def _read_line(line: AltoLine, context: _Context) -> TextLine:
    element = line.element
    above = [] if line.block is None else [line.block.element, *line.block.around]
    content = read_alto_line_text(element, above, context.styles, context.spaces_marked)
    box = read_line_box(element)
    labels, language = _read_labels(element, context.tags)
    return TextLine(
        id=line.id,
        page_id=context.page_id,
        polygon=context.scale.points(read_shape(element)),
        baseline=context.scale.points(read_baseline(element, box)),
        box=context.scale.box(box),
        text=content.text,
        region_id=None if line.block is None else line.block.id,
        direction=read_direction([element, *above]),
        language=_read_language(element, language, above, context),
        tags=labels,
        confidence=content.confidence,
        spans=content.spans,
        words=_read_words(element, context.scale) if context.has_words else (),
    )


def _read_words(line: etree._Element, scale: Scale) -> tuple[Word, ...]:
    found = []
    for element in iterate_children(line, "String"):
        text = read_content(element)
        if text and text.isspace():
            continue
        try:
            polygon = _find_outline(element)
        except UnusableInput:
            polygon = ()
        found.append(Word(scale.points(polygon), text, read_confidence(element)))
    return tuple(found)


def read_direction(chain: Iterable[etree._Element]) -> str | None:
    """Return the nearest BASEDIRECTION; else what a quarter turn by a block's ROTATION makes of horizontal text."""
    elements = list(chain)
    for element in elements:
        stated = (element.get("BASEDIRECTION") or "").lower()
        if stated in DIRECTIONS:
            return stated
    for element in elements:
        rotation = coordinates.read_number(element.get("ROTATION"))
        if rotation is not None:
            turned = rotation % 360
            if abs(turned - 90) <= ROTATION_TOLERANCE:
                return "btt"
            return "ttb" if abs(turned - 270) <= ROTATION_TOLERANCE else None
    return None


def _read_language(
    element: etree._Element, tagged: str | None, above: list[etree._Element], context: _Context
) -> str | None:
    if stated := element.get("LANG") or tagged:
        return stated
    for one in above:
        if stated := one.get("LANG") or _read_labels(one, context.tags)[1] or one.get("language"):
            return stated
    return next((value for one in element.iter("{*}String") if (value := one.get("LANG"))), None)


def _read_tag_table(root: etree._Element) -> dict[str, tuple[str, str]]:
    """(label, type) of each tag by its ID."""
    holder = find_child(root, "Tags")
    if holder is None:
        return {}
    found = {}
    for tag in holder:
        if isinstance(tag.tag, str) and tag.get("ID"):
            found[tag.get("ID", "")] = (tag.get("LABEL") or "", (tag.get("TYPE") or "").lower())
    return found


def _read_labels(element: etree._Element, tags: dict[str, tuple[str, str]]) -> tuple[tuple[str, ...], str | None]:
    """Return the labels that TAGREFS names, and among them the language, which is not one of the tags."""
    found = [tags[reference] for reference in element.get("TAGREFS", "").split() if reference in tags]
    labels = tuple(dict.fromkeys(label for label, kind in found if label and kind != "language"))
    return labels, next((label for label, kind in found if label and kind == "language"), None)


def _find_block_type(block: BlockElement, context: _Context) -> str | None:
    labels, _ = _read_labels(block.element, context.tags)
    if labels:
        return labels[0]
    if is_text_block(block.element):
        return None
    return block.element.get("TYPE") or get_local_name(block.element)


def _find_block_polygon(block: BlockElement, scale: Scale) -> tuple[tuple[Point, ...], str]:
    try:
        return scale.points(_find_outline(block.element)), ""
    except UnusableInput as error:
        return (), str(error)


def _find_outline(element: etree._Element) -> tuple[Point, ...]:
    """Return the element's shape, else its box as four points, in the file's unit. Raises `UnusableInput`."""
    shape, box = read_shape(element), read_box(element)
    if shape or box is None:
        return shape
    left, top, right, bottom = box
    return (left, top), (right, top), (right, bottom), (left, bottom)


def _to_pixels(stated: str | None, scale: float) -> int:
    value = coordinates.read_number(stated)
    return round(value * scale) if value is not None and value > 0 else 0
