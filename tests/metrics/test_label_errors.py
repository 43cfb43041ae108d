"""What a reading says of its ground truth: where they differ, what a slip costs, odds, and other lines."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uncial.metrics.label_errors import (
    LineShift,
    Place,
    compute_log_odds,
    compute_other_line_cost,
    compute_surprisals,
    compute_typo_cost,
    convert_odds,
    find_misaligned,
    find_places,
    find_shifts,
    list_alternatives,
)

TEXTS = ["the first line", "another text, B", "quick foxes jump", "vendange 1858 K", "zzz & Co, Paris"]


def test_differences_with_two_characters_between_them_are_one_place_and_with_three_two():
    assert find_places("abcdefghij", "aXcdYfghij") == (Place(1, "bcde", "XcdY"),)
    assert find_places("abcdefghij", "aXcdeYghij") == (Place(1, "b", "X"), Place(5, "f", "Y"))
    assert find_places("abcdefghijklm", "XbcdeYghZjklm") == (Place(0, "a", "X"), Place(5, "fghi", "YghZ"))
    assert find_places("abc", "abc") == ()


@given(st.text("abc", max_size=12), st.text("abc", max_size=12))
def test_all_places_as_they_were_read_make_the_reading(truth, reading):
    found = find_places(truth, reading)
    alternatives = list_alternatives(truth, found)
    assert [places for _, places in alternatives] == [(one,) for one in found] + [found] * (len(found) > 1)
    assert (found == ()) == (truth == reading)
    if found:
        assert alternatives[-1][0] == reading
    for one, other in pairwise(found):
        assert other.start - (one.start + len(one.truth)) > 2
    for text, (place, *more) in alternatives:
        if not more:
            end = place.start + len(place.truth)
            assert truth[place.start : end] == place.truth
            assert text == truth[: place.start] + place.reading + truth[end:]


def test_a_slip_costs_its_place_and_its_characters():
    surprise = compute_surprisals(["aab", "a"])
    assert surprise == pytest.approx({"a": math.log(5 / 3), "b": math.log(5), "": math.log(5)})
    assert compute_typo_cost("aab", (Place(2, "b", "x"),), surprise) == pytest.approx(math.log(4) + math.log(5))
    assert compute_typo_cost("aab", (Place(0, "a", ""),), surprise) == pytest.approx(math.log(4) + math.log(5 / 3))
    assert compute_typo_cost("aab", (Place(1, "", "xy"),), surprise) == pytest.approx(math.log(4) + 2 * math.log(2))
    assert compute_typo_cost("aqb", (Place(1, "q", "x"),), surprise) == pytest.approx(math.log(4) + math.log(5))
    both = (Place(0, "a", "x"), Place(2, "b", "x"))
    assert compute_typo_cost("aab", both, surprise) == pytest.approx(2 * math.log(4) + math.log(5 / 3) + math.log(5))


def test_a_text_of_another_line_costs_the_choice_among_the_lines():
    assert compute_other_line_cost("abcd", "wxyz", 10) == pytest.approx(math.log(10))
    assert compute_other_line_cost("abcd", "wxyz", 1) == pytest.approx(math.log(2))
    assert compute_other_line_cost("abcd", "abxy", 10) == math.inf, "half of it is the same"
    assert compute_other_line_cost("abcd", "axyz", 10) == pytest.approx(math.log(10))


def test_the_odds_are_the_prior_s_times_the_sum_of_the_alternatives():
    assert compute_log_odds(0.1, [2.0], [0.5]) == pytest.approx(math.log(1 / 9) + 1.5)
    two = compute_log_odds(0.25, [2.0, 1.0], [0.5, 3.0])
    assert two == pytest.approx(math.log(1 / 3) + math.log(math.exp(1.5) + math.exp(-2)))
    assert compute_log_odds(0.25, [2000.0, 0], [0, 0]) == pytest.approx(math.log(1 / 3) + 2000)
    assert compute_log_odds(0.25, [], []) == -math.inf


@pytest.mark.parametrize(("odds", "probability"), [(0, 0.5), (math.log(3), 0.75), (-1e9, 0.0), (800, 1.0)])
def test_odds_as_a_probability(odds, probability):
    assert convert_odds(odds) == pytest.approx(probability)


def test_lines_that_were_read_as_another_line_s_truth_are_found():
    swapped = [TEXTS[1], TEXTS[0], *TEXTS[2:]]
    assert find_misaligned(TEXTS, TEXTS) == {}
    assert find_misaligned(TEXTS, swapped) == {0: 1, 1: 0}
    assert find_misaligned(TEXTS, ["", *TEXTS[1:]]) == {}
    assert find_misaligned(["a line", "b line"], ["b line", "a line"]) == {}, "as short as these are like many others"
    assert find_misaligned(["ab", "cd"], ["the first line", "another text, B"]) == {}


def test_of_truths_that_are_alike_the_nearest_line_is_meant():
    truths = ["one text of all", "x" * 15, "y" * 15, "z" * 15, "one text of all"]
    assert find_misaligned(truths, [truths[0], truths[0], "y" * 15, truths[0], truths[4]]) == {1: 0, 3: 4}


def test_a_reading_that_is_half_its_own_is_looked_for_nowhere_else():
    truths = ["abcdefghij", "abcdeQRSTU"]
    assert find_misaligned(truths, ["abcdeQRSTx", "abcdeQRSTU"]) == {0: 1}
    assert find_misaligned(truths, ["abcdefRSTU", "abcdeQRSTU"]) == {}


def test_three_lines_that_are_off_by_as_much_are_a_shift_and_two_are_not():
    read = [*TEXTS[1:], "nothing like it."]
    found = find_misaligned(TEXTS, read)
    assert found == {0: 1, 1: 2, 2: 3, 3: 4}
    assert find_shifts(TEXTS, read, found) == [LineShift(0, 3, 4, 1)]
    assert find_shifts(TEXTS, read, {0: 1, 1: 2, 2: 3}) == [LineShift(0, 2, 3, 1)]
    assert find_shifts(TEXTS, read, {0: 1, 1: 2}) == []


def test_a_line_that_is_read_as_its_own_truth_ends_a_shift():
    read = [TEXTS[1], TEXTS[2], TEXTS[2], TEXTS[4], "nothing like it."]
    assert find_shifts(TEXTS, read, {0: 1, 1: 2, 3: 4}) == []
    unread = [*read[:2], "nothing like it.", *read[3:]]
    assert find_shifts(TEXTS, unread, {0: 1, 1: 2, 3: 4}) == [LineShift(0, 3, 3, 1)]
    assert find_shifts(TEXTS, read, {0: 1, 1: 0, 3: 4}) == [], "each with another offset"
