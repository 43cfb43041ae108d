"""Readings of one line made into one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uncial.document import Transcription
from uncial.metrics.voting import vote_on_readings


def read(text: str, *sure: float) -> Transcription:
    """A reading with these confidences; one alone is that of all characters."""
    own = sure * len(text) if len(sure) == 1 else sure
    return Transcription(text, min(own, default=sure[0] if sure else 0.5), tuple(own))


READINGS = st.lists(st.builds(read, st.text("abc ", max_size=8), st.floats(0.05, 0.99)), min_size=1, max_size=5)


@given(READINGS)
def test_what_comes_out_was_read_and_has_a_confidence_for_each_character(readings):
    found = vote_on_readings(readings)
    assert set(found.text) <= set("".join(reading.text for reading in readings))
    assert len(found.character_confidences) == len(found.text)
    assert all(0 <= sure <= 1 for sure in (found.confidence, *found.character_confidences))
    assert len(found.text) <= sum(len(reading.text) for reading in readings)


@given(st.builds(read, st.text("abcé ", max_size=8), st.floats(0.05, 0.99)), st.integers(1, 4))
def test_those_that_read_the_same_say_it(reading, count):
    found = vote_on_readings([reading] * count)
    assert found.text == reading.text
    assert found.confidence == pytest.approx(reading.confidence)


@given(st.text("abc", max_size=10), READINGS)
def test_more_than_half_decide_where_all_are_as_sure(text, others):
    others = [read(other.text, 0.6) for other in others]
    assert vote_on_readings([read(text, 0.6)] * (len(others) + 1) + others).text == text


@pytest.mark.parametrize(
    ("readings", "text"),
    [
        ([read("lang", 0.9), read("land", 0.9), read("hang", 0.9)], "lang"),
        ([read("kat", 0.9, 0.3, 0.9), read("kit", 0.9, 0.8, 0.9)], "kit"),
        # One that is sure outvotes two that guess.
        ([read("fox", 0.3), read("fox", 0.3), read("box", 0.9)], "box"),
        # What only one reads is left out, and what only one leaves out is read.
        ([read("a b", 0.9), read("ab", 0.9), read("ab", 0.9)], "ab"),
        ([read("ab", 0.9), read("acb", 0.9), read("acb", 0.9)], "acb"),
        ([read("", 0.9), read("", 0.9), read("x", 0.5)], ""),
        ([read("abcdef", 0.9), read("bcdefg", 0.9), read("abcdefg", 0.9)], "abcdefg"),
    ],
)
def test_each_character_is_what_the_confidences_say(readings, text):
    assert vote_on_readings(readings).text == text


def test_the_confidence_of_a_character_is_the_share_of_the_votes_for_it():
    found = vote_on_readings([read("ab", 0.8), read("ab", 0.6), read("ac", 1.0)])
    assert found.text == "ab"
    assert found.character_confidences == pytest.approx((0.8, 1.4 / 3))
