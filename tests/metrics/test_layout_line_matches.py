"""What became of lines: each fate by an example, and what must hold of any page."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uncial.metrics.layout.line_matches import match_lines, summarise_matches


def row(y, left=0, right=400):
    return [(left, y), (right, y)]


TRUTH = [row(100), row(140), row(100, 500, 900), row(140, 500, 900)]


def fates(found, truth=TRUTH):
    return list(match_lines(truth, found).fates)


def test_found_as_it_is():
    matches = match_lines(TRUTH, TRUTH)
    assert matches.fates == ("intact",) * 4
    assert matches.covered == (1, 1, 1, 1)
    assert matches.false == ()
    assert matches.pairs == ((0, 0), (1, 1), (2, 2), (3, 3))
    assert matches.lengths == (400, 400, 400, 400)


def test_a_line_in_two_pieces_is_split():
    assert fates([row(100, 0, 200), row(100, 210, 400), *TRUTH[1:]]) == ["split", "intact", "intact", "intact"]


def test_one_line_over_two_columns_is_merged():
    assert fates([row(100, 0, 900), TRUTH[1], TRUTH[3]]) == ["merged", "intact", "merged", "intact"]


def test_a_line_that_nobody_found_is_missed_as_is_one_of_which_a_third_was():
    assert fates(TRUTH[1:]) == ["missed", "intact", "intact", "intact"]
    assert fates([row(100, 0, 130), *TRUTH[1:]]) == ["missed", "intact", "intact", "intact"]


def test_a_line_that_ends_early_is_partial_as_is_one_that_runs_on():
    assert fates([row(100, 0, 300), *TRUTH[1:]])[0] == "partial"
    assert fates([row(100, 0, 370), *TRUTH[1:]])[0] == "intact"
    assert fates([row(100, -300, 400), *TRUTH[1:]])[0] == "partial"


def test_a_line_that_jumps_to_the_next_row_is_merged():
    assert fates([[(0, 100), (200, 100), (201, 140), (400, 140)], row(140, 0, 200), row(100, 201, 400)])[:2] == [
        "merged",
        "merged",
    ]


def test_half_a_row_off_is_missed_and_the_found_line_is_false():
    matches = match_lines(TRUTH, [row(120), row(160), *TRUTH[2:]])
    assert matches.fates[:2] == ("missed", "missed")
    assert matches.false == (0, 1)


def test_what_lies_nowhere_and_what_repeats_a_line_is_false():
    matches = match_lines(TRUTH, [*TRUTH, row(700), row(100, 50, 350)])
    assert matches.fates == ("intact",) * 4
    assert matches.false == (4, 5)


def test_only_crumbs_make_a_split_line():
    crumbs = [row(100, left, left + 1) for left in range(20, 400, 40)]
    matches = match_lines(TRUTH, [*crumbs, *TRUTH[1:]])
    assert matches.fates[0] == "split"
    assert len(matches.false) == 10


def test_the_figures_of_a_set_are_shares_of_lines_and_of_their_length():
    truth = [row(100), row(140), row(100, 500, 700)]
    values = summarise_matches([match_lines(truth, [row(100), row(300)]), match_lines([], [])])
    assert values["lines"] == 3
    assert (values["lines_intact"], values["lines_missed"]) == (1, 2)
    assert values["intact"] == pytest.approx(1 / 3)
    assert values["intact_length"] == pytest.approx(0.4)
    assert values["missed_length"] == pytest.approx(0.6)
    assert values["covered_length"] == pytest.approx(0.4)
    assert (values["lines_false"], values["false"], values["false_length"]) == (1, 0.5, pytest.approx(0.4))


def test_lines_without_a_place_are_not_counted():
    values = summarise_matches([match_lines([row(100), [(math.nan, 0)]], [row(100), []])])
    assert (values["lines"], values["lines_found"], values["lines_false"]) == (1, 1, 0)


def test_no_lines_at_all():
    assert set(summarise_matches([]).values()) == {0.0}


def test_a_line_of_one_point():
    assert fates([[(7, 7)]], truth=[[(7, 7)]]) == ["intact"]


points = st.tuples(st.integers(0, 600), st.integers(0, 600))
pages = st.lists(st.lists(points, min_size=1, max_size=4), max_size=6)


@settings(max_examples=30, deadline=None)
@given(pages, pages, st.data())
def test_shares_add_up_and_the_order_of_the_found_lines_makes_no_difference(truth, found, data):
    matches = match_lines(truth, found)
    values = summarise_matches([matches])
    if truth:
        shares = [values[f"{fate}_length"] for fate in ("intact", "split", "merged", "partial", "missed")]
        assert sum(shares) == pytest.approx(1)
    again = match_lines(truth, data.draw(st.permutations(found)))
    assert again.fates == matches.fates
    assert len(again.false) == len(matches.false)
