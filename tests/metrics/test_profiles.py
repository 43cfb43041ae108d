"""What a profile ignores, and what it must not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uncial.errors import UserError
from uncial.metrics.error_rates import count
from uncial.metrics.profiles import VARIANTS, form

ALL = "nfc_strip+ignore_case+ignore_punctuation+ignore_diacritics"


@pytest.mark.parametrize(
    ("profile", "text", "expected"),
    [
        ("nfc_strip+ignore_case", "ÉLÈVE Σοφός ΟΔΟΣ ſ ß İ", "élève σοφόσ οδοσ ſ ß i"),
        ("nfc_strip+ignore_punctuation", "« Oui », dit-il ; n° 7.", "Oui ditil n° 7"),
        ("nfc_strip+ignore_diacritics", "Élève, ça: ἄειδε й", "Eleve, ca: αειδε и"),
        ("nfc_strip+ignore_diacritics", "שָׁלוֹם مُحَمَّد ܫܠܳܡܳܐ", "שלום محمد ܫܠܡܐ"),
        ("nfc_strip+ignore_diacritics", "क्षि नी øłđ ꝑ q\u0303", "क्षि नी øłđ ꝑ q"),
        ("strip+plain_spaces", "a\u00a0b\tc\u2009 ", "a b c"),
        ("none", " e\u0301 ", " e\u0301 "),
        (ALL, "  ÉTÉ ; fin.", "ete fin"),
    ],
)
def test_what_is_ignored(profile, text, expected):
    assert form(profile)(text) == expected


@given(st.text(max_size=20), st.sampled_from(sorted(VARIANTS)))
def test_ignoring_twice_ignores_no_more(text, variant):
    apply = form(f"nfc_strip+{variant}")
    assert apply(apply(text)) == apply(text)


LETTERS = st.text("ΣσςİIıißſǅΆά .", max_size=8)


@given(LETTERS, LETTERS, st.sampled_from(["ignore_case", "ignore_diacritics"]))
def test_ignoring_something_never_costs_an_edit(truth, reading, variant):
    assert count([truth], [reading], f"strip+{variant}").edits <= count([truth], [reading], "strip").edits


@pytest.mark.parametrize(
    ("profile", "told"),
    [("nfc_strip+ignore_cases", "ignore_case'"), ("nfc-strip", "nfc_strip"), ("nfc_strip+", "There is no ''")],
)
def test_an_unknown_profile_is_told(profile, told):
    with pytest.raises(UserError, match=told):
        form(profile)
