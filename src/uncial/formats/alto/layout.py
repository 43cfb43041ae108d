"""The blocks and lines of an ALTO page in reading order, and the coordinates of all versions: what the reader and the
writer of text both go by."""

import math
from dataclasses import dataclass, replace

from lxml import etree

from uncial.document import Point
from uncial.errors import UnusableInput
from uncial.formats.xml import coordinates
from uncial.formats.xml.identifiers import count_generated, make_identifiers_unique
from uncial.formats.xml.parsing import find_child, get_local_name, iterate_children, iterate_descendants

Box = tuple[float, float, float, float]

UNITS_PER_INCH = {"mm10": 254.0, "inch1200": 1200.0}
PIXEL_NAMES = ("", "pixel", "pixels", "px")
ASPECT_TOLERANCE = 0.03
ELLIPSE_POINTS = 32


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """The image's width and height in pixels, and its resolution in dots an inch, 0 where it is not known."""

    width: int
    height: int
    dpi: float = 0.0


@dataclass(frozen=True, slots=True)
class Scale:
    """Pixels for one unit of the file, across and down."""

    x: float = 1.0
    y: float = 1.0

    def points(self, points: tuple[Point, ...]) -> tuple[Point, ...]:
        """Return the points in pixels."""
        if self.x == 1.0 and self.y == 1.0:
            return points
        return tuple((x * self.x, y * self.y) for x, y in points)

    def box(self, box: Box | None) -> Box | None:
        """Return the box in pixels."""
        if box is None or (self.x == 1.0 and self.y == 1.0):
            return box
        return box[0] * self.x, box[1] * self.y, box[2] * self.x, box[3] * self.y


def read_measurement_unit(root: etree._Element) -> str:
    """Return the unit in small letters, `pixel` where none is stated."""
    description = find_child(root, "Description")
    unit = find_child(description, "MeasurementUnit") if description is not None else None
    stated = "" if unit is None else (unit.text or "").strip().lower()
    return "pixel" if stated in PIXEL_NAMES else stated


def compute_page_scale(unit: str, page: etree._Element, image: ImageFacts | None) -> Scale:
    """Pixels a unit: from the sizes of page and image where their proportions agree, else from the resolution.

    Raises `UnusableInput` for an unknown unit, and where nothing says how large a pixel is.
    """
    if unit == "pixel":
        return Scale()
    if unit not in UNITS_PER_INCH:
        raise UnusableInput(f"its MeasurementUnit {unit!r} is unknown; export it again in pixels")
    width, height = coordinates.read_number(page.get("WIDTH")), coordinates.read_number(page.get("HEIGHT"))
    if image is not None and width and height and width > 0 and height > 0:
        x, y = image.width / width, image.height / height
        if abs(x / y - 1) <= ASPECT_TOLERANCE:
            return Scale(x, y)
    if image is not None and image.dpi > 0:
        return Scale(image.dpi / UNITS_PER_INCH[unit], image.dpi / UNITS_PER_INCH[unit])
    if image is None:
        raise UnusableInput(
            f"its coordinates are in {unit} and its image is missing; export it again in pixels", "missing_image"
        )
    missing = "neither its Page nor the image says how many pixels that is"
    raise UnusableInput(f"its coordinates are in {unit} and {missing}; export it again in pixels")


def read_box(element: etree._Element) -> Box | None:
    """(left, top, right, bottom) in the file's unit where all four attributes are there. Raises `UnusableInput`."""
    values = [element.get(name) for name in ("HPOS", "VPOS", "WIDTH", "HEIGHT")]
    if not all(values):
        return None
    left, top, width, height = (coordinates.number(value or "") for value in values)
    return left, top, left + width, top + height


def read_line_box(line: etree._Element) -> Box | None:
    """Return the line's own box, else what those of its strings cover together. Raises `UnusableInput`."""
    own = read_box(line)
    boxes = (
        []
        if own is not None
        else [box for one in iterate_children(line, "String") if (box := read_box(one)) is not None]
    )
    if not boxes:
        return own
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def read_shape(element: etree._Element) -> tuple[Point, ...]:
    """Return the outline of Shape, in the file's unit; an ellipse or a circle becomes a polygon. Raises
    `UnusableInput`."""
    shape = find_child(element, "Shape")
    if shape is None:
        return ()
    for outline in iterate_children(shape):
        if get_local_name(outline) == "Polygon":
            return coordinates.read_points(outline.get("POINTS", ""))
        if get_local_name(outline) == "Circle":
            radius = coordinates.number(outline.get("RADIUS", ""))
            return _draw_ellipse(outline, radius, radius)
        if get_local_name(outline) == "Ellipse":
            across, down = (coordinates.number(outline.get(name, "")) / 2 for name in ("HLENGTH", "VLENGTH"))
            return _draw_ellipse(outline, across, down)
    return ()


def read_baseline(line: etree._Element, box: Box | None) -> tuple[Point, ...]:
    """Return the point list, or for the single height of ALTO before 4.0 a level line across the box, in the file's
    unit.

    A single height that lies far from the box is in no known system of coordinates and left out. Raises
    `UnusableInput`."""
    stated = line.get("BASELINE", "").strip()
    if not stated:
        return ()
    if len(stated.replace(",", " ").split()) > 1:
        return coordinates.read_points(stated)
    height = coordinates.number(stated)
    if box is None:
        return ()
    left, top, right, bottom = box
    margin = (bottom - top) / 2
    return ((left, height), (right, height)) if top - margin <= height <= bottom + margin else ()


