"""Characters that look like others: letters of another script, and the several hyphens, quotes and apostrophes.

The letters are those of Unicode's confusables (UTS #39) that people type by mistake when they switch keyboards: Latin,
Greek, Cyrillic and Armenian ones whose shapes are the same in most fonts.
"""

import unicodedata
from functools import lru_cache

_ALIKE = (
    "aаα", "cсϲ", "dԁ", "eе", "gɡց", "hһհ", "iіι", "jјϳ", "kκк", "lӏ", "nո", "oоοօ", "pрρ", "qԛզ", "sѕ", "uսυ", "vνѵ",
    "wԝ", "xхχ", "yуγ", "AАΑ", "BВΒ", "CСϹ", "EЕΕ", "FϜ", "HНΗ", "IІΙӀ", "JЈͿ", "KКΚ", "LԼ", "MМΜ", "NΝ", "OОΟՕ", "PРΡ",
    "QԚ", "SЅՏ", "TТΤ", "UՍ", "VѴ", "WԜ", "XХΧ", "YҮΥУ", "ZΖ", "гᴦ", "пπ", "фφ", "ФΦ", "ГΓ", "ПΠ", "лλ", "ЛΛ", "бδ",
)  # fmt: skip

_PARTNERS = {letter: group for group in _ALIKE for letter in group}

PUNCTUATION = {
    "hyphens and dashes": "-‐‑‒–—―−⁃",
    "apostrophes and single quotes": "'’‘‛ʼʹ`´′",
    "double quotes": '"“”‟″',
    "middle dots": "·•∙⋅‧・",
    "spaces": " \u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000",
}
"""Signs of which a person who transcribes means one and may type another."""


@lru_cache(maxsize=1 << 12)
def find_letter_script(character: str) -> str:
    """Return the script of a letter, the first word of its Unicode name, for instance `LATIN`; empty for what is no
    letter."""
    if unicodedata.category(character)[0] != "L":
        return ""
    first = unicodedata.name(character, "").partition(" ")[0].partition("-")[0]
    return "" if first in ("MODIFIER", "FEMININE", "MASCULINE", "MICRO") else first


@lru_cache(maxsize=1 << 12)
def find_double(character: str, wanted: str) -> str | None:
    """Return the letter of the script `wanted` that looks like `character`, which is of another one; None where none
    does.

    Accents are looked through: Cyrillic ё is the double of Latin ë.
    """
    base, marks = unicodedata.normalize("NFD", character)[:1], unicodedata.normalize("NFD", character)[1:]
    for partner in _PARTNERS.get(base, ""):
        if partner != base and find_letter_script(partner) == wanted:
            return unicodedata.normalize("NFC", partner + marks)
    return None
