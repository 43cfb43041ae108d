"""What to read first: review.csv of task=test and task=predict."""

import numpy as np
import pytest
from drawn_layouts import read_csv
from hypothesis import given
from hypothesis import strategies as st
from program import run_program

from uncial.metrics.review import ReadLine, rank_for_review
from uncial.reports.tables.review import summarize_review


def lines_of(random, count=400):
    """Lines of a model whose confidences are right, on average."""
    for number in range(count):
        confidence, length = random.beta(8, 1), int(random.integers(5, 60))
        yield ReadLine("page", str(number), length, confidence, int(random.binomial(length, 1 - confidence)), length)


def test_what_is_expected_is_what_comes_true_where_confidences_are_right():
    found = rank_for_review(list(lines_of(np.random.default_rng(1))))
    assert found.expected == pytest.approx(found.measured, abs=0.012)
    middle = len(found.lines) // 5
    assert found.best[middle] <= found.measured[middle] < 0.6 * found.measured[0]
    needed = found.needed(0.02, found.measured)
    assert found.measured[needed] <= 0.02 < found.measured[needed - 1]
    assert f"({needed} of 400) brings the CER from" in summarize_review(found, 0.02)
    assert "no line has to be read" in summarize_review(found, 0.5)


@given(
    st.lists(
        st.tuples(st.integers(0, 50), st.floats(0, 1), st.integers(0, 60), st.integers(0, 50)), min_size=0, max_size=30
    )
)
def test_the_curves_fall_from_the_whole_to_nothing(given_lines):
    lines = [ReadLine("p", str(n), *one) for n, one in enumerate(given_lines)]
    found = rank_for_review(lines)
    assert sorted(line.line for line in found.lines) == sorted(line.line for line in lines)
    for curve in (found.expected, found.measured, found.best):
        assert len(curve) == len(lines) + 1
        assert curve[-1] == 0
        assert (np.diff(curve) <= 1e-12).all()
    assert found.measured[0] == pytest.approx(found.best[0])
    assert (found.best <= found.measured + 1e-12).all()


def test_a_line_of_which_nothing_was_read_comes_before_sure_ones():
    lines = [ReadLine("p", "sure", 40, 0.99), ReadLine("p", "empty", 0, 1.0), ReadLine("p", "half", 40, 0.5)]
    assert [line.line for line in rank_for_review(lines).lines] == ["empty", "half", "sure"]
    assert "is expected to bring the CER" in summarize_review(rank_for_review(lines), 0.1)


@pytest.mark.parametrize(("sure", "share"), [(0, 1.0), (1, 0.5), (3, 0.25)])
def test_a_line_of_which_nothing_was_read_is_a_part_of_the_text_that_is_wrong(sure, share):
    lines = [ReadLine("p", "empty", 0, 0.0), *(ReadLine("p", str(n), 40, 1.0) for n in range(sure))]
    found = rank_for_review(lines)
    assert found.expected[0] == pytest.approx(share)
    assert found.rest[0] == pytest.approx(share)


def test_one_line_of_very_many_is_not_told_as_none_of_them():
    lines = [ReadLine("p", str(n), 1000, 0.9999, 0, 1000) for n in range(999)] + [
        ReadLine("p", "x", 1000, 0.1, 900, 1000)
    ]
    sentence = summarize_review(rank_for_review(lines), 0.0005)
    assert "the first 0.1 % of the lines" in sentence
    assert "(1 of 1,000)" in sentence


def equal_lines(count, edits, confidence):
    return rank_for_review([ReadLine("p", str(n), 10, confidence, edits, 10) for n in range(count)])


@pytest.mark.parametrize(("count", "told"), [(1, "the one line that there is"), (11, "all 11 lines"), (400, "all 400")])
def test_all_lines_are_no_choice_of_lines(count, told):
    """Where every line has as many errors it takes them all: that is said, and no list is called a help."""
    sentence = summarize_review(equal_lines(count, 4, 0.6), 0.0001)
    assert told in sentence
    assert "would have to be read and corrected" in sentence
    for word in ("Reading", "brings", "100 %"):
        assert word not in sentence


def test_nearly_all_lines_are_no_choice_of_lines_either():
    sentence = summarize_review(equal_lines(400, 4, 0.6), 0.02)
    assert "nearly all of the lines (380 of 400)" in sentence
    assert "Reading" not in sentence


def test_all_is_said_of_what_confidences_let_expect_as_well():
    found = rank_for_review([ReadLine("p", str(n), 10, 0.6) for n in range(11)])
    told = (
        "From the confidences a CER of 40.0 % is expected: for 2.0 % all 11 lines would have to be read and corrected."
    )
    assert summarize_review(found, 0.02) == told


def test_of_few_lines_the_number_is_told_and_no_share():
    found = rank_for_review([ReadLine("p", str(n), 10, 0.5 if n < 3 else 0.99, 5 * (n < 3), 10) for n in range(11)])
    sentence = summarize_review(found, 0.05)
    assert "Reading the first 2 of the 11 lines of review.csv brings the CER from 13.6 % to 5.0 %" in sentence
    assert "% of the lines" not in sentence


def test_of_no_line_nothing_is_told():
    assert summarize_review(rank_for_review([]), 0.02) == ""


def test_test_and_predict_list_the_lines_to_read(trained, drawn, tmp_path):
    data = ("data=page", f"data.root={drawn / 'page'}", "data.subset=all", "metrics.review_cer=0.001")
    ended = run_program(tmp_path / "test", "task=test", f"checkpoint={trained.folder}", *data)
    assert ended.code == 0, ended
    rows = read_csv(ended.folder / "review.csv")
    edits = {(row["page"], row["line"]): row["edits"] for row in read_csv(ended.folder / "predictions.csv")}
    assert {(row["page"], row["line"]): row["edits"] for row in rows} == edits
    assert float(rows[-1]["measured_cer"]) == float(rows[-1]["expected_cer"]) == 0
    assert float(rows[0]["expected_edits"]) >= float(rows[-1]["expected_edits"])
    assert "CER from" in ended.output or "no line has to be read" in ended.output
    given = ("task=predict", f"predict.input={drawn / 'page'}", f"checkpoint={trained.folder}", "predict.format=tsv")
    ended = run_program(tmp_path / "predict", *given)
    assert ended.code == 0, ended
    found = read_csv(ended.folder / "review.csv")
    assert [row["line"] for row in found] == [row["line"] for row in rows]
    assert "measured_cer" not in found[0]
    assert (ended.folder / "review.png").stat().st_size > 10_000
