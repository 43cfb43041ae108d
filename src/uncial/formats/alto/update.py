"""Recognised text into the lines of an ALTO file, and its words into the line's box."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from lxml import etree

from uncial.document import TextSpan, Transcription
from uncial.errors import UnusableInput
from uncial.formats.alto.layout import AltoLine, Box, read_box, read_layouts, read_line_box, read_shape
from uncial.formats.alto.reading import read_direction
from uncial.formats.alto.text import STYLE_NAMES, divides_words, uses_spaces
from uncial.formats.lines.styles import strip_marks
from uncial.formats.xml.editing import insert, make_element, make_storable, remove
from uncial.formats.xml.parsing import find_child, get_local_name, iterate_children, iterate_descendants
from uncial.text.characters import is_right_to_left

RUN_OF_SPACES = re.compile(r"(?<=[^ ])( +)(?=[^ ])")


@dataclass(frozen=True, slots=True)
class WordSpan:
    """The characters `start` to `end` of the line's text, `content` with the white space that no SP stands for."""

    content: str
    start: int
    end: int


def split_words(text: str, spaces_marked: bool) -> list[WordSpan]:
    """Return the words between spaces; joined by one space each they give the text again.

    Spaces at the edges and all but one of several in a row stay in `content`. Without SP a run of several stays whole,
    since a reader adds a space only between words that have none.
    """
    words, start = [], 0
    for run in RUN_OF_SPACES.finditer(text):
        extra = len(run[1]) - 1
        kept = extra if spaces_marked or not extra else len(run[1])
        words.append(WordSpan(text[start : run.start() + kept], start, run.start()))
        start = run.end()
    words.append(WordSpan(text[start:], start, len(text)))
    return words


def compute_word_box(word: WordSpan, box: Box, transcription: Transcription, text: str, direction: str | None) -> Box:
    """Return the word's part of the line's box, by the positions of its characters, else in proportion to their
    number."""
    first, last = _compute_extent(word, transcription, text, direction)
    left, top, right, bottom = box
    if direction == "ttb":
        return left, top + first * (bottom - top), right, top + last * (bottom - top)
    if direction == "btt":
        return left, bottom - last * (bottom - top), right, bottom - first * (bottom - top)
    return left + first * (right - left), top, left + last * (right - left), bottom


def _compute_extent(
    word: WordSpan, transcription: Transcription, text: str, direction: str | None
) -> tuple[float, float]:
    """Return the share of the line image's width from where to where, as the pixels run."""
    places = transcription.positions[word.start : word.end]
    if len(transcription.positions) == len(text) and places:
        first, last = min(one[0] for one in places), max(one[1] for one in places)
        return max(0.0, first), min(1.0, max(first, last))
    length = max(len(text), 1)
    first, last = word.start / length, word.end / length
    from_right = direction == "rtl" or (direction is None and is_right_to_left(text))
    return (1 - last, 1 - first) if from_right else (first, last)


Division = Literal["line", "words", "words and spaces"]

STALE = ("WC", "CC", "CS", "SUBS_TYPE", "SUBS_CONTENT")
OF_THE_LINE = ("LANG", "STYLE", "STYLEREFS", "TAGREFS", "PROCESSINGREFS")
WITHOUT_STRIKE = re.compile(r"ns-v[123]\b|^$")
BOX = ("HPOS", "VPOS", "WIDTH", "HEIGHT")


def update_alto(root: etree._Element, texts: Mapping[str, Transcription]) -> set[str]:
    """Puts the texts into the strings of their lines, and returns the identifiers of lines that were found.

    A file with one String a line keeps it so, one that divides lines into words gets words. Styles that the model read
    (Loghi's characters) become those of words that have them from end to end. Glyphs, alternatives,
    hyphens and substitutions of the old text are removed, and entries of the reading order that pointed at them.
    """
    found: set[str] = set()
    gone: set[str] = set()
    for layout in read_layouts(root):
        division = _find_division(layout.page)
        for line in layout.lines:
            if line.id in texts:
                gone |= _set_line(line, texts[line.id], division)
                found.add(line.id)
    if gone:
        _forget(root, gone - {one.get("ID", "") for one in root.iter(etree.Element)})
    return found


def set_alto_image(root: etree._Element, name: str) -> None:
    """States another name of the page's image."""
    for information in iterate_descendants(root, "sourceImageInformation"):
        holder = find_child(information, "fileName")
        if holder is not None:
            holder.text = name


def _find_division(page: etree._Element) -> Division:
    if uses_spaces(page):
        return "words and spaces"
    return "words" if divides_words(page) else "line"


