import pickle
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uncial.errors import UserError
from uncial.text.normalization import DEFAULT_PROFILE, PROFILES, normalize


def test_the_default_composes_and_removes_outer_white_space():
    assert normalize("\u00a0 e\u0301te\u0301\u2003\n") == "été"
    assert DEFAULT_PROFILE == "nfc_strip"


@pytest.mark.parametrize(
    "kept", ["\uf1ac", "\u200d", "\u200c", "\u200b", "\u00ad", "ſ", "ﬁ", "Aa", "a\u00a0 b", "\u200e"]
)
def test_the_default_keeps_what_an_editor_may_have_meant(kept):
    assert normalize(f"x{kept}x") == f"x{kept}x"


def test_further_profiles():
    assert normalize(" é ", "none") == " é "
    assert normalize(" e\u0301 ", "strip") == "e\u0301"
    assert normalize(" é ", "nfd_strip") == "e\u0301"
    assert normalize("ﬁſh", "nfkc_strip") == "fish"
    assert normalize(" a \t\u00a0b ", "nfc_collapse") == "a b"


@given(st.text(), st.sampled_from(sorted(PROFILES)))
def test_a_second_application_changes_nothing(text, profile):
    once = normalize(text, profile)
    assert normalize(once, profile) == once


@given(st.text())
def test_the_default_is_nfc_without_outer_white_space(text):
    result = normalize(text)
    assert result == result.strip()
    assert unicodedata.is_normalized("NFC", result)


def test_an_unknown_profile_is_named_with_the_nearest_and_all_others():
    with pytest.raises(UserError, match=r"'NFC-strip'; did you mean 'nfc_strip'\?") as caught:
        normalize("a", "NFC-strip")
    assert all(profile in str(caught.value) for profile in PROFILES)


def test_the_error_survives_a_process_boundary():
    with pytest.raises(UserError) as caught:
        normalize("a", "zzz")
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
