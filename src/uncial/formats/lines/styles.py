"""Loghi's style characters: a control picture before each character that is struck, underlined, lowered or raised."""

import unicodedata
from collections.abc import Iterable

from uncial.document import TextSpan, Transcription

MARKS = {"strike": "␃", "subscript": "␄", "underline": "␅", "superscript": "␆"}
"""The style that each of Loghi's characters stands for (loghi-tooling, StyledString)."""

_KINDS = {mark: kind for kind, mark in MARKS.items()}


def split_marks(text: str) -> tuple[str, tuple[TextSpan, ...]]:
    """Return a text with style characters as plain text and the spans that they marked.

    `␆e␆r` becomes `er` with one superscript span of two characters. A combining mark keeps the style of its base. Style
    characters that no character follows mark nothing and are dropped.
    """
    plain: list[str] = []
    styles: list[frozenset[str]] = []
    pending: set[str] = set()
    for character in text:
        if character in _KINDS:
            pending.add(_KINDS[character])
            continue
        if unicodedata.combining(character) and styles and not pending:
            styles.append(styles[-1])
        else:
            styles.append(frozenset(pending))
        plain.append(character)
        pending = set()
    return "".join(plain), tuple(_find_spans(styles))


def _find_spans(styles: list[frozenset[str]]) -> Iterable[TextSpan]:
    for kind in MARKS:
        start = None
        for position, present in enumerate([*styles, frozenset[str]()]):
            if kind in present and start is None:
                start = position
            elif kind not in present and start is not None:
                yield TextSpan(kind, start, position - start)
                start = None


def strip_marks(transcription: Transcription) -> tuple[Transcription, tuple[TextSpan, ...]]:
    """Return what a model read that learnt style characters, as plain text and the spans that they marked."""
    text, spans = split_marks(transcription.text)
    places = [place for place, character in enumerate(transcription.text) if character not in _KINDS]
    if len(places) == len(transcription.text):
        return transcription, ()
    confidences, positions = transcription.character_confidences, transcription.positions
    plain = Transcription(
        text,
        transcription.confidence,
        tuple(confidences[place] for place in places) if len(confidences) == len(transcription.text) else (),
        tuple(positions[place] for place in places) if len(positions) == len(transcription.text) else (),
    )
    return plain, spans


def insert_marks(text: str, spans: Iterable[TextSpan]) -> str:
    """Return the text with Loghi's characters before each styled character; spans of other kinds are left alone.

    Combining marks get none of their own, so that normalisation still joins them to their base.
    """
    marked = list(text)
    for kind, mark in reversed(MARKS.items()):
        positions = {i for span in spans if span.kind == kind for i in range(span.offset, span.offset + span.length)}
        for i, character in enumerate(text):
            if i in positions and not (i and unicodedata.combining(character)):
                marked[i] = mark + marked[i]
    return "".join(marked)
