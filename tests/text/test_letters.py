"""What single characters are, and which letters and signs look like others."""

import pytest

from uncial.text.characters import describe, line_script, runs_down, runs_left, script, scripts
from uncial.text.lookalikes import double
from uncial.text.lookalikes import script as script_of_letter


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
    assert [script(one) for one in ("a", "я", "1", "\u0301", chr(0xF1AC))] == [
        "Latin",
        "Cyrillic",
        "Common",
        "Inherited",
        "Private use",
    ]
    assert scripts("ae\u0301я\u0301") == ["Latin", "Latin", "Latin", "Cyrillic", "Cyrillic"]
    assert scripts("\u0301a") == ["Inherited", "Latin"]
    assert scripts("aя1") == ["Latin", "Cyrillic", "Common"]


def test_the_script_of_a_line_is_that_of_most_of_its_letters():
    assert line_script("abя 123456") == "Latin"
    assert line_script("aя") == "Latin"
    assert line_script("12 .") == "Common"
    assert line_script("\uf1ac\uf1ac") == "Common"
    assert (runs_left("אבa"), runs_left("אab"), runs_left("אa")) == (True, False, False)
    assert (runs_down("漢字a"), runs_down("漢ab")) == (True, False)


def test_letters_of_another_script_that_look_alike():
    assert double("а", "LATIN") == "a"
    assert double("a", "CYRILLIC") == "а"
    assert double("ё", "LATIN") == "ë"
    assert double("Ο", "CYRILLIC") == "О"
    assert double("b", "CYRILLIC") is None
    assert double("a", "LATIN") is None


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
