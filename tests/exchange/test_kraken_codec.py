"""Codec files as `ketos train --codec` takes them."""

import json

import pytest
from hypothesis import example, given, reject
from hypothesis import strategies as st

from uncial.errors import UnusableInput, UserError
from uncial.exchange.kraken_codec import read_kraken_codec
from uncial.text.codec import CharacterCodec, build_codec_from_json
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
    assert build_codec_from_json(json.loads(json.dumps(codec.to_json()))) == codec


tables = st.dictionaries(
    st.text("abcſ", min_size=1, max_size=2), st.lists(st.integers(1, 6), min_size=1, max_size=3), min_size=1
)


def codec_of(table):
    """The codec of a table, where it is one."""
    try:
        return LabelCodec(table)
    except ValueError:
        return reject()


@given(tables, st.text("abcſ", max_size=8))
@example({"a": [1], "bc": [2], "ab": [3]}, "aſbcca")
def test_what_a_table_writes_it_reads(table, text):
    codec = codec_of(table)
    pieces = list(codec.split(text))
    assert "".join(piece for piece, _ in pieces) == text
    assert codec.decode(codec.encode_known(text)) == "".join(piece for piece, labels in pieces if labels is not None)
    assert codec.unknown(text) == list(dict.fromkeys(piece for piece, labels in pieces if labels is None))


@given(tables, st.text("abcſ", max_size=8), st.text("abcſ", max_size=8))
@example({"a": [1], "bc": [2], "ab": [3]}, "aſbcca", "abca")
def test_a_larger_table_writes_what_was_new_and_all_else_as_before(table, new, text):
    """Also what is left of a text without its unknown characters, between which new strings may come to stand."""
    codec = codec_of(table)
    larger = codec.union([new])
    assert larger.decode(larger.encode(new)) == new
    added = {piece for piece, _ in larger.split(text)} - {piece for piece, _ in codec.split(text) if piece in table}
    assert added <= set(text), "what is new are single characters"
    kept = [(piece, labels) for piece, labels in larger.split(text) if piece in table]
    assert kept == [(piece, labels) for piece, labels in codec.split(text) if labels is not None]
    assert larger.size == codec.size + len(codec.unknown(new))


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
