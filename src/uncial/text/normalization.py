"""Named profiles that bring text to one form before it is learned or scored.

A profile's name joins a Unicode form (nfc, nfd, nfkc, nfkd, or nothing for the code points as they are) and what
becomes of white space: nothing where the name ends there, `strip` for none at the edges, `collapse` for one space
between words and none at the edges. `none` changes nothing.

What every profile keeps: private-use code points (MUFI), zero-width joiner, non-joiner and space, soft hyphen, byte
order marks inside the text, direction marks, combining marks, ligatures and letters such as ſ (the compatibility forms
nfkc and nfkd alone turn ſ into s and ﬁ into fi), case, and, but for `collapse`, white space between words, no-break and
tabulator included. A zero-width joiner changes what is drawn in Arabic, Syriac and Indic scripts and a soft hyphen is
how some editors note a hyphen at a line's end, so dropping them silently would change the ground truth. "Outer white
space" is what `str.strip` removes: every Unicode space, the no-break space too, but nothing of zero width.
"""

import difflib
import unicodedata
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Literal

from uncial.errors import UserError

DEFAULT_PROFILE = "nfc_strip"

Form = Literal["NFC", "NFD", "NFKC", "NFKD"]

_FORMS: Mapping[str, Form] = {"nfc": "NFC", "nfd": "NFD", "nfkc": "NFKC", "nfkd": "NFKD"}


def _as_is(text: str) -> str:
    return text


def _collapse(text: str) -> str:
    return " ".join(text.split())


_SPACES: Mapping[str, Callable[[str], str]] = {"": _as_is, "strip": str.strip, "collapse": _collapse}


def _applied(text: str, form: Form | None, spaces: Callable[[str], str]) -> str:
    return spaces(text if form is None else unicodedata.normalize(form, text))


PROFILES: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {
        "_".join(part for part in (form, spaces) if part) or "none": partial(
            _applied, form=_FORMS.get(form), spaces=_SPACES[spaces]
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
    return normalizer(profile)(text)


def unicode_form(text: str, profile: str) -> str:
    """Return `text` in the Unicode form of a profile, its white space as it is. Raises `UserError` as `normalize`."""
    normalizer(profile)
    form = _FORMS.get(profile.partition("_")[0])
    return text if form is None else unicodedata.normalize(form, text)


def normalizer(profile: str) -> Callable[[str], str]:
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
