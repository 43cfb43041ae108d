"""Named profiles that bring text to one form before it is learned or scored.

What every profile keeps: private-use code points (MUFI), zero-width joiner, non-joiner and space, soft hyphen, byte
order marks inside the text, direction marks, combining marks, ligatures and letters such as ſ (the compatibility
profiles NFKC and NFKD alone turn ſ into s and ﬁ into fi), case, and white space between words, no-break and tabulator
included. A zero-width joiner changes what is drawn in Arabic, Syriac and Indic scripts and a soft hyphen is how some
editors note a hyphen at a line's end, so dropping them silently would change the ground truth. "Outer white space" is
what `str.strip` removes: every Unicode space, the no-break space too, but nothing of zero width.
"""

import difflib
import unicodedata
from collections.abc import Callable, Mapping
from types import MappingProxyType

from uncial.errors import UserError

DEFAULT_PROFILE = "nfc_strip"


def _nfc_collapse(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


PROFILES: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {
        "none": lambda text: text,
        "strip": str.strip,
        "nfc_strip": lambda text: unicodedata.normalize("NFC", text).strip(),
        "nfd_strip": lambda text: unicodedata.normalize("NFD", text).strip(),
        "nfkc_strip": lambda text: unicodedata.normalize("NFKC", text).strip(),
        "nfkd_strip": lambda text: unicodedata.normalize("NFKD", text).strip(),
        "nfc_collapse": _nfc_collapse,
    }
)
"""What each profile does. `nfc_collapse` also makes every run of white space one space."""


def normalize(text: str, profile: str = DEFAULT_PROFILE) -> str:
    """Return `text` in the form of the named profile. Applying a profile twice changes nothing more.

    Raises `UserError` when no profile has that name.
    """
    return normalizer(profile)(text)


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
