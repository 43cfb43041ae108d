"""Coordinates of ALTO files: units, boxes, shapes, and baselines of all versions."""

import math
from dataclasses import dataclass

from lxml import etree

from uncial.document import Point
from uncial.errors import UnusableInput
from uncial.formats.xml import coordinates
from uncial.formats.xml.parsing import child, children, local_name

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
        """The points in pixels."""
        if self.x == 1.0 and self.y == 1.0:
            return points
        return tuple((x * self.x, y * self.y) for x, y in points)

    def box(self, box: Box | None) -> Box | None:
        """The box in pixels."""
        if box is None or (self.x == 1.0 and self.y == 1.0):
            return box
        return box[0] * self.x, box[1] * self.y, box[2] * self.x, box[3] * self.y


def measurement_unit(root: etree._Element) -> str:
    """The unit in small letters, `pixel` where none is stated."""
    description = child(root, "Description")
    unit = child(description, "MeasurementUnit") if description is not None else None
    stated = "" if unit is None else (unit.text or "").strip().lower()
    return "pixel" if stated in PIXEL_NAMES else stated


def page_scale(unit: str, page: etree._Element, image: ImageFacts | None) -> Scale:
    """Pixels a unit: from the sizes of page and image where their proportions agree, else from the resolution.

    Raises `UnusableInput` for an unknown unit, and where nothing says how large a pixel is.
    """
    if unit == "pixel":
        return Scale()
    if unit not in UNITS_PER_INCH:
        raise UnusableInput(f"its MeasurementUnit {unit!r} is unknown; export it again in pixels")
    width, height = coordinates.optional_number(page.get("WIDTH")), coordinates.optional_number(page.get("HEIGHT"))
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


def box_of(element: etree._Element) -> Box | None:
    """(left, top, right, bottom) in the file's unit where all four attributes are there. Raises `UnusableInput`."""
    values = [element.get(name) for name in ("HPOS", "VPOS", "WIDTH", "HEIGHT")]
    if not all(values):
        return None
    left, top, width, height = (coordinates.number(value or "") for value in values)
    return left, top, left + width, top + height


def box_of_line(line: etree._Element) -> Box | None:
    """The line's own box, else what those of its strings cover together. Raises `UnusableInput`."""
    own = box_of(line)
    boxes = [] if own is not None else [box for one in children(line, "String") if (box := box_of(one)) is not None]
    if not boxes:
        return own
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def shape_of(element: etree._Element) -> tuple[Point, ...]:
    """The outline of Shape, in the file's unit; an ellipse or a circle becomes a polygon. Raises `UnusableInput`."""
    shape = child(element, "Shape")
    if shape is None:
        return ()
    for outline in children(shape):
        if local_name(outline) == "Polygon":
            return coordinates.points(outline.get("POINTS", ""))
        if local_name(outline) == "Circle":
            radius = coordinates.number(outline.get("RADIUS", ""))
            return _ellipse(outline, radius, radius)
        if local_name(outline) == "Ellipse":
            across, down = (coordinates.number(outline.get(name, "")) / 2 for name in ("HLENGTH", "VLENGTH"))
            return _ellipse(outline, across, down)
    return ()


def baseline_of(line: etree._Element, box: Box | None) -> tuple[Point, ...]:
    """The point list, or for the single height of ALTO before 4.0 a level line across the box, in the file's unit.

    A single height that lies far from the box is in no known system of coordinates and left out. Raises
    `UnusableInput`."""
    stated = line.get("BASELINE", "").strip()
    if not stated:
        return ()
    if len(stated.replace(",", " ").split()) > 1:
        return coordinates.points(stated)
    height = coordinates.number(stated)
    if box is None:
        return ()
    left, top, right, bottom = box
    margin = (bottom - top) / 2
    return ((left, height), (right, height)) if top - margin <= height <= bottom + margin else ()


def _ellipse(outline: etree._Element, across: float, down: float) -> tuple[Point, ...]:
    """ALTO gives the centre, and a rotation counterclockwise in degrees."""
    x, y = coordinates.number(outline.get("HPOS", "")), coordinates.number(outline.get("VPOS", ""))
    turn = -math.radians(coordinates.optional_number(outline.get("ROTATION")) or 0.0)
    found = []
    for step in range(ELLIPSE_POINTS):
        angle = 2 * math.pi * step / ELLIPSE_POINTS
        right, low = across * math.cos(angle), down * math.sin(angle)
        found.append(
            (x + right * math.cos(turn) - low * math.sin(turn), y + right * math.sin(turn) + low * math.cos(turn))
        )
    return tuple(found)