def _set_line(line: AltoLine, transcription: Transcription, division: Division) -> set[str]:
    """Returns the identifiers of the elements that were taken out."""
    element, text = line.element, make_storable(transcription.text)
    if text != transcription.text:
        transcription = Transcription(text, transcription.confidence)
    transcription, styles = strip_marks(transcription)
    text = transcription.text
    old = iterate_children(element, "String", "SP", "HYP")
    gone = {identifier for one in old for inner in one.iter(etree.Element) if (identifier := inner.get("ID"))}
    strings = [one for one in old if get_local_name(one) == "String"]
    words = [WordSpan(text, 0, len(text))] if division == "line" else split_words(text, division == "words and spaces")
    if len(words) == 1 and len(strings) == 1:
        _refill(strings[0], words[0], transcription)
        _set_styles(strings[0], words[0], styles)
        for one in old:
            if one is not strings[0]:
                remove(one)
        return gone
    place, box = element.index(old[0]) if old else _find_place_after_shape(element), _compute_line_box(element)
    for one in old:
        remove(one)
    above = [] if line.block is None else [line.block.element, *line.block.around]
    boxes = _compute_boxes(box, words, transcription, text, read_direction([element, *above]))
    identifiers = [one.get("ID") for one in strings]
    kept = _find_common(strings)
    for number, (word, box) in enumerate(zip(words, boxes, strict=True)):
        if number and division == "words and spaces":
            place = _put(element, place, _make_space(element, boxes[number - 1], box))
        identifier = identifiers[number] if number < len(identifiers) else None
        string = _make_string(element, word, box, identifier, transcription)
        for name, value in kept.items():
            string.set(name, value)
        _set_styles(string, word, styles)
        place = _put(element, place, string)
    return gone


def _find_common(strings: list[etree._Element]) -> dict[str, str]:
    """Return the language, styles and tags that all strings of a line state alike, and that are therefore the
    line's."""
    stated = {name: {one.get(name) for one in strings} for name in OF_THE_LINE}
    return {name: value for name, values in stated.items() if len(values) == 1 and (value := next(iter(values)))}


def _set_styles(string: etree._Element, word: WordSpan, styles: tuple[TextSpan, ...]) -> None:
    """The styles of the whole word; ALTO has none for a part of it, and before version 4 none for what is struck."""
    read = [one.kind for one in styles if one.offset <= word.start and word.end <= one.offset + one.length]
    if WITHOUT_STRIKE.search(etree.QName(string).namespace or ""):
        read = [kind for kind in read if kind != "strike"]
    if read and word.end > word.start:
        string.set("STYLE", " ".join(STYLE_NAMES.get(kind, kind) for kind in read))


def _refill(string: etree._Element, word: WordSpan, transcription: Transcription) -> None:
    for inner in list(string):
        if get_local_name(inner) != "Shape":
            string.remove(inner)
    if not len(string):
        string.text = None
    for name in STALE:
        string.attrib.pop(name, "")
    string.set("CONTENT", word.content)
    _set_confidence(string, word, transcription)


def _make_string(
    line: etree._Element, word: WordSpan, box: Box | None, identifier: str | None, transcription: Transcription
) -> etree._Element:
    string = make_element(line, "String")
    if identifier:
        string.set("ID", identifier)
    string.set("CONTENT", word.content)
    if box is not None:
        left, top, right, bottom = box
        for name, value in zip(BOX, (left, top, right - left, bottom - top), strict=True):
            string.set(name, _format_figure(value))
    _set_confidence(string, word, transcription)
    return string


def _make_space(line: etree._Element, before: Box | None, after: Box | None) -> etree._Element:
    space = make_element(line, "SP")
    if before is not None and after is not None:
        left, right = min(before[2], after[2]), max(before[0], after[0])
        for name, value in zip(("WIDTH", "HPOS", "VPOS"), (max(0.0, right - left), left, after[1]), strict=True):
            space.set(name, _format_figure(value))
    return space


def _compute_boxes(
    box: Box | None, words: list[WordSpan], transcription: Transcription, text: str, direction: str | None
) -> list[Box | None]:
    if box is None:
        return [None for _ in words]
    if len(words) == 1:
        return [box]
    return [compute_word_box(word, box, transcription, text, direction) for word in words]


def _compute_line_box(line: etree._Element) -> Box | None:
    """Return the stated box, else that of the outline, else that of the strings, in the file's own unit."""
    try:
        box, shape = read_box(line), read_shape(line)
        if box is None and not shape:
            box = read_line_box(line)
    except UnusableInput:
        return None
    if box is None and shape:
        across, down = [x for x, _ in shape], [y for _, y in shape]
        return min(across), min(down), max(across), max(down)
    return box


def _set_confidence(string: etree._Element, word: WordSpan, transcription: Transcription) -> None:
    """WC from the word's characters where their confidences are known, else that of the line."""
    confidence = transcription.confidence
    characters = transcription.character_confidences[word.start : word.end]
    whole = word.end - word.start == len(transcription.text)
    if characters and not whole and len(transcription.character_confidences) == len(transcription.text):
        confidence = sum(characters) / len(characters)
    if 0 <= confidence <= 1:
        string.set("WC", f"{confidence:.4f}")


def _format_figure(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _find_place_after_shape(line: etree._Element) -> int:
    shape = find_child(line, "Shape")
    return 0 if shape is None else line.index(shape) + 1


def _put(line: etree._Element, place: int, element: etree._Element) -> int:
    insert(line, place, element)
    return place + 1


def _forget(root: etree._Element, gone: set[str]) -> None:
    """Takes references to what is no longer there out of the reading order, with groups that become empty."""
    for order in iterate_descendants(root, "ReadingOrder"):
        for entry in reversed(list(order.iter("{*}ElementRef", "{*}OrderedGroup", "{*}UnorderedGroup"))):
            references = entry.get("REF", "").split()
            left = [one for one in references if one not in gone]
            if len(left) < len(references):
                if left:
                    entry.set("REF", " ".join(left))
                else:
                    entry.attrib.pop("REF")
            if not entry.get("REF") and not iterate_children(entry):
                remove(entry)
        if not iterate_children(order):
            remove(order)
