"""Reading one transcription file of whatever kind it is, and writing copies with recognised text in its lines."""

from collections.abc import Callable, Sequence
from pathlib import Path

from lxml import etree

from uncial.document import Page, SourceContents, TextLine
from uncial.errors import UnusableInput
from uncial.formats.alto.layout import UNITS_PER_INCH, ImageFacts, read_measurement_unit
from uncial.formats.alto.reading import find_stated_image, read_alto
from uncial.formats.alto.update import set_alto_image, update_alto
from uncial.formats.image_finder import open_header
from uncial.formats.page_xml.reading import read_page
from uncial.formats.page_xml.update import set_page_image, update_page
from uncial.formats.provenance import Reader, format_utc_now
from uncial.formats.xml.editing import save
from uncial.formats.xml.parsing import describe_other, find_kind, parse
from uncial.formats.xml.provenance import record_step

ANY_IMAGE = ImageFacts(1, 1, 300.0)


def read_transcription(
    root: etree._Element, source: Path, page_id: str, find_image: Callable[[str], Path]
) -> SourceContents:
    """Return the pages of a parsed PAGE or ALTO file, `Page.image` not yet set. Raises `UnusableInput`.

    `find_image` finds the page's image by the name that the file states, which is only needed where the coordinates are
    not in pixels.
    """
    if find_kind(root) == "page":
        return read_page(root, source, page_id)
    if read_measurement_unit(root) not in UNITS_PER_INCH:
        return read_alto(root, source, page_id)
    return read_alto(root, source, page_id, collect_image_facts(find_image(find_stated_image(root))))


def read_texts(path: Path) -> tuple[TextLine, ...]:
    """Return the lines of a file whose image is not at hand: their coordinates mean nothing. Raises `UnusableInput`."""
    root = parse(path).getroot()
    kind = find_kind(root)
    if kind not in ("page", "alto"):
        raise UnusableInput(f"{path}: {describe_other(root)}", "other_file")
    reading = read_page(root, path, "") if kind == "page" else read_alto(root, path, "", ANY_IMAGE)
    return tuple(line for page in reading.pages for line in page.lines)


def collect_image_facts(path: Path) -> ImageFacts:
    """Size and resolution from the image's header. Raises `UnusableInput`."""
    try:
        with open_header(path) as image:
            dpi = image.info.get("dpi") or (0, 0)
            return ImageFacts(image.width, image.height, float(dpi[0]))
    except (OSError, ValueError) as error:
        reason = f"{path}: is no readable image ({error}); put a whole copy in its place"
        raise UnusableInput(reason, "unreadable_image") from None


def write_pages(
    pages: Sequence[Page], target: Path, image_name: str | None = None, reader: Reader | None = None
) -> None:
    """Write a copy of the file that the pages, one or more, were read from under `target`, with the texts and
    confidences that a model read in their lines (`TextLine.transcription`).

    Other lines keep theirs; tags, styles, reading order, comments and all else are kept. `image_name` states another
    name of the image. With `reader` the copy says that this one read the lines, so that they are never taken for a
    person's. The file is written whole or not at all. Raises `UnusableInput` where the source cannot be read or has no
    such line, `UserError` where the target cannot be written or is the source itself.
    """
    source = pages[0].source
    texts = {line.id: line.transcription for page in pages for line in page.lines if line.transcription is not None}
    tree = parse(source)
    root = tree.getroot()
    kind = find_kind(root)
    if kind not in ("page", "alto"):
        raise UnusableInput(f"{source}: {describe_other(root)}")
    found = update_page(root, texts) if kind == "page" else update_alto(root, texts)
    if missing := sorted(set(texts) - found):
        raise UnusableInput(f"{source}: has no line {missing[0]!r}; it was changed since it was read, so read it again")
    if image_name is not None:
        set_image = set_page_image if kind == "page" else set_alto_image
        set_image(root, image_name)
    if reader is not None:
        record_step(root, reader, format_utc_now(), texts)
    save(tree, source, target)
