"""Confusions, kinds of error, and scores of characters and scripts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uncial.metrics.characters import Confusion, confusions, score_characters
from uncial.metrics.error_rates import align_texts, find_error_kind
from uncial.metrics.lines import LineOrigin, evaluate_line
from uncial.text.characters import find_line_script, find_script, find_scripts

letters = st.text(st.sampled_from("abé ,7\u0301βΒ"), max_size=9)


def lines_of(pairs):
    return [evaluate_line(LineOrigin("p", str(number)), *pair, "none") for number, pair in enumerate(pairs)]


def test_confusions_are_counted_the_most_frequent_first():
    found = confusions(["nun", "man", "in"], ["uuu", "mann", "i"])
    assert found == (Confusion("n", "u", 2), Confusion("", "n", 1), Confusion("n", "", 1))


@given(letters, letters)
def test_an_alignment_holds_both_texts_and_the_edits_that_the_scores_count(truth, read):
    pairs = list(align_texts(truth, read))
    assert ("".join(one for one, _ in pairs), "".join(other for _, other in pairs)) == (truth, read)
    assert sum(one != other for one, other in pairs) == lines_of([(truth, read)])[0].counts.edits


@given(st.lists(st.tuples(letters, letters), max_size=6))
def test_what_is_told_of_characters_scripts_and_kinds_adds_up_to_the_score(pairs):
    lines = lines_of(pairs)
    edits = sum(line.counts.edits for line in lines)
    characters = sum(line.counts.characters for line in lines)
    found = score_characters(lines)
    assert sum(one.count for one in found.confusions) == sum(found.kinds.values()) == edits
    for scores in (found.characters, found.scripts):
        assert sum(one.edits for one in scores) == edits
        assert sum(one.count for one in scores) == characters


def test_how_often_a_character_is_found_and_how_often_it_is_right():
    found = {one.unit: one for one in score_characters(lines_of([("aab", "abb"), ("a", "ab")])).characters}
    assert (found["a"].count, found["a"].substitutions, found["a"].recall, found["a"].precision) == (3, 1, 2 / 3, 1.0)
    assert (found["b"].insertions, found["b"].wrongly_read, found["b"].recall) == (1, 1, 1.0)
    assert found["b"].precision == 1 / 3


@pytest.mark.parametrize(
    ("truth", "read", "kind"),
    [
        (" ", "", "space"),
        (",", " ", "space"),
        (".", ",", "punctuation"),
        ("", "’", "punctuation"),
        ("1", "l", "digit"),
        ("Ⅳ", "V", "digit"),
        ("A", "a", "case"),
        ("é", "e", "diacritic"),
        ("É", "e", "diacritic"),
        ("\u0303", "", "diacritic"),
        ("ſ", "s", "letter"),
        ("n", "", "letter"),
        ("", "\uf1ac", "letter"),
    ],
)
def test_kinds_of_error(truth, read, kind):
    assert find_error_kind(truth, read) == kind


def test_scripts():
    assert [find_script(one) for one in "aβж1\uf1ac\u0303"] == [
        "Latin", "Greek", "Cyrillic", "Common", "Private use", "Inherited",
    ]  # fmt: skip
    assert find_scripts("\u0303q\u0303") == ["Inherited", "Latin", "Latin"]
    assert find_line_script("12 ܫܠܡܐ ab") == "Syriac"
    assert find_line_script("12, — 3") == "Common"
