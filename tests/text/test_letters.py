"""What single characters are, and which letters and signs look like others."""

import pytest

from uncial.text.characters import describe, find_line_script, find_script, find_scripts, is_right_to_left, is_vertical
from uncial.text.lookalikes import find_double
from uncial.text.lookalikes import find_letter_script as script_of_letter


@pytest.mark.parametrize(
    ("character", "told"),
    [
        ("a", "'a' (U+0061 LATIN SMALL LETTER A)"),
        ("\u0301", "'\u25cc\u0301' (U+0301 COMBINING ACUTE ACCENT)"),
        (" ", "U+0020 SPACE"),
        ("\t", "U+0009 control character"),
        ("\uf1ac", "'\uf1ac' (U+F1AC private use)"),
        ("\u0378", "U+0378 unassigned"),
        ("\U0001d538", "'\U0001d538' (U+1D538 MATHEMATICAL DOUBLE-STRUCK CAPITAL A)"),
    ],
)
def test_a_character_is_told_by_its_number_and_name(character, told):
    assert describe(character) == told


def test_the_script_of_a_character_and_of_a_mark_on_it():
    assert [find_script(one) for one in ("a", "я", "1", "\u0301", chr(0xF1AC))] == [
        "Latin",
        "Cyrillic",
        "Common",
        "Inherited",
        "Private use",
    ]
    assert find_scripts("ae\u0301я\u0301") == ["Latin", "Latin", "Latin", "Cyrillic", "Cyrillic"]
    assert find_scripts("\u0301a") == ["Inherited", "Latin"]
    assert find_scripts("aя1") == ["Latin", "Cyrillic", "Common"]


def test_the_script_of_a_line_is_that_of_most_of_its_letters():
    assert find_line_script("abя 123456") == "Latin"
    assert find_line_script("aя") == "Latin"
    assert find_line_script("12 .") == "Common"
    assert find_line_script("\uf1ac\uf1ac") == "Common"
    assert (is_right_to_left("אבa"), is_right_to_left("אab"), is_right_to_left("אa")) == (True, False, False)
    assert (is_vertical("漢字a"), is_vertical("漢ab")) == (True, False)


def test_letters_of_another_script_that_look_alike():
    assert find_double("а", "LATIN") == "a"
    assert find_double("a", "CYRILLIC") == "а"
    assert find_double("ё", "LATIN") == "ë"
    assert find_double("Ο", "CYRILLIC") == "О"
    assert find_double("b", "CYRILLIC") is None
    assert find_double("a", "LATIN") is None


@pytest.mark.parametrize(
    ("character", "name"),
    [
        ("a", "LATIN"),
        ("я", "CYRILLIC"),
        ("α", "GREEK"),
        ("1", ""),
        ("-", ""),
        ("ª", ""),
        ("µ", ""),
        ("ʰ", ""),
        ("漢", "CJK"),
    ],
)
def test_the_script_of_a_letter_alone(character, name):
    assert script_of_letter(character) == name
