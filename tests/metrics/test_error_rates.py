import random
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uncial.errors import UserError
from uncial.metrics.error_rates import Counts, ErrorRates, compare

RECORDED = [
    ("kitten sat", "sitting sat"),
    ("ſeneſcal de ꝑis", "seneſcal ꝑis"),
    ("Bonjour le monde", "bonjour  monde le"),
    ("a b c d", "a b d e f"),
    ("abc", "abc"),
]
"""Lines whose figures below were recorded from jiwer 4."""


def naive_distance(left, right):
    """Wagner and Fischer's table, written down as the definition reads."""
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, start=1):
        previous, row = row, [i]
        for j, b in enumerate(right, start=1):
            row.append(min(previous[j] + 1, row[-1] + 1, previous[j - 1] + (a != b)))
    return row[-1]


def rates(pairs, profile="none"):
    metric = ErrorRates(profile)
    for truth, prediction in pairs:
        metric.update(truth, prediction)
    return metric


short = st.text(st.sampled_from("ab é\u0301\uf1ac"), max_size=9)
pairs_of_lines = st.lists(st.tuples(short, short), max_size=8)


def test_figures_recorded_from_jiwer():
    scores = rates(RECORDED).compute()
    assert scores.cer == pytest.approx(17 / 51)
    assert scores.wer == pytest.approx(9 / 13)
    assert (scores.insertions, scores.deletions, scores.substitutions) == (6, 5, 6)
    assert (scores.characters, scores.words, scores.lines) == (51, 13, 5)
    assert scores.line_accuracy == 1 / 5
    assert scores.cer_macro == pytest.approx((3 / 10 + 4 / 15 + 6 / 16 + 4 / 7) / 5)


@given(short, short)
def test_counts_agree_with_the_definition(truth, prediction):
    counts = compare(truth, prediction)
    assert counts.edits == naive_distance(truth, prediction)
    assert counts.insertions - counts.deletions == len(prediction) - len(truth)
    assert counts.word_edits == naive_distance(truth.split(), prediction.split())
    assert (counts.characters, counts.words) == (len(truth), len(truth.split()))
    assert bool(counts.correct_lines) == (truth == prediction)


@given(pairs_of_lines)
def test_all_edits_over_all_characters_and_not_a_mean_of_lines(pairs):
    scores = rates(pairs).compute()
    edits = sum(naive_distance(truth, prediction) for truth, prediction in pairs)
    assert scores.cer == edits / max(1, sum(len(truth) for truth, _ in pairs))


@given(pairs_of_lines, st.integers(0, 8), st.randoms())
def test_the_digits_do_not_depend_on_order_or_on_how_processes_share_the_lines(pairs, cut, generator: random.Random):
    shuffled = list(pairs)
    generator.shuffle(shuffled)
    first, second = rates(shuffled[:cut]), rates(shuffled[cut:])
    summed = [mine + theirs for mine, theirs in zip(first.counts().vector(), second.counts().vector(), strict=True)]
    merged = ErrorRates("none")
    merged.aggregate([Counts.from_vector(summed)])
    assert merged.compute() == rates(pairs).compute()


def test_an_empty_truth_counts_its_insertions():
    scores = rates([("abcd", "abcd"), ("", "xy")]).compute()
    assert scores.cer == 2 / 4
    assert scores.insertions == 2
    assert scores.line_accuracy == 0.5


def test_an_empty_prediction_is_all_deletions():
    scores = rates([("ab cd", "")]).compute()
    assert (scores.cer, scores.wer, scores.deletions) == (1.0, 1.0, 5)


def test_no_line_and_no_truth_are_finite():
    assert rates([]).compute().cer == 0
    assert rates([("", "")]).compute().line_accuracy == 1
    assert rates([("", "abc")]).compute().cer == 3


def test_rates_may_exceed_one():
    assert rates([("a", "bcd")]).compute().cer == 3


def test_both_sides_are_normalised_by_the_named_profile():
    pair = ("e\u0301 ", " é")
    assert rates([pair], "nfc_strip").compute().cer == 0
    assert rates([pair], "nfc_strip").compute().characters == 1
    assert rates([pair], "nfd_strip").compute().characters == 2
    assert rates([pair], "none").compute().cer > 0
    assert rates([pair], "nfd_strip").compute().profile == "nfd_strip"


def test_words_are_split_at_any_white_space():
    scores = rates([("a\u00a0b\tc  d", "a b c d")]).compute()
    assert (scores.wer, scores.words) == (0, 4)


def test_update_returns_what_the_line_alone_counts_and_reset_forgets():
    metric = ErrorRates()
    metric.update("aaa", "bbb")
    assert metric.update("abc", "abd").edits == 1
    metric.reset()
    assert metric.counts() == Counts()


def test_an_unknown_profile_is_found_before_the_first_line():
    with pytest.raises(UserError, match="nfc_strip"):
        ErrorRates("nfc_stripp")


def test_scores_are_plain_types():
    data = rates(RECORDED).compute().to_json()
    assert set(data) >= {
        "cer",
        "wer",
        "cer_macro",
        "line_accuracy",
        "insertions",
        "deletions",
        "substitutions",
        "lines",
    }
    assert all(type(value) in (int, float, str) for value in data.values())


def test_text_and_metrics_import_no_torch():
    modules = "uncial.metrics.error_rates, uncial.text.codec, uncial.text.normalization"
    code = f"import {modules}, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
