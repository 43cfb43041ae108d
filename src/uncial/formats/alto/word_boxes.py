"""Words of a recognised line and where they stand in the line's box."""

import re
from dataclasses import dataclass

from uncial.document import Transcription
from uncial.formats.alto.geometry import Box
from uncial.text.directions import runs_left

RUN_OF_SPACES = re.compile(r"(?<=[^ ])( +)(?=[^ ])")


@dataclass(frozen=True, slots=True)
class WordSpan:
    """The characters `start` to `end` of the line's text, `content` with the white space that no SP stands for."""

    content: str
    start: int
    end: int


def split_words(text: str, spaces_marked: bool) -> list[WordSpan]:
    """The words between spaces; joined by one space each they give the text again.

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


def word_box(word: WordSpan, box: Box, transcription: Transcription, text: str, direction: str | None) -> Box:
    """The word's part of the line's box, by the positions of its characters, else in proportion to their number."""
    first, last = _extent(word, transcription, text, direction)
    left, top, right, bottom = box
    if direction == "ttb":
        return left, top + first * (bottom - top), right, top + last * (bottom - top)
    if direction == "btt":
        return left, bottom - last * (bottom - top), right, bottom - first * (bottom - top)
    return left + first * (right - left), top, left + last * (right - left), bottom


def _extent(word: WordSpan, transcription: Transcription, text: str, direction: str | None) -> tuple[float, float]:
    """The share of the line image's width from where to where, as the pixels run."""
    places = transcription.positions[word.start : word.end]
    if len(transcription.positions) == len(text) and places:
        first, last = min(one[0] for one in places), max(one[1] for one in places)
        return max(0.0, first), min(1.0, max(first, last))
    length = max(len(text), 1)
    first, last = word.start / length, word.end / length
    from_right = direction == "rtl" or (direction is None and runs_left(text))
    return (1 - last, 1 - first) if from_right else (first, last)
