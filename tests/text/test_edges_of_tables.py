"""Alphabets, tables and rules at their edges: what is empty, what comes twice, and what is no label."""

import json

import pytest

from uncial.document import Transcription
from uncial.errors import UserError
from uncial.text.codec import BLANK, CharacterCodec, count_alphabet, count_unknown
from uncial.text.label_codec import LabelCodec
from uncial.text.normalization import normalize_transcription
from uncial.text.replacements import read_replacements, replace_in
from uncial.text.rules import TextRules


def test_what_comes_twice_in_an_alphabet_is_named_and_nothing_else():
    with pytest.raises(ValueError, match=r"'b' \(U\+0062 LATIN SMALL LETTER B\) more than once"):
        CharacterCodec("abcb")


@pytest.mark.parametrize("codec", [CharacterCodec("abc"), LabelCodec({"a": [1], "b": [2], "c": [3]})])
@pytest.mark.parametrize("label", [0, -1, 4])
def test_a_label_that_a_codec_never_gave_out_is_told_with_those_that_it_has(codec, label):
    assert codec.size == 4
    for decode in (codec.decode, codec.decode_each):
        with pytest.raises(ValueError, match=f"{label} is no label of this codec: they run from 1 to 3"):
            decode([1, label])


def test_a_table_is_no_alphabet_and_another_table_is_not_the_same():
    table, alphabet = LabelCodec({"a": [1]}), CharacterCodec("a")
    assert table == LabelCodec({"a": (1,)})
    assert table not in (alphabet, LabelCodec({"a": [2]}), "a")
    assert alphabet not in (table, CharacterCodec("b"), CharacterCodec("a", "grapheme"), "a")


def test_the_blank_is_the_output_before_all_labels():
    assert BLANK == 0
    assert min(CharacterCodec("ba").encode("ab")) == BLANK + 1
    with pytest.raises(ValueError, match="0 is CTC's blank"):
        LabelCodec({"a": [BLANK]})


def test_what_is_counted_comes_the_most_frequent_first_and_then_by_code_point():
    assert list(count_alphabet(["cab", "cb", "b"]).items()) == [("b", 3), ("c", 2), ("a", 1)]
    assert list(count_alphabet(["q\u0303q", "q"], "grapheme").items()) == [("q", 2), ("q\u0303", 1)]
    unknown = count_unknown(CharacterCodec("a"), ["zay", "xaz", "y", "z"])
    assert list(unknown.items()) == [("z", 3), ("y", 2), ("x", 1)]


def test_an_empty_table_has_the_blank_alone():
    empty = LabelCodec({})
    assert (empty.size, empty.alphabet, empty.decode([])) == (1, (), "")
    assert list(empty.split("ab")) == [("a", None), ("b", None)]
    assert CharacterCodec("").size == 1


def test_the_longest_string_of_a_table_is_found_whatever_lengths_there_are():
    table = LabelCodec({"abc": [1], "ab": [2], "a": [3], "c": [4]})
    assert [text for text, _ in table.split("abcabac")] == ["abc", "ab", "a", "c"]


def test_labels_that_begin_no_code_are_read_as_nothing_one_by_one():
    table = LabelCodec({"a": [1, 2], "b": [3, 4, 5], "c": [6]})
    assert table.decode([1, 6, 3, 4, 6, 3, 4, 5, 2, 1, 2]) == "ccba"
    assert table.decode_each([1, 6, 1, 2]) == ["", "c", "", "a"]


@pytest.mark.parametrize("pairs", [[["a", "b"], ["a", "c"]], [["a", "c"], ["a", "b"]]])
def test_a_string_that_is_to_become_two_is_refused_whichever_comes_first(pairs):
    with pytest.raises(UserError, match="is to become both"):
        read_replacements(pairs, "model.text.replacements", "none")


def test_tables_that_say_a_thing_twice_or_nothing(tmp_path):
    assert read_replacements([["a", "b"], ["a", "b"], ["c", "c"]], "key", "none") == (("a", "b"),)
    assert read_replacements(None, "key", "none") == ()
    (tmp_path / "empty.csv").write_text("")
    assert read_replacements(str(tmp_path / "empty.csv"), "key", "none") == ()
    (tmp_path / "some.json").write_text(json.dumps({"x": ""}))
    assert replace_in("axb", read_replacements(str(tmp_path / "some.json"), "key", "none")) == "ab"


@pytest.mark.parametrize(
    ("text", "direction", "mixed", "base"),
    [
        ("ab", "auto", "R", "L"),
        ("אב", "auto", "L", "R"),
        ("אb", "auto", "L", "L"),
        ("אb", "auto", "R", "R"),
        ("12", "auto", "L", "L"),
        ("12", "auto", "R", "R"),
        ("١٢", "auto", "L", "R"),
        ("a١٢", "auto", "L", "L"),
        ("אב", "L", "R", "L"),
        ("ab", "R", "L", "R"),
        ("אב", "none", "R", None),
    ],
)
def test_the_direction_of_a_line(text, direction, mixed, base):
    assert TextRules("none", direction=direction, mixed=mixed).base(text) == base


def read(text):
    return Transcription(text, 0.5, tuple((place + 1) / 10 for place in range(len(text))))


@pytest.mark.parametrize(
    ("text", "profile", "found", "places"),
    [
        ("  a b  ", "nfc_strip", "a b", (3, 4, 5)),
        ("a  b", "nfc_collapse", "a b", (1, 2.5, 4)),
        (" a\t b ", "nfc_collapse", "a b", (2, 3.5, 5)),
        ("e\u0301e\u0301", "nfc_strip", "éé", (1.5, 3.5)),
        ("e\u0301é", "nfc_strip", "éé", (1.5, 3)),
        ("   ", "nfc_strip", "", ()),
        ("a ", "nfc_strip", "a", (1,)),
        (" a", "nfc_strip", "a", (2,)),
        ("é", "nfd_strip", "e\u0301", (1, 1)),
    ],
)
def test_confidences_go_with_their_characters(text, profile, found, places):
    normalized = normalize_transcription(read(text), profile)
    assert normalized.text == found
    assert normalized.character_confidences == pytest.approx(tuple(place / 10 for place in places))
