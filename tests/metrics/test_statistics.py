"""Intervals, p-values and forecasts against what textbooks say they are."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from uncial.metrics.comparison import compare_systems
from uncial.metrics.evaluation import EvaluationSettings
from uncial.metrics.intervals import Bootstrap, estimate_rate, estimate_share, estimate_spread
from uncial.metrics.learning_curve import MeasuredRun, fit_learning_curve
from uncial.metrics.lines import LineOrigin, evaluate_line
from uncial.metrics.paired import compute_randomisation_p, run_paired_test
from uncial.reports.terminal.verdict import describe_verdict

MANY = Bootstrap(resamples=40_000)
"""Draws of which the standard error is known to one part in a hundred."""


@pytest.mark.parametrize("edits", [[10, 30], [10, 30, 20], [5, 30, 20, 60], [12, 30, 24, 20, 31, 26, 18, 44, 9, 21]])
def test_over_pages_of_one_size_the_spread_is_the_standard_error_of_a_mean(edits):
    """s / √P, where s has P - 1 in its denominator: with few pages a narrower one is far too narrow."""
    parts, whole = np.array([edits], float), np.full(len(edits), 500.0)
    spread = estimate_spread(parts, whole, MANY)
    assert spread.error == pytest.approx(stats.sem(parts[0] / 500), rel=0.02)
    assert (spread.seeds, spread.degrees) == (0.0, len(edits) - 1)


def test_an_interval_reaches_as_far_as_students_t_asks_on_the_scale_of_the_score():
    edits = np.array([[24, 30, 26, 21, 38]], float)
    for score, scale in ((estimate_rate, np.log), (estimate_share, lambda value: np.log(value / (1 - value)))):
        for level in (0.8, 0.95):
            found = score(edits, np.full(5, 100.0), Bootstrap(40_000, level))
            value = edits.mean() / 100
            error = stats.sem(edits[0] / 100) * (1 / value if score is estimate_rate else 1 / (value * (1 - value)))
            reach = stats.t.ppf((1 + level) / 2, 4) * error
            for end, sign in ((found.interval.low, -1), (found.interval.high, 1)):
                assert scale(end) == pytest.approx(scale(value) + sign * reach, rel=0.02)


def test_the_spread_of_several_seeds_is_added_by_welch_and_satterthwaite():
    edits = np.array([[20, 30, 25, 45], [30, 40, 35, 50], [22, 28, 31, 44]], float)
    spread = estimate_spread(edits, np.full(4, 100.0), MANY)
    pages = stats.sem(edits.mean(axis=0) / 100) ** 2
    seeds = stats.sem(edits.mean(axis=1) / 100) ** 2
    assert spread.pages == pytest.approx(pages, rel=0.03)
    assert spread.seeds == pytest.approx(seeds)
    assert spread.degrees == pytest.approx((pages + seeds) ** 2 / (pages**2 / 3 + seeds**2 / 2), rel=0.05)


pages_of_two = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=3, max_size=16)


@settings(max_examples=40, deadline=None)
@given(pages_of_two)
def test_both_p_values_are_two_sided_and_know_no_order(pages):
    one, other = (np.array([column], float) for column in zip(*pages, strict=True))
    whole = np.full(len(pages), 100.0)
    bootstrap = Bootstrap(resamples=400)
    found, turned = run_paired_test(one, other, whole, bootstrap), run_paired_test(other, one, whole, bootstrap)
    assert found.difference.value == pytest.approx((one.sum() - other.sum()) / whole.sum())
    assert turned.difference.value == pytest.approx(-found.difference.value)
    assert (found.p_bootstrap, found.p_randomisation) == pytest.approx((turned.p_bootstrap, turned.p_randomisation))
    assert found.p == max(found.p_bootstrap, found.p_randomisation)
    if not found.difference.value:
        assert found.p_bootstrap == found.p_randomisation == 1.0
        return
    # At the level of its own p-value the interval ends at 0.
    if 1e-9 < found.p_bootstrap < 1:
        level = 1 - found.p_bootstrap
        interval = run_paired_test(one, other, whole, Bootstrap(400, level)).difference.interval
        ends = sorted(abs(end) for end in (interval.low, interval.high))
        assert ends[0] == pytest.approx(0, abs=1e-6 * ends[1])


@pytest.mark.parametrize("edits", [[9, 4, 12, 7], [3, 1, 8, 2, 5, 4, 9, 0, 6, 3, 1, 7, 2, 4]])
def test_the_bootstraps_p_value_is_that_of_a_paired_t_test(edits):
    gaps = np.array([edits], float)
    found = run_paired_test(gaps + 10, np.full_like(gaps, 10 + np.mean(edits) / 2), np.full(len(edits), 100.0), MANY)
    expected = stats.ttest_1samp(edits, np.mean(edits) / 2)
    assert found.p_bootstrap == pytest.approx(expected.pvalue, rel=0.06)


@pytest.mark.parametrize("comparisons", [1, 3])
def test_the_pages_that_are_needed_follow_from_level_power_and_comparisons(comparisons):
    """Of Student's t with so many pages no more than the normal distribution is left."""
    edits = np.random.default_rng(2).normal(1, 8, 30)
    found = run_paired_test(edits[None] + 50, np.full((1, 30), 50.0), np.full(30, 100.0), MANY, comparisons)
    reach = stats.norm.ppf(1 - 0.05 / comparisons / 2) + stats.norm.ppf(0.8)
    assert found.needed_clusters == pytest.approx(30 * (reach * stats.sem(edits) / edits.mean()) ** 2, rel=0.04)


