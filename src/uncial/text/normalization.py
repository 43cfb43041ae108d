"""Named profiles that bring text, and what was read with its places, to one form before it is learned or scored."""

import difflib
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby
from types import MappingProxyType
from typing import Literal

from uncial.document import Transcription
from uncial.errors import UserError

DEFAULT_PROFILE = "nfc_strip"

Form = Literal["NFC", "NFD", "NFKC", "NFKD"]

_FORMS: Mapping[str, Form] = {"nfc": "NFC", "nfd": "NFD", "nfkc": "NFKC", "nfkd": "NFKD"}


def _keep(text: str) -> str:
    return text


def _collapse(text: str) -> str:
    return " ".join(text.split())


_SPACES: Mapping[str, Callable[[str], str]] = {"": _keep, "strip": str.strip, "collapse": _collapse}


def _apply(text: str, form: Form | None, spaces: Callable[[str], str]) -> str:
    return spaces(text if form is None else unicodedata.normalize(form, text))


PROFILES: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {
        "_".join(part for part in (form, spaces) if part) or "none": partial(
            _apply, form=_FORMS.get(form), spaces=_SPACES[spaces]
        )
        for form in ("", *_FORMS)
        for spaces in _SPACES
    }
)
"""What each profile does."""


def normalize(text: str, profile: str = DEFAULT_PROFILE) -> str:
    """Return `text` in the form of the named profile. Applying a profile twice changes nothing more.

    Raises `UserError` when no profile has that name.
    """
    return build_normalizer(profile)(text)


def build_unicode_form(text: str, profile: str) -> str:
    """Return `text` in the Unicode form of a profile, its white space as it is. Raises `UserError` as `normalize`."""
    build_normalizer(profile)
    form = _FORMS.get(profile.partition("_")[0])
    return text if form is None else unicodedata.normalize(form, text)


def build_normalizer(profile: str) -> Callable[[str], str]:
    """Return the function behind a profile, so that a wrong name is found before the first line is read.

    Raises `UserError` when no profile has that name.
    """
    try:
        return PROFILES[profile]
    except KeyError:
        near = difflib.get_close_matches(str(profile).lower(), PROFILES, n=1, cutoff=0.4)
        guess = f"; did you mean '{near[0]}'?" if near else "."
        known = ", ".join(PROFILES)
        raise UserError(f"There is no text normalisation '{profile}'{guess} Choose one of {known}.") from None


Positions = tuple[float, float]


def normalize_transcription(transcription: Transcription, profile: str) -> Transcription:
    """Return the transcription with its text in the form of the profile, in logical order before and after.

    A character that is made of several has the mean of their confidences and the place of all of them; characters that
    are made of one have its own. Raises `UserError` where no profile has that name.
    """
    text = transcription.text
    wanted = normalize(text, profile)
    if wanted == text:
        return transcription
    origins = _find_origins(text, profile)
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
            tuple(_find_span([positions[place] for place in places]) for places in origins)
            if len(positions) == len(text)
            else positions
        ),
    )


def _find_origins(text: str, profile: str) -> list[tuple[int, ...]]:
    """For each character of the text in the profile's form the places in `text` that it is made of."""
    composed: list[tuple[str, tuple[int, ...]]] = []
    for start, end in _split_pieces(text, profile):
        piece = build_unicode_form(text[start:end], profile)
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


def _split_pieces(text: str, profile: str) -> Iterator[tuple[int, int]]:
    """Yield the start and end of the smallest pieces whose forms, one after the other, are that of the whole text."""
    start = 0
    for place in range(1, len(text)):
        head = unicodedata.normalize("NFKD", text[place])[0]
        before = text[start:place]
        whole = build_unicode_form(before + text[place], profile)
        if not unicodedata.combining(head) and whole == build_unicode_form(before, profile) + build_unicode_form(
            text[place], profile
        ):
            yield start, place
            start = place
    if text:
        yield start, len(text)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _find_span(places: Sequence[Positions]) -> Positions:
    return min(start for start, _ in places), max(end for _, end in places)
