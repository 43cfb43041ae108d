"""The lines of a report as data for the script of its page, which shows them a few at a time."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup

from uncial.metrics.comparison import ComparedLine
from uncial.metrics.lines import EvaluatedLine, LineOrigin, find_length_group
from uncial.reports.html.rendering import encode_picture
from uncial.reports.terminal.formatting import make_visible
from uncial.reports.terminal.sample_lines import align
from uncial.text.characters import is_right_to_left

LEVELS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
"""A character's confidence from 0 to 1, as one of 64 letters (`templates/lines.js` has the same)."""

StripOf = Callable[[int], np.ndarray]
"""Gives the line image of a row of the compiled store."""


@dataclass(frozen=True, slots=True)
class LinePrediction:
    """What one system read in a line; `edits` may be the mean over its seeds."""

    text: str
    edits: float
    confidence: float | None
    character_confidences: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class ListedLine:
    """A line of the list, with one reading for each system."""

    origin: LineOrigin
    page: str
    script: str
    truth: str
    readings: tuple[LinePrediction, ...]

    @property
    def rates(self) -> tuple[float, ...]:
        """Each system's edits over the characters of the truth."""
        return tuple(reading.edits / max(len(self.truth), 1) for reading in self.readings)


def list_evaluated(line: EvaluatedLine) -> ListedLine:
    """Return a line that one model read."""
    reading = LinePrediction(line.prediction, line.counts.edits, line.confidence, line.character_confidences)
    return ListedLine(line.origin, line.page, line.script, line.truth, (reading,))


def list_compared(line: ComparedLine) -> ListedLine:
    """Return a line that several systems read."""
    own = zip(line.predictions, line.edits, line.confidences, line.character_confidences, strict=True)
    return ListedLine(line.origin, line.page, line.script, line.truth, tuple(LinePrediction(*one) for one in own))


def make_pictures(
    lines: Sequence[ListedLine], orders: Sequence[Iterable[int]], strip_of: StripOf | None, most: int
) -> dict[int, str]:
    """Return pictures by the places of their lines in `lines`: in turn the next of each of the `orders`, `most` in all.

    A line of no row of the store has none.
    """
    found: dict[int, str] = {}
    if strip_of is None:
        return found
    waiting = [iter(order) for order in orders]
    while waiting and len(found) < most:
        for order in list(waiting):
            place = next((place for place in order if place not in found and lines[place].origin.row is not None), None)
            if place is None:
                waiting.remove(order)
            elif len(found) < most:
                row = lines[place].origin.row
                assert row is not None
                found[place] = encode_picture(strip_of(row))
    return found


def lines_to_json(
    systems: Sequence[str],
    lines: Sequence[ListedLine],
    pictures: Mapping[int, str],
    images: Mapping[str, Sequence[int]] | None = None,
) -> Markup:
    """Return JSON that may stand between the tags of a script, whatever the texts hold: a list for each column.

    A reading's `differences` are triples of numbers one behind another: so many code points that are the same, then so
    many of the truth for so many of the reading. A `text` of null is that of the truth. `images` are the groups that
    the lines belong to by measures of their images.
    """
    columns: dict[str, Any] = {
        "systems": [make_visible(name) for name in systems],
        **{name: [make_visible(value_of(line)) for line in lines] for name, value_of in COLUMNS.items()},
        "truth": [make_visible(line.truth) for line in lines],
        "right_to_left": [int(_runs_left(line)) for line in lines],
        "readings": [
            _make_reading_columns([line.truth for line in lines], [line.readings[number] for line in lines])
            for number in range(len(systems))
        ],
        "pictures": pictures,
        "images": images or {},
    }
    text = json.dumps(columns, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Markup(text.replace("&", r"\u0026").replace("<", r"\u003c").replace(">", r"\u003e"))


COLUMNS: Mapping[str, Callable[[ListedLine], str]] = {
    "page": lambda line: line.page,
    "line": lambda line: line.origin.line,
    "document": lambda line: line.origin.document,
    "hand": lambda line: line.origin.hand,
    "region_type": lambda line: line.origin.region_type,
    "script": lambda line: line.script,
    "length": lambda line: find_length_group(len(line.truth)),
}
"""What lines can be chosen by, under the names of `uncial.metrics.lines.KEYS`, and their own id."""


def _runs_left(line: ListedLine) -> bool:
    """Return whether most letters of the line run from right to left, so that truth and readings are set alike."""
    texts = (line.truth, *(reading.text for reading in line.readings))
    return is_right_to_left(next(filter(None, texts), ""))


def _make_reading_columns(truths: Sequence[str], readings: Sequence[LinePrediction]) -> dict[str, Any]:
    both = list(zip(truths, readings, strict=True))
    return {
        "text": [None if reading.text == truth else make_visible(reading.text) for truth, reading in both],
        "differences": [_encode_differences(truth, reading.text) for truth, reading in both],
        "edits": [_shorten(reading.edits) for reading in readings],
        "confidence": [_shorten(reading.confidence) for reading in readings],
        "confidences": ["".join(map(_encode_level, reading.character_confidences)) for reading in readings],
    }


def _encode_differences(truth: str, reading: str) -> list[int]:
    triples: list[int] = []
    same = 0
    for span in align(truth, reading) if truth != reading else ():
        if span.kind == "equal":
            same = len(span.truth)
        else:
            triples += (same, len(span.truth), len(span.prediction))
            same = 0
    return triples


def _shorten(number: float | None) -> float | int | None:
    """With four digits at most."""
    if number is None:
        return None
    return int(number) if number == int(number) else round(number, 4)


def _encode_level(confidence: float) -> str:
    return LEVELS[min(len(LEVELS) - 1, max(0, int(confidence * len(LEVELS))))]
