"""Named forms in which texts are compared: a profile of the text normalisation, and what is ignored beyond it.

`nfc_strip` alone, or with any of `VARIANTS` behind a plus sign: `nfc_strip+ignore_case+ignore_punctuation`. What other
programs compare is, of texts as they stand: torchmetrics `none`; jiwer `strip`; kraken's `ketos test`
`strip+plain_spaces`, and with its `--normalization NFC` `nfc_strip+plain_spaces`.
"""

import difflib
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from types import MappingProxyType

from uncial.errors import UserError
from uncial.text.normalization import build_normalizer

Form = Callable[[str], str]


_OF_ONE_LETTER = str.maketrans("Σςİ", "σσi")


def to_lower_case(text: str) -> str:
    """Return `text` in small letters, one for each capital whatever stands beside it, so that no capital costs more
    edits than before: Σ, σ and ς are σ, and İ is i. ſ and ß, which are no case, stay.
    """
    return text.translate(_OF_ONE_LETTER).lower()


def drop_punctuation(text: str) -> str:
    """Return `text` without the characters of Unicode's punctuation categories, and without the white space that they
    leave doubled or at the ends.
    """
    kept = (character for character in text if not unicodedata.category(character).startswith("P"))
    return " ".join("".join(kept).split())


def drop_diacritics(text: str) -> str:
    """Return `text` without accents, points and other marks above, below and through letters, in composed form.

    Latin, Greek and Cyrillic accents, Hebrew points and Arabic and Syriac vowel signs go; what makes another letter of
    one stays: the bar of ø and ł, which Unicode does not take apart, and vowels, viramas and nuktas of Indic scripts.
    """
    kept = (character for character in unicodedata.normalize("NFD", text) if not is_diacritic(character))
    return unicodedata.normalize("NFC", "".join(kept))


def is_diacritic(character: str) -> bool:
    """Tell whether a code point is a mark that `without_diacritics` drops, by its canonical combining class."""
    place = unicodedata.combining(character)
    return place == 1 or 10 <= place <= 36 or place >= 200


def to_plain_spaces(text: str) -> str:
    """Return `text` with every white space character, also tabulators and no-break spaces, as a space."""
    return re.sub(r"\s", " ", text)


VARIANTS: Mapping[str, Form] = MappingProxyType(
    {
        "ignore_case": to_lower_case,
        "ignore_punctuation": drop_punctuation,
        "ignore_diacritics": drop_diacritics,
        "plain_spaces": to_plain_spaces,
    }
)
"""What a profile may ignore."""


@cache
def form(profile: str) -> Form:
    """Return the function behind a profile, with or without variants.

    Raises `UserError` when there is no such profile or variant.
    """
    base, *variants = str(profile).split("+")
    steps: Sequence[Form] = (build_normalizer(base), *(_variant(name, profile) for name in variants))

    def apply(text: str) -> str:
        for step in steps:
            text = step(text)
        return text

    return apply


def _variant(name: str, profile: str) -> Form:
    try:
        return VARIANTS[name]
    except KeyError:
        near = difflib.get_close_matches(name, VARIANTS, n=1, cutoff=0.4)
        guess = f"; did you mean '{near[0]}'?" if near else "."
        raise UserError(
            f"There is no '{name}', which the text profile '{profile}' asks for{guess} Behind a profile's first name "
            f"stand {', '.join(VARIANTS)}, joined by +."
        ) from None
