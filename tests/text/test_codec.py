import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uncial.errors import UnusableInput, UserError
from uncial.text.codec import BLANK, CharacterCodec, build_codec_from_json, count_alphabet
from uncial.text.label_codec import LabelCodec
from uncial.text.normalization import normalize

texts = st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=8)


@given(texts)
def test_every_text_that_made_the_alphabet_comes_back(lines):
    codec = CharacterCodec.from_texts(lines)
    for line in lines:
        labels = codec.encode(line)
        assert codec.decode(labels) == line
        assert "".join(codec.decode_each(labels)) == line
        assert all(BLANK < label < codec.size for label in labels)


@given(texts, st.randoms())
def test_labels_do_not_depend_on_the_order_of_the_texts(lines, generator: random.Random):
    shuffled = list(lines)
    generator.shuffle(shuffled)
    assert CharacterCodec.from_texts(lines) == CharacterCodec.from_texts(shuffled)
    assert list(CharacterCodec.from_texts(lines).alphabet) == sorted(set("".join(lines)))


@given(texts)
def test_json_brings_the_same_codec_back(lines):
    codec = CharacterCodec.from_texts(lines)
    restored = build_codec_from_json(json.loads(json.dumps(codec.to_json())))
    assert restored == codec
    assert restored.alphabet == codec.alphabet


def test_labels_start_at_one_and_size_counts_the_blank():
    codec = CharacterCodec.from_texts(["cab"])
    assert codec.encode("abc") == [1, 2, 3]
    assert codec.size == 4


def test_a_given_order_is_kept_so_that_fine_tuning_can_append():
    codec = CharacterCodec(["b", "a", "\uf1ac"])
    assert codec.encode("ab\uf1ac") == [2, 1, 3]
    assert build_codec_from_json(codec.to_json()).encode("ab\uf1ac") == [2, 1, 3]


@pytest.mark.parametrize(
    ("character", "named"),
    [
        ("ꝑ", r"'ꝑ' \(U\+A751 LATIN SMALL LETTER P WITH STROKE THROUGH DESCENDER\)"),
        ("\u0303", r"U\+0303 COMBINING TILDE"),
        ("\uf1ac", r"U\+F1AC private use"),
        ("\u200d", r"holds U\+200D ZERO WIDTH JOINER,"),
        ("\n", r"holds U\+000A control character,"),
        ("𐏿", r"U\+103FF"),
    ],
)
def test_an_unknown_character_is_named(character, named):
    codec = CharacterCodec.from_texts(["abc"])
    assert codec.unknown(f"a{character}b{character}") == [character]
    with pytest.raises(UnusableInput, match=named):
        codec.encode(f"a{character}b")


def test_many_unknown_characters_make_a_short_message():
    with pytest.raises(UnusableInput, match="and 21 more"):
        CharacterCodec([]).encode("abcdefghijklmnopqrstuvwxyz")


@pytest.mark.parametrize("label", [0, -1, 4])
def test_a_label_that_was_never_given_out_is_refused(label):
    with pytest.raises(ValueError, match="from 1 to 3"):
        CharacterCodec.from_texts(["abc"]).decode([1, label])


@pytest.mark.parametrize("alphabet", [["a", "a"], ["ab"], [""], [1]])
def test_an_alphabet_of_single_distinct_code_points_is_asked_for(alphabet):
    with pytest.raises(ValueError, match="alphabet"):
        CharacterCodec(alphabet)
    with pytest.raises(UserError, match="alphabet"):
        build_codec_from_json({"kind": "characters", "alphabet": alphabet})


@pytest.mark.parametrize(
    "data", [{}, {"kind": "syllables"}, {"kind": ["characters"]}, {"kind": "characters", "alphabet": "abc"}]
)
def test_a_description_of_no_known_codec_is_refused(data):
    with pytest.raises(UserError):
        build_codec_from_json(data)


def test_alphabet_counts_are_sorted_by_frequency_then_code_point():
    assert list(count_alphabet(["bab", "", "ca"]).items()) == [("a", 2), ("b", 2), ("c", 1)]


@pytest.mark.real_data
def test_polytonic_greek_has_its_known_alphabet_and_comes_back(real_data):
    files = sorted((real_data / "gt-commentaries-ocr").rglob("*.gt.txt"))
    lines = [normalize(file.read_text(encoding="utf-8")) for file in files]
    codec = CharacterCodec.from_texts(lines)
    assert len(lines) == 3364
    assert 250 < codec.size < 300
    assert all(codec.decode(codec.encode(line)) == line for line in lines)


@given(texts, texts)
def test_a_union_keeps_every_label_and_writes_the_new_texts(known, new):
    codec = CharacterCodec.from_texts(known)
    both = codec.union(new)
    assert both.alphabet[: codec.size - 1] == codec.alphabet
    assert set(both.alphabet) == set().union(*known, *new)
    assert all(both.decode(both.encode(text)) == text for text in new)


def test_a_codec_learned_from_texts_forgets_its_own():
    assert CharacterCodec("abc").learned_from(["cd"]).alphabet == ("c", "d")


def test_a_union_of_graphemes_adds_graphemes():
    codec = CharacterCodec.from_texts(["ab"], "grapheme").union(["ab\u0303e"])
    assert codec.unit == "grapheme"
    assert codec.alphabet == ("a", "b", "b\u0303", "e")


def test_a_union_of_a_table_adds_labels_behind_its_own():
    codec = LabelCodec({"a": [1, 2], "ch": [3], "c": [7]})
    both = codec.union(["chat", "x"])
    assert both.encode("chact") == [3, 1, 2, 7, 8]
    assert both.decode(both.encode("xchat")) == "xchat"
    assert codec.union(["chac"]) is codec


def test_a_table_learned_from_texts_keeps_the_labels_that_it_needs():
    codec = LabelCodec({"a": [1, 2], "ch": [3], "c": [7]}).learned_from(["cha", "t"])
    assert set(codec.alphabet) == {"a", "ch", "t"}
    assert codec.encode("cha") == [3, 1, 2]
