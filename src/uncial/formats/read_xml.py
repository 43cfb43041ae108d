"""Reading one transcription file of whatever kind it is."""

from collections.abc import Callable
from pathlib import Path

from lxml import etree

from uncial.document import SourceContents, TextLine
from uncial.errors import UnusableInput
from uncial.formats.alto.geometry import UNITS_PER_INCH, ImageFacts, measurement_unit
from uncial.formats.alto.reading import read_alto, stated_image
from uncial.formats.image_header import open_header
from uncial.formats.page_xml.reading import read_page
from uncial.formats.xml.parsing import describe_other, kind_of, parse

ANY_IMAGE = ImageFacts(1, 1, 300.0)


def read_transcription(
    root: etree._Element, source: Path, page_id: str, find_image: Callable[[str], Path]
) -> SourceContents:
    """The pages of a parsed PAGE or ALTO file, `Page.image` not yet set. Raises `UnusableInput`.

    `find_image` finds the page's image by the name that the file states, which is only needed where the coordinates are
    not in pixels.
    """
    if kind_of(root) == "page":
        return read_page(root, source, page_id)
    if measurement_unit(root) not in UNITS_PER_INCH:
        return read_alto(root, source, page_id)
    return read_alto(root, source, page_id, image_facts(find_image(stated_image(root))))


def read_texts(path: Path) -> tuple[TextLine, ...]:
    """The lines of a file whose image is not at hand: their coordinates mean nothing. Raises `UnusableInput`."""
    root = parse(path).getroot()
    kind = kind_of(root)
    if kind not in ("page", "alto"):
        raise UnusableInput(f"{path}: {describe_other(root)}", "other_file")
    reading = read_page(root, path, "") if kind == "page" else read_alto(root, path, "", ANY_IMAGE)
    return tuple(line for page in reading.pages for line in page.lines)


def image_facts(path: Path) -> ImageFacts:
    """Size and resolution from the image's header. Raises `UnusableInput`."""
    try:
        with open_header(path) as image:
            dpi = image.info.get("dpi") or (0, 0)
            return ImageFacts(image.width, image.height, float(dpi[0]))
    except (OSError, ValueError) as error:
        reason = f"{path}: is no readable image ({error}); put a whole copy in its place"
        raise UnusableInput(reason, "unreadable_image") from None
