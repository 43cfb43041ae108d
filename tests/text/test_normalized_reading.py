"""Readings in the form of a profile: the text that the profile makes, each character with its confidence and place."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uncial.document import Transcription
from uncial.text.normalization import PROFILES, normalize, normalize_transcription
from uncial.text.rules import TextRules

TEXTS = st.text(st.sampled_from("ab é́̀̈​ſﬁẛ̣\u1161\u1100\u11a8ก\t Ωשׁ.ͅ"), max_size=12)


def read(text: str) -> Transcription:
    """Confidences and places that tell which character each is of."""
    count = len(text)
    return Transcription(
        text,
        0.5,
        tuple((place + 1) / (count + 1) for place in range(count)),
        tuple((place / count, (place + 1) / count) for place in range(count)),
    )


@given(text=TEXTS, profile=st.sampled_from(sorted(PROFILES)))
def test_the_text_is_that_of_the_profile_and_each_character_has_a_place(text, profile):
    found = normalize_transcription(read(text), profile)
    assert found.text == normalize(text, profile)
    assert len(found.character_confidences) == len(found.positions) == len(found.text)
    assert found.confidence == 0.5
    assert all(0 < confidence < 1 for confidence in found.character_confidences)
    assert all(0 <= start < end <= 1 for start, end in found.positions)


@given(text=TEXTS)
def test_spaces_at_the_ends_go_with_their_confidences(text):
    text = unicodedata.normalize("NFC", text)
    found, whole = normalize_transcription(read(f" {text}  "), "nfc_strip"), read(f" {text}  ")
    start = whole.text.index(found.text)
    end = start + len(found.text)
    assert found.character_confidences == whole.character_confidences[start:end]
    assert found.positions == whole.positions[start:end]


def test_a_letter_and_its_mark_become_one_of_their_mean_and_both_places():
    found = normalize_transcription(read("be\u0301a"), "nfc_strip")
    assert found.text == "béa"
    assert found.character_confidences == pytest.approx((0.2, 0.5, 0.8))
    assert found.positions == ((0, 0.25), (0.25, 0.75), (0.75, 1))


def test_several_spaces_become_one_of_all_their_places():
    found = normalize_transcription(read("a  \tb"), "nfc_collapse")
    assert found.text == "a b"
    assert found.positions == ((0, 0.2), (0.2, 0.8), (0.8, 1))


def test_the_rules_of_a_model_name_the_profile():
    assert TextRules("none").normalized(read(" a ")).text == " a "
    assert TextRules("nfc_strip").normalized(read(" a ")).text == "a"


def test_what_has_no_confidences_keeps_none():
    assert normalize_transcription(Transcription(" a", 0.5), "nfc_strip") == Transcription("a", 0.5)
