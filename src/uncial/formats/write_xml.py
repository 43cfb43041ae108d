"""Copies of PAGE and ALTO files with recognised text in the lines it was read from, which say who read it."""

from collections.abc import Sequence
from pathlib import Path

from uncial.document import Page
from uncial.errors import UnusableInput
from uncial.formats.alto.update import set_alto_image, update_alto
from uncial.formats.page_xml.update import set_page_image, update_page
from uncial.formats.provenance import Reader, utc_now
from uncial.formats.xml.editing import save
from uncial.formats.xml.parsing import describe_other, kind_of, parse
from uncial.formats.xml.provenance import record_step


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
    kind = kind_of(root)
    if kind not in ("page", "alto"):
        raise UnusableInput(f"{source}: {describe_other(root)}")
    found = update_page(root, texts) if kind == "page" else update_alto(root, texts)
    if missing := sorted(set(texts) - found):
        raise UnusableInput(f"{source}: has no line {missing[0]!r}; it was changed since it was read, so read it again")
    if image_name is not None:
        set_image = set_page_image if kind == "page" else set_alto_image
        set_image(root, image_name)
    if reader is not None:
        record_step(root, reader, utc_now(), texts)
    save(tree, source, target)
