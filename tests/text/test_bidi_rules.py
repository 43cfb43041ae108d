"""The rules of the Unicode Bidirectional Algorithm that single lines show, UAX #9's own examples among them."""

import pytest

from uncial.text.bidi import to_display, to_logical

HEBREW = dict(zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", map(chr, range(0x5D0, 0x5EA)), strict=True))
LATIN = {hebrew: latin for latin, hebrew in HEBREW.items()}


def shown(text, base):
    """The display of a text whose capitals stand for letters that run from right to left."""
    return "".join(LATIN.get(unit, unit) for unit in to_display([HEBREW.get(one, one) for one in text], base)[0])


@pytest.mark.parametrize(
    ("stored", "base", "display"),
    [
        # The three examples of rule N0.
        ("AB(CD[&ef]!)gh", "R", "gh(![ef&]DC)BA"),
        ("smith (fabrikam ARABIC) HEBREW", "R", "WERBEH (CIBARA fabrikam) smith"),
        ("ARABIC book(s)", "R", "book(s) CIBARA"),
        # In a line from left to right what the brackets hold, what stands before them, or neither.
        ("a (b C) D", "L", "a (b C) D"),
        ("A (B) c", "L", "(B) A c"),
        ("a (B) c", "L", "a (B) c"),
        ("A (1) c", "L", "(1) A c"),
        ("a () B", "L", "a () B"),
        # One that has no partner is a sign like others.
        ("A ) B", "L", "B ( A"),
        ("A (B c", "L", "B) A c"),
        ("A [B) c", "L", "B] A) c"),
        # Two pairs, one in the other.
        ("A ((B)) c", "L", "((B)) A c"),
        ("car (CAR [MEANS] car) D", "L", "car ([SNAEM] RAC car) D"),
    ],
)
def test_brackets_take_the_direction_of_what_they_hold_or_of_what_stands_before_them(stored, base, display):
    assert shown(stored, base) == display


def test_a_mark_is_its_letter_s_and_no_bracket_s_before_it():
    aleph, qamats = "א", "\u05b8"
    assert to_display(list(f"(a) {aleph}{qamats}"), "L")[0] == [*"(a) ", qamats, aleph]
    assert to_display([*"(a) ", aleph + qamats, "ב"], "L")[0] == [*"(a) ", "ב", aleph + qamats]


@pytest.mark.parametrize(
    ("text", "base"), [("٢١(٢)aج,", "L"), ("בaجج (ج)", "L"), ("(b,٢.٢b ", "R"), ("ב(1٢جב)", "L"), (".2a1٢ (٢)", "L")]
)
def test_a_line_that_is_found_at_no_first_guess_is_found(text, base):
    """The levels of single words, numbers and signs are tried."""
    units, order = to_logical(list(text), base)
    assert "".join(to_display(units, base)[0]) == text
    assert sorted(order) == list(range(len(text)))


@pytest.mark.parametrize(("text", "base"), [("١ج),2 a,", "R"), ("בج2b ", "L"), ("1אאא1-b.b", "R"), (".ج  (  1 ", "L")])
def test_of_what_no_line_is_shown_as_nothing_is_lost(text, base):
    units, order = to_logical(list(text), base)
    assert sorted(order) == list(range(len(text)))
    mirrored = {"(": ")", ")": "("}
    assert all(unit in (text[place], mirrored.get(text[place])) for unit, place in zip(units, order, strict=True))