def _draw_ellipse(outline: etree._Element, across: float, down: float) -> tuple[Point, ...]:
    """ALTO gives the centre, and a rotation counterclockwise in degrees."""
    x, y = coordinates.number(outline.get("HPOS", "")), coordinates.number(outline.get("VPOS", ""))
    turn = -math.radians(coordinates.read_number(outline.get("ROTATION")) or 0.0)
    found = []
    for step in range(ELLIPSE_POINTS):
        angle = 2 * math.pi * step / ELLIPSE_POINTS
        right, low = across * math.cos(angle), down * math.sin(angle)
        found.append(
            (x + right * math.cos(turn) - low * math.sin(turn), y + right * math.sin(turn) + low * math.cos(turn))
        )
    return tuple(found)


BLOCKS = ("TextBlock", "ComposedBlock", "Illustration", "GraphicalElement")


@dataclass(frozen=True, slots=True)
class BlockElement:
    """A block with its identifier and the elements around it up to the page, the nearest first."""

    element: etree._Element
    id: str
    around: tuple[etree._Element, ...]


@dataclass(frozen=True, slots=True)
class AltoLine:
    """A TextLine with its identifier and its block, None where it lies in none. `is_ordered` says whether the file's
    ReadingOrder names it, one of its strings, or a block around it."""

    element: etree._Element
    id: str
    block: BlockElement | None
    is_ordered: bool = False


@dataclass(frozen=True, slots=True)
class AltoLayout:
    """Blocks and lines of one page in reading order, and how many of the lines' identifiers had to be made."""

    page: etree._Element
    blocks: tuple[BlockElement, ...]
    lines: tuple[AltoLine, ...]
    generated: int


def read_layouts(root: etree._Element) -> list[AltoLayout]:
    """One for each Page element, in the order of `ReadingOrder`, else the document's."""
    lines, blocks = iterate_descendants(root, "TextLine"), iterate_descendants(root, *BLOCKS)
    stated = [one.get("ID") for one in lines]
    line_ids = dict(zip(lines, make_identifiers_unique(stated, "line"), strict=True))
    block_ids = dict(zip(blocks, make_identifiers_unique([one.get("ID") for one in blocks], "region"), strict=True))
    ranks = _compute_ranks(root)
    return [_read_layout(page, line_ids, block_ids, ranks) for page in iterate_descendants(root, "Page")]


def _read_layout(
    page: etree._Element,
    line_ids: dict[etree._Element, str],
    block_ids: dict[etree._Element, str],
    ranks: dict[str, int],
) -> AltoLayout:
    found: dict[etree._Element, BlockElement] = {}
    for element in iterate_descendants(page, *BLOCKS):
        found[element] = BlockElement(element, block_ids[element], _find_around(element, page))
    lines = []
    for element in iterate_descendants(page, "TextLine"):
        block = next((found[one] for one in element.iterancestors() if one in found), None)
        lines.append(AltoLine(element, line_ids[element], block))
    generated = count_generated([one.element.get("ID") for one in lines], [one.id for one in lines])
    if ranks:
        ranked = sorted(((_compute_line_rank(line, ranks), line) for line in lines), key=lambda item: item[0])
        lines = [replace(line, is_ordered=rank < len(ranks)) for rank, line in ranked]
    return AltoLayout(page, tuple(_order_blocks(found, lines, ranks)), tuple(lines), generated)


def _find_around(element: etree._Element, page: etree._Element) -> tuple[etree._Element, ...]:
    above = []
    for one in element.iterancestors():
        above.append(one)
        if one is page:
            break
    return tuple(above)


def _compute_ranks(root: etree._Element) -> dict[str, int]:
    """Return the place of each identifier in the reading order; of several orders side by side, the first one's."""
    ranks: dict[str, int] = {}
    for order in iterate_descendants(root, "ReadingOrder"):
        for entry in order.iter("{*}ElementRef", "{*}OrderedGroup", "{*}UnorderedGroup"):
            for reference in entry.get("REF", "").split():
                ranks.setdefault(reference, len(ranks))
    return ranks


def _compute_line_rank(line: AltoLine, ranks: dict[str, int]) -> int:
    """Return a line's own place, else that of its first string, else that of its block; lines without one come last."""
    last = len(ranks)
    own = [line.element, *iterate_children(line.element, "String")]
    rank = min(ranks.get(one.get("ID", ""), last) for one in own)
    if rank == last and line.block is not None:
        chain = [line.block.element, *line.block.around]
        rank = next((ranks[one.get("ID", "")] for one in chain if one.get("ID", "") in ranks), last)
    return rank


def _order_blocks(
    blocks: dict[etree._Element, BlockElement], lines: list[AltoLine], ranks: dict[str, int]
) -> list[BlockElement]:
    if not ranks:
        return list(blocks.values())
    last = len(ranks)
    best = {element: ranks.get(element.get("ID", ""), last) for element in blocks}
    for line in lines:
        if line.block is not None:
            best[line.block.element] = min(best[line.block.element], _compute_line_rank(line, ranks))
    return sorted(blocks.values(), key=lambda block: best[block.element])


def is_text_block(element: etree._Element) -> bool:
    """Return whether the block is one that holds lines itself."""
    return get_local_name(element) == "TextBlock"
