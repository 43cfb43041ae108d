"""What was read, in the form of a named profile: each character with its confidence and its place."""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from uncial.document import Transcription
from uncial.text.normalization import normalize, unicode_form

Positions = tuple[float, float]


def normalized_transcription(transcription: Transcription, profile: str) -> Transcription:
    """Return the transcription with its text in the form of the profile, in logical order before and after.

    A character that is made of several has the mean of their confidences and the place of all of them; characters that
    are made of one have its own. Raises `UserError` where no profile has that name.
    """
    text = transcription.text
    wanted = normalize(text, profile)
    if wanted == text:
        return transcription
    origins = _origins(text, profile)
    if len(origins) != len(wanted):  # Some form of Unicode in which the pieces are not those of the whole.
        origins = [tuple(range(len(text)))] * len(wanted)
    confidences, positions = transcription.character_confidences, transcription.positions
    return replace(
        transcription,
        text=wanted,
        character_confidences=(
            tuple(_mean([confidences[place] for place in places]) for places in origins)
            if len(confidences) == len(text)
            else confidences
        ),
        positions=(
            tuple(_span([positions[place] for place in places]) for places in origins)
            if len(positions) == len(text)
            else positions
        ),
    )


def _origins(text: str, profile: str) -> list[tuple[int, ...]]:
    """For each character of the text in the profile's form the places in `text` that it is made of."""
    composed: list[tuple[str, tuple[int, ...]]] = []
    for start, end in _pieces(text, profile):
        piece = unicode_form(text[start:end], profile)
        if piece == text[start:end]:
            composed += [(character, (place,)) for place, character in enumerate(piece, start)]
        else:
            composed += [(character, tuple(range(start, end))) for character in piece]
    spaces = profile.rpartition("_")[2]
    if spaces not in ("strip", "collapse"):
        return [places for _, places in composed]
    runs = [(is_space, list(run)) for is_space, run in groupby(composed, key=lambda one: one[0].isspace())]
    first, last = (0 if not runs or not runs[0][0] else 1), (len(runs) - 1 if runs and runs[-1][0] else len(runs))
    found: list[tuple[int, ...]] = []
    for is_space, run in runs[first:last]:
        joins = is_space and spaces == "collapse"
        found += [tuple(place for _, places in run for place in places)] if joins else [places for _, places in run]
    return found


def _pieces(text: str, profile: str) -> Iterator[tuple[int, int]]:
    """The start and end of the smallest pieces whose forms, one after the other, are that of the whole text."""
    start = 0
    for place in range(1, len(text)):
        head = unicodedata.normalize("NFKD", text[place])[0]
        before = text[start:place]
        whole = unicode_form(before + text[place], profile)
        if not unicodedata.combining(head) and whole == unicode_form(before, profile) + unicode_form(
            text[place], profile
        ):
            yield start, place
            start = place
    if text:
        yield start, len(text)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _span(places: Sequence[Positions]) -> Positions:
    return min(start for start, _ in places), max(end for _, end in places)
