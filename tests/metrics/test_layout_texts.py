"""hCER, Delta-CER and the error rates of whole pages: by hand, and against trying all pairings."""

from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from uncial.document import Page, TextLine, Transcription
from uncial.errors import UserError
from uncial.metrics.layout.text_alignment import (
    TextCounts,
    align_lines,
    compute_delta_cer,
    count_bag_edits,
    count_page_text,
    score_text,
)


def page(*texts, read=None):
    made = [TextLine(str(number), "p", text=text) for number, text in enumerate(texts)]
    if read is not None:
        made = [
            TextLine(line.id, "p", text=line.text, transcription=text and Transcription(text, 1.0))
            for line, text in zip(made, read, strict=True)
        ]
    return Page("p", Path("p.xml"), lines=tuple(made))


def test_lines_are_paired_whatever_their_order():
    found = align_lines(["alpha", "beta", "gamma"], ["gamma", "alphx", "beta"])
    assert found.pairs == ((0, 1), (1, 2), (2, 0))
    assert found.edits == 1


def test_lines_left_over_count_in_full():
    assert align_lines(["alpha", "beta"], ["beta"]).edits == 5
    assert align_lines(["beta"], ["beta", "xyz"]).edits == 3
    assert align_lines([], ["xyz"]).edits == align_lines(["xyz"], []).edits == 3
    assert align_lines([], []).edits == 0


def test_a_split_line_costs_what_is_missing_and_what_is_over():
    assert align_lines(["alpha beta"], ["alpha", "beta"]).edits == 5 + 4


texts = st.lists(st.text("ab", max_size=4), max_size=4)


@settings(max_examples=80, deadline=None)
@given(texts, texts)
def test_no_other_pairing_has_fewer_edits(truth, found):
    size = max(len(truth), len(found))
    own, others = truth + [""] * (size - len(truth)), found + [""] * (size - len(found))
    least = min(
        sum(Levenshtein.distance(*pair) for pair in zip(own, order, strict=True)) for order in permutations(others)
    )
    assert align_lines(truth, found).edits == least


def test_bags():
    assert count_bag_edits(["a", "b", "c"], ["c", "a", "b"]) == 0
    assert count_bag_edits(["a", "b", "c"], ["c", "a", "a", "d"]) == 2
    assert count_bag_edits([], ["a", "b"]) == count_bag_edits(["a", "b"], []) == 2


@settings(max_examples=60, deadline=None)
@given(texts, texts)
def test_order_can_only_cost(truth, found):
    values = score_text(count_page_text(page(*truth), page(*found), "none"))
    assert values["bwer"] <= values["page_wer"] + 1e-12
    same = score_text(count_page_text(page(*truth), page(*reversed(truth)), "none"))
    assert same["hcer"] == same["bcer"] == same["bwer"] == 0


def test_figures_of_a_page_by_hand():
    values = score_text(count_page_text(page("one two", "three"), page("three", "one twx")))
    assert values["hcer"] == pytest.approx(1 / 12)
    # One word is wrong wherever it stands; in their order, two words come too early or too late.
    assert values["bwer"] == pytest.approx(1 / 3)
    assert values["page_wer"] == 1
    assert values["bcer"] == pytest.approx(1 / 12)
    assert "delta_cer" not in values


def test_delta_cer_is_what_finding_the_lines_costs():
    """The reader errs once in the given lines; of the found ones it lacks the second, of five characters."""
    truth = page("alpha", "gamma", read=["alphx", "gamma"])
    values = score_text(count_page_text(truth, page(None, read=["alphx"])))
    assert values["given_cer"] == pytest.approx(0.1)
    assert values["hcer"] == pytest.approx(0.6)
    assert values["delta_cer"] == pytest.approx(0.5) == compute_delta_cer(0.6, 0.1)


def test_delta_cer_needs_all_lines_read():
    assert "delta_cer" not in score_text(count_page_text(page("alpha", "beta", read=["alpha", None]), page("alpha")))


def test_lines_without_text_are_no_truth_and_profiles_count():
    counts = count_page_text(page(" Alpha ", None), page("alpha"), "nfc_strip+ignore_case")
    assert counts == count_page_text(page("alpha"), page("alpha"))
    with pytest.raises(UserError):
        count_page_text(page("a"), page("a"), "no_such_profile")


def test_pages_add_up_and_nothing_is_divided_by_nothing():
    one, other = count_page_text(page("ab"), page("ac")), count_page_text(page("abcd"), page())
    assert score_text(one + other)["hcer"] == pytest.approx(5 / 6)
    assert set(score_text(TextCounts()).values()) == {0}
    assert score_text(count_page_text(page(), page("ab")))["hcer"] == 2
