"""Where PAGE and ALTO files of every version say who read their lines.

PAGE from 2019 on: a `MetadataItem`; before: `Comments`. ALTO 4: `Processing`; before: `OCRProcessing`. All four hold
the same text, so that it is found wherever another program has put it, and what others wrote there stays.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from lxml import etree

from uncial.document import TextLine
from uncial.formats.alto.layout import read_layouts
from uncial.formats.alto.text import read_alto_line_text, uses_spaces
from uncial.formats.page_xml.layout import read_layout
from uncial.formats.page_xml.text import read_line_text
from uncial.formats.provenance import (
    PROGRAM,
    Reader,
    ReadingStep,
    drop_steps,
    find_superseded,
    format_step,
    hash_text,
    list_readers,
    parse_steps,
)
from uncial.formats.xml.editing import append_indented, insert, make_element, remove
from uncial.formats.xml.parsing import find_child, find_kind, get_local_name, iterate_children, iterate_descendants

FIRST_YEAR_WITH_ITEMS = 2019
BEFORE_COMMENTS = ("Creator", "Created", "LastChange")
BEFORE_ITEMS = (*BEFORE_COMMENTS, "Comments", "UserDefined", "MetadataItem")
BEFORE_OCR_PROCESSING = ("MeasurementUnit", "sourceImageInformation", "OCRProcessing")
BEFORE_PROCESSING = (*BEFORE_OCR_PROCESSING, "Processing")
WHAT = "text recognition"


def read_steps(root: etree._Element) -> list[ReadingStep]:
    """Return the statements of this program in a file, the oldest first."""
    return [step for text in _list_statements(root) for step in parse_steps(text)]


def add_readers(lines: Sequence[TextLine], steps: Sequence[ReadingStep]) -> list[TextLine]:
    """Return the lines of a file with who read them."""
    readers = list_readers({line.id: line.text for line in lines}, steps) if steps else {}
    return [replace(line, reader=readers[line.id]) if line.id in readers else line for line in lines]


def record_step(root: etree._Element, reader: Reader, time: str, lines: Collection[str]) -> None:
    """States in a PAGE or ALTO file that the reader wrote the texts that these lines have, in place of what was stated
    of them before. What is stated of other lines, and what other programs wrote, stays. `time` is in UTC, as
    `2025-01-31T12:00:00Z`.
    """
    texts = _list_texts(root)
    read = {line: hash_text(texts.get(line) or "") for line in lines}
    if not read:
        return
    steps = [*find_superseded(read_steps(root), read), ReadingStep(reader, time, read)]
    if find_kind(root) == "page":
        _record_in_page(root, steps, time)
    else:
        _record_in_alto(root, steps)


def _list_texts(root: etree._Element) -> dict[str, str | None]:
    """Return what the lines say by the ids and the rules of the readers."""
    if find_kind(root) == "page":
        pages = iterate_descendants(root, "Page")[:1]
        return {line.id: read_line_text(line.element, []).text for page in pages for line in read_layout(page).lines}
    return {
        line.id: read_alto_line_text(line.element, [], {}, uses_spaces(layout.page)).text
        for layout in read_layouts(root)
        for line in layout.lines
    }


def _list_statements(root: etree._Element) -> Iterable[str]:
    if find_kind(root) == "page":
        metadata = find_child(root, "Metadata")
        for holder in [] if metadata is None else iterate_children(metadata, "Comments", "MetadataItem"):
            yield "".join(map(str, holder.itertext()))
            yield from (one.get("value", "") for one in iterate_descendants(holder, "Label"))
    else:
        description = find_child(root, "Description")
        for holder in [] if description is None else iterate_descendants(description, "processingStepSettings"):
            yield holder.text or ""


def _record_in_page(root: etree._Element, steps: Sequence[ReadingStep], time: str) -> None:
    metadata = find_child(root, "Metadata")
    if metadata is None:
        metadata = make_element(root, "Metadata")
        insert(root, 0, metadata)
        _append(metadata, "Creator", PROGRAM)
        _append(metadata, "Created", time)
    changed = find_child(metadata, "LastChange")
    if changed is None:
        changed = make_element(metadata, "LastChange")
        insert(metadata, _place_after(metadata, ("Creator", "Created")), changed)
    changed.text = time
    for item in iterate_children(metadata, "MetadataItem"):
        if any(parse_steps(one.get("value", "")) for one in iterate_descendants(item, "Label")):
            remove(item)
    comments = find_child(metadata, "Comments")
    others = "" if comments is None else drop_steps(comments.text or "").strip()
    if comments is not None and parse_steps(comments.text or ""):
        comments.text = others
    year = re.search(r"/(\d{4})-\d\d-\d\d", etree.QName(root).namespace or "")
    if year is not None and int(year[1]) >= FIRST_YEAR_WITH_ITEMS:
        for step in steps:
            _add_item(metadata, step)
        return
    if comments is None:
        comments = make_element(metadata, "Comments")
        insert(metadata, _place_after(metadata, BEFORE_COMMENTS), comments)
    comments.text = "\n".join([*([others] if others else []), *map(format_step, steps)])


def _add_item(metadata: etree._Element, step: ReadingStep) -> None:
    item = make_element(metadata, "MetadataItem")
    item.set("type", "processingStep")
    item.set("name", WHAT)
    item.set("value", f"{step.reader.program} {step.reader.version}")
    if step.time:
        item.set("date", step.time)
    insert(metadata, _place_after(metadata, BEFORE_ITEMS), item)
    labels = make_element(item, "Labels")
    append_indented(item, labels)
    label = make_element(labels, "Label")
    label.set("type", f"{PROGRAM}-reading")
    label.set("value", format_step(step))
    append_indented(labels, label)


def _record_in_alto(root: etree._Element, steps: Sequence[ReadingStep]) -> None:
    description = find_child(root, "Description")
    if description is None:
        description = make_element(root, "Description")
        insert(root, 0, description)
        _append(description, "MeasurementUnit", "pixel")  # What a file means that states none.
    for holder in iterate_children(description, "OCRProcessing", "Processing"):
        if any(parse_steps(one.text or "") for one in iterate_descendants(holder, "processingStepSettings")):
            remove(holder)
    taken = {one.get("ID") for one in root.iter(etree.Element)}
    free = (name for number in range(1, len(taken) + len(steps) + 2) if (name := f"{PROGRAM}_{number}") not in taken)
    add = _add_processing if _has_processing(root) else _add_ocr_processing
    for step, name in zip(steps, free, strict=False):
        add(description, step, name)


def _has_processing(root: etree._Element) -> bool:
    """Return whether the version is 4 or later; by what the file states itself where it has no namespace."""
    namespace = re.search(r"/ns-v(\d+)", etree.QName(root).namespace or "")
    stated = namespace[1] if namespace else root.get("SCHEMAVERSION", "").partition(".")[0]
    return int(stated) >= 4 if stated.isdecimal() else False


def _add_processing(description: etree._Element, step: ReadingStep, name: str) -> None:
    processing = make_element(description, "Processing")
    processing.set("ID", name)
    insert(description, _place_after(description, BEFORE_PROCESSING), processing)
    _append(processing, "processingCategory", "contentGeneration")
    _fill(processing, step)


def _add_ocr_processing(description: etree._Element, step: ReadingStep, name: str) -> None:
    processing = make_element(description, "OCRProcessing")
    processing.set("ID", name)
    insert(description, _place_after(description, BEFORE_OCR_PROCESSING), processing)
    inner = make_element(processing, "ocrProcessingStep")
    append_indented(processing, inner)
    _fill(inner, step)


def _fill(processing: etree._Element, step: ReadingStep) -> None:
    if step.time:
        _append(processing, "processingDateTime", step.time)
    _append(processing, "processingStepDescription", WHAT)
    _append(processing, "processingStepSettings", format_step(step))
    software = make_element(processing, "processingSoftware")
    append_indented(processing, software)
    _append(software, "softwareName", step.reader.program)
    _append(software, "softwareVersion", step.reader.version)


def _append(parent: etree._Element, name: str, text: str) -> None:
    element = make_element(parent, name)
    element.text = text
    append_indented(parent, element)


def _place_after(parent: etree._Element, names: tuple[str, ...]) -> int:
    return max((parent.index(one) + 1 for one in parent if get_local_name(one) in names), default=0)