def test_seeds_that_differ_widen_a_difference_by_what_each_model_s_do():
    random = np.random.default_rng(3)
    one, other = random.normal(30, 2, (3, 6)), random.normal(34, 2, (2, 6))
    one, other = one + np.array([[0], [6], [9]]), other + np.array([[0], [5]])
    found = run_paired_test(one, other, np.full(6, 100.0), Bootstrap(40_000, 0.9)).difference.interval
    pages = stats.sem((one.mean(axis=0) - other.mean(axis=0)) / 100) ** 2
    seeds = [stats.sem(edits.mean(axis=1) / 100) ** 2 for edits in (one, other)]
    degrees = (pages + sum(seeds)) ** 2 / (pages**2 / 5 + seeds[0] ** 2 / 2 + seeds[1] ** 2 / 1)
    reach = stats.t.ppf(0.95, degrees) * math.sqrt(pages + sum(seeds))
    assert (found.high - found.low) / 2 == pytest.approx(reach, rel=0.02)
    assert found.seeds == 2


@pytest.mark.parametrize("clusters", [5, 12, 13, 15])
def test_randomisation_counts_both_tails_whether_signs_are_tried_or_drawn(clusters):
    random = np.random.default_rng(clusters)
    for shift in (0.0, 0.4, 0.8):
        gaps = np.round(random.normal(shift, 1, clusters) * 4)
        signs = np.array(list(itertools.product((1, -1), repeat=clusters)))
        expected = np.mean(np.abs(signs @ gaps) >= abs(gaps.sum()) - 1e-9)
        found = compute_randomisation_p(gaps, Bootstrap(resamples=20_000))
        assert found == pytest.approx(expected, abs=0.015 if clusters > 12 else 1e-12)
    assert compute_randomisation_p(np.ones(40), Bootstrap(resamples=999)) == 1 / 1000, "never 0: the one seen counts"


def readings(edits):
    """Lines of 100 letters, one a page, with so many of them wrong."""
    return [
        evaluate_line(LineOrigin(f"p{number}", "l"), "a" * 100, "b" * wrong + "a" * (100 - wrong))
        for number, wrong in enumerate(edits)
    ]


def test_a_difference_that_is_one_of_many_compared_is_not_called_shown():
    """Eight pages, of which the first is better on seven: 3 of 100 such differences come by chance, 6 where there are
    several."""
    first, second = [10] * 8, [13, 14, 12, 13, 15, 12, 14, 8]
    third = [9, 11, 10, 12, 9, 8, 11, 10]
    names, settings_ = {"A": first, "B": second, "C": third}, EvaluationSettings(bootstrap=Bootstrap(resamples=2000))
    alone = compare_systems({name: [readings(names[name])] for name in "AB"}, settings_)
    [pair] = alone.pairs
    assert pair.p == pair.cer.p
    assert 0.05 / 3 < pair.p <= 0.05
    assert pair.better == "A"
    together = compare_systems({name: [readings(edits)] for name, edits in names.items()}, settings_)
    same = next(one for one in together.pairs if (one.first, one.second) == ("A", "B"))
    assert same.cer.p == pair.cer.p
    assert same.p > 0.05
    assert same.better is None
    assert same.needed_lines > len(first)
    assert describe_verdict(same, together).startswith("No difference between A and B can be shown")
    assert f"p = {same.p:.3f}" in describe_verdict(same, together)


def test_at_another_level_another_difference_is_shown():
    first, second = [10] * 8, [13, 14, 12, 13, 15, 12, 14, 8]
    for level, better in ((0.95, "A"), (0.99, None)):
        found = compare_systems(
            {"A": [readings(first)], "B": [readings(second)]},
            EvaluationSettings(bootstrap=Bootstrap(resamples=2000, level=level)),
        )
        assert found.pairs[0].better == better


@pytest.mark.parametrize("pages", [3, 5, 12])
def test_the_band_of_a_forecast_is_as_wide_as_few_pages_ask(pages):
    """Trainings that differ by nothing but their lines, on pages that differ much: what is left is Student's t of the
    pages' mean."""
    random = np.random.default_rng(pages)
    characters = np.full(pages, 100_000.0)
    hard = np.exp(random.normal(0, 0.25, pages))
    runs = [
        MeasuredRun(lines, 1, np.rint(0.05 * (lines / 3200) ** -0.5 * hard / hard.mean() * characters))
        for lines in (200, 400, 800, 1600, 3200)
        for _ in range(4)
    ]
    curve = fit_learning_curve(runs, characters, 0.8, Bootstrap(resamples=20_000))
    low, high = np.quantile(np.log(curve.rate), (0.1, 0.9))
    error = stats.sem(hard) / hard.mean()
    expected = stats.t.ppf(0.9, pages - 1) * error
    assert (high - low) / 2 == pytest.approx(expected, rel=0.12)
    assert (high + low) / 2 == pytest.approx(math.log(0.05), abs=0.1 * expected)


def test_a_single_page_widens_no_forecast():
    characters = np.array([100_000.0])
    runs = [MeasuredRun(lines, 1, np.rint(0.05 * (lines / 3200) ** -0.5 * characters)) for lines in (400, 800, 3200)]
    curve = fit_learning_curve(runs, characters, 0.8, Bootstrap(resamples=2000))
    found = curve.at(3200)
    assert found.value == pytest.approx(0.05, rel=0.05)
    assert found.high / found.low < 1.3
