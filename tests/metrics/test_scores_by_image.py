"""Scores by measures of the line images: groups, and correlations that err no more often than they say."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from uncial.metrics.evaluation import EvaluationSettings
from uncial.metrics.image_quality import correlate_ranks, divide_evenly, score_by_measures
from uncial.metrics.intervals import Bootstrap
from uncial.metrics.lines import LineOrigin, evaluate_line
from uncial.reports.tables.image_quality import describe_image_quality

QUICK = Bootstrap(resamples=300)
SETTINGS = EvaluationSettings(variants=(), bootstrap=QUICK)
SETS = 200


def drawn_set(random, pages, effect=0.0, by_length=0.0):
    """Measures, error rates, lengths and pages of 15 lines a page; both measure and errors differ by page too."""
    page = np.repeat(np.arange(pages), 15)
    values = random.normal(size=pages)[page] + random.normal(size=len(page))
    lengths = random.integers(2, 60, len(page))
    rates = np.clip(0.05 * np.exp(random.normal(size=pages)[page] + effect * values), 0, 0.9)
    edits = random.binomial(lengths, rates)
    return values + by_length * lengths, edits / lengths, lengths, [str(one) for one in page]


@pytest.mark.parametrize(("pages", "by_length"), [(4, 0.0), (12, 0.0), (12, 0.05)])
def test_what_does_not_go_together_is_called_so_in_5_of_100_cases_at_most(pages, by_length):
    random = np.random.default_rng(1)
    found = [correlate_ranks(*drawn_set(random, pages, by_length=by_length), QUICK) for _ in range(SETS)]
    assert np.mean([one is not None and one.p <= 0.05 for one in found]) <= 0.05 + 3 * (0.05 * 0.95 / SETS) ** 0.5
    outside = [one for one in found if one is not None and not one.interval.low <= 0 <= one.interval.high]
    assert all(one.p <= 0.05 for one in outside)


@pytest.mark.parametrize("sign", [-1, 1])
def test_what_goes_together_is_found_with_its_sign(sign):
    random = np.random.default_rng(2)
    found = [correlate_ranks(*drawn_set(random, 30, effect=0.6 * sign), QUICK) for _ in range(20)]
    assert np.mean([one.is_shown for one in found]) > 0.9
    assert all(sign * one.value > 0 for one in found)


def test_lines_taken_for_independent_would_err_far_more_often():
    random = np.random.default_rng(3)
    called = 0
    for _ in range(SETS):
        *columns, clusters = drawn_set(random, 8)
        called += correlate_ranks(*columns, [str(number) for number in range(len(clusters))], QUICK).p <= 0.05
    assert called / SETS > 0.15


@given(st.lists(st.floats(-1e4, 1e4).map(lambda value: round(value, 2)), max_size=60))
def test_groups_are_ranges_that_hold_all(values):
    labels, parts = divide_evenly(np.array(values, float))
    assert len(labels) == len(set(labels)) <= 4
    assert sorted(set(parts.tolist())) == list(range(len(labels)))
    assert (len(labels) > 1) == (len(set(values)) > 1)
    held = [[value for value, part in zip(values, parts, strict=True) if part == group] for group in range(len(labels))]
    for lower, upper in pairwise(held):
        assert max(lower) < min(upper)


def test_groups_of_unlike_values_are_quarters():
    labels, parts = divide_evenly(np.arange(100.0))
    assert np.bincount(parts).tolist() == [25, 25, 25, 25]
    assert labels == ["up to 24.0", "24.0 to 49.0", "49.0 to 74.0", "over 74.0"]


def lines_of(pages, effect, seed=1):
    random = np.random.default_rng(seed)
    noise = np.exp(random.normal(1, 0.5, (pages, 10)))
    lines = []
    for page in range(pages):
        for line in range(10):
            truth, wrong = "abcdefghij" * 2, random.binomial(20, min(0.9, 0.05 + effect * noise[page, line]))
            lines.append(evaluate_line(LineOrigin(str(page), str(line)), truth, "#" * wrong + truth[wrong:]))
    measures = {"contrast": random.normal(80, 9, pages * 10), "noise": noise.ravel(), "height": np.full(pages * 10, 40)}
    return lines, measures


def told(lines, measures, pages):
    return describe_image_quality(score_by_measures(lines, measures, SETTINGS), lines, SETTINGS, pages)


def test_noise_that_makes_lines_hard_to_read_is_told_and_nothing_else():
    sentence = told(*lines_of(12, 0.08), 12)
    assert sentence.startswith("Errors go together with the noise of the line images: CER ")
    assert "with contrast no more than by chance (120 lines of 12 pages)" in sentence
    assert "need not be their cause" in sentence
    assert "height" not in sentence


def test_noise_that_does_not_matter_is_told_as_such():
    sentence = told(*lines_of(12, 0.0, seed=2), 12)
    assert sentence.startswith("Errors do not go together with contrast or noise of the line images more than by")
    assert "height" not in sentence


@pytest.mark.parametrize("pages", [2, 3, 4])
def test_of_few_lines_nothing_is_told_but_their_groups(pages):
    lines, measures = lines_of(pages, 0.08)
    assert told(lines, measures, pages) == ""
    [contrast, noise, height] = score_by_measures(lines, measures, SETTINGS)
    assert [len(score.groups) for score in (contrast, noise, height)] == [4, 4, 1]
    assert sum(group.scores.lines for group in noise.groups) == len(lines)


def test_lines_without_a_measure_are_in_no_group():
    lines, measures = lines_of(12, 0.08)
    measures["noise"][:7] = np.nan
    [_, noise, _] = score_by_measures(lines, measures, SETTINGS)
    assert noise.group_of[:7] == (-1,) * 7
    assert sum(group.scores.lines for group in noise.groups) == len(lines) - 7


def test_each_of_many_measures_is_shown_less_easily():
    """Five of a hundred would be called other than 0 by chance."""
    lines, _ = lines_of(12, 0.0)
    random = np.random.default_rng(5)
    many = {str(number): random.normal(size=len(lines)) for number in range(60)}
    found = score_by_measures(lines, many, SETTINGS)
    alone = [score_by_measures(lines, {name: values}, SETTINGS)[0] for name, values in many.items()]
    assert not any(score.correlation.is_shown for score in found)
    assert any(score.correlation.is_shown for score in alone)
    assert all(one.correlation.p >= other.correlation.p for one, other in zip(found, alone, strict=True))


def test_where_nothing_is_misread_nothing_is_told():
    lines, measures = lines_of(12, 0.0)
    right = [evaluate_line(line.origin, line.truth, line.truth) for line in lines]
    assert told(right, measures, 12) == ""
