"""Codec files as `ketos train --codec` takes them."""

import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from uncial.errors import UnusableInput, UserError
from uncial.exchange.kraken_codec import read_kraken_codec
from uncial.text.codec import CharacterCodec, codec_from_json
from uncial.text.label_codec import LabelCodec


def written(tmp_path, content):
    path = tmp_path / "codec.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


@pytest.mark.parametrize("content", [{"a": [1], "b": [2], "ſ": [3]}, ["b", "ſ", "a"], '"ſab"'])
def test_plain_files_are_alphabets_in_the_order_of_the_code_points(tmp_path, content):
    assert read_kraken_codec(written(tmp_path, content)) == CharacterCodec("abſ")


def test_several_labels_a_character_and_several_characters_a_label(tmp_path):
    codec = read_kraken_codec(written(tmp_path, {"a": [1], "å": [2, 3], "sch": [4], "s": [5]}))
    assert codec.size == 6
    assert codec.encode("aåschs") == [1, 2, 3, 4, 5]
    assert codec.decode([1, 2, 3, 4, 5]) == "aåschs"
    assert codec.decode_each([2, 3, 5]) == ["", "å", "s"]
    assert codec.decode([2, 5]) == "s"
    with pytest.raises(UnusableInput, match="LATIN SMALL LETTER C"):
        codec.encode("sc")
    assert codec_from_json(json.loads(json.dumps(codec.to_json()))) == codec


@given(
    st.dictionaries(
        st.text("abcſ", min_size=1, max_size=2), st.lists(st.integers(1, 6), min_size=1, max_size=3), min_size=1
    ),
    st.text("abcſ", max_size=8),
)
def test_what_a_table_writes_it_reads(table, text):
    try:
        codec = LabelCodec(table)
    except ValueError:
        assume(False)
    known = "".join(piece for piece, labels in codec.split(text) if labels is not None)
    assert codec.decode(codec.encode_known(text)) == known
    assert "".join(piece for piece, _ in codec.split(text)) == text
    larger = codec.union([text])
    assert larger.decode(larger.encode(text)) == text
    # What is left of a text may hold new pieces, where what was between its parts is unknown.
    if all(labels is not None for _, labels in codec.split(known)):
        assert larger.encode_known(known)[: len(codec.encode_known(known))] == codec.encode_known(known)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"a": [1], "b": [1]}, "ambiguous"),
        ({"a": [1], "b": [1, 2]}, "labels that begin with those"),
        ({"a": [0]}, "CTC's blank"),
        ({"a": [1], "b": [10**9]}, "from 1 to 1,114,112"),
        ({"a": 1}, "no list of labels"),
        ({}, "empty codec"),
        ("[", "cannot be read as JSON"),
        ('{"a": [1], "a": [2]}', "defined more than once"),
        (["a", "a"], "defined more than once"),
        ("3", "a JSON object"),
    ],
)
def test_a_file_that_is_no_codec_is_told_with_its_name(tmp_path, content, told):
    with pytest.raises(UserError) as error:
        read_kraken_codec(written(tmp_path, content))
    assert told in str(error.value)
    assert "codec.json" in str(error.value)
