"""Stated error rates hold: intervals and tests on sets whose true error rates are known.

Each page has an error rate of its own, as pages have, so that its lines are not independent.
"""

import numpy as np
import pytest

from uncial.metrics.intervals import Bootstrap, estimate_rate
from uncial.metrics.paired import adjust_by_holm, compute_randomisation_p, find_min_clusters, run_paired_test

QUICK = Bootstrap(resamples=300)
SETS = 400
TRUE = 0.08


def by_chance(share):
    """What a share of SETS may be above its true value, 3 standard errors."""
    return share + 3 * (share * (1 - share) / SETS) ** 0.5


def sizes_of(random, pages):
    return random.poisson(random.gamma(8, 1000 / 8, pages)).astype(float) + 50


def two_readings(random, pages, better=0.0):
    """Edits of two systems on the same pages (1, P) each, and the pages' sizes (P,). A page that is hard is so for
    both, and each has pages that it likes less than the other. The second has a `better` part of errors less.
    """
    whole = sizes_of(random, pages)
    hard = random.gamma(2, TRUE / 2, pages)
    own = random.gamma(4, 1 / 4, (2, pages)) * np.array([[1.0], [1 - better]])
    edits = random.poisson(hard * whole * own).astype(float)
    return edits[:1], edits[1:], whole


def outcomes(pages, better=0.0, seed=1):
    random = np.random.default_rng(seed)
    return [run_paired_test(*two_readings(random, pages, better), QUICK) for _ in range(SETS)]


@pytest.mark.parametrize("pages", [7, 30])
def test_a_95_percent_interval_holds_the_true_error_rate(pages):
    random = np.random.default_rng(1)
    held = 0
    for _ in range(SETS):
        whole = sizes_of(random, pages)
        edits = random.poisson(random.gamma(6, TRUE / 6, pages) * whole).astype(float)
        interval = estimate_rate(edits[np.newaxis], whole, QUICK).interval
        held += interval.low <= TRUE <= interval.high
    assert 1 - held / SETS <= by_chance(0.05)
    assert held / SETS <= by_chance(0.95), "an interval that always holds it says too little"


@pytest.mark.parametrize("pages", [8, 30])
def test_equals_are_called_different_in_5_of_100_cases_at_most(pages):
    found = outcomes(pages)
    assert np.mean([one.p <= 0.05 for one in found]) <= by_chance(0.05)
    assert np.mean([one.p_randomisation <= 0.05 for one in found]) > 0.02, "a test that never errs never finds either"
    intervals = [one.difference.interval for one in found]
    assert np.mean([not one.low <= 0 <= one.high for one in intervals]) <= by_chance(0.05)


def test_lines_taken_for_independent_would_err_far_more_often():
    random = np.random.default_rng(1)
    called = 0
    for _ in range(SETS // 4):
        one, other, whole = two_readings(random, 8)
        # Each page as twenty lines of its own error rate, each counted as if it were a page.
        lines = [random.poisson(np.repeat(edits[0], 20) / 20).astype(float)[np.newaxis] for edits in (one, other)]
        called += run_paired_test(lines[0], lines[1], np.repeat(whole, 20) / 20, QUICK).p <= 0.05
    assert called / (SETS // 4) > 0.3


def test_the_better_one_is_found_and_never_the_worse():
    found = outcomes(30, better=0.4)
    shown = [one for one in found if one.p <= 0.05]
    assert len(shown) > 0.6 * SETS
    assert np.mean([one.difference.value < 0 for one in shown]) < 0.01


def test_the_pages_that_are_said_to_be_needed_show_the_difference_in_4_of_5_cases():
    better = 0.3
    one, other, whole = two_readings(np.random.default_rng(5), 4000, better)
    many = run_paired_test(one, other, whole, QUICK)
    needed = many.needed_clusters
    assert 20 < needed < 400
    shown = np.mean([one.p <= 0.05 for one in outcomes(needed, better, seed=2)])
    assert 0.74 < shown < 0.86, "0.8 within 3 standard errors"


def test_several_comparisons_err_together_no_more_often_than_one():
    random = np.random.default_rng(3)
    called = 0
    for _ in range(SETS):
        whole = sizes_of(random, 20)
        edits = random.poisson(random.gamma(4, TRUE / 4, (3, 20)) * whole).astype(float)
        pairs = [(first, second) for first in range(3) for second in range(first)]
        tests = [run_paired_test(edits[[one]], edits[[two]], whole, QUICK, len(pairs)) for one, two in pairs]
        called += min(adjust_by_holm([test.p for test in tests])) <= 0.05
    assert called / SETS <= by_chance(0.05)


def test_seeds_that_differ_are_part_of_the_doubt():
    """Two recipes that are equally good, each trained twice; the seeds differ more than the pages do."""
    random = np.random.default_rng(4)
    called, ignored = 0, 0
    for _ in range(SETS):
        whole = sizes_of(random, 20)
        luck = random.normal(1, 0.2, (2, 2, 1))
        edits = random.poisson(np.maximum(luck, 0.1) * random.gamma(20, TRUE / 20, 20) * whole).astype(float)
        called += run_paired_test(edits[0], edits[1], whole, QUICK).p <= 0.05
        ignored += run_paired_test(edits[0][:1], edits[1][:1], whole, QUICK).p <= 0.05
    assert called / SETS <= by_chance(0.05)
    assert ignored / SETS > 0.5


def test_few_pages_are_exchanged_in_every_way():
    gaps = np.array([3.0, 2.0, 1.0, 4.0])
    assert compute_randomisation_p(gaps, QUICK) == 2 / 16
    assert compute_randomisation_p(np.array([3.0, -3.0]), QUICK) == 1.0
    assert find_min_clusters(0.05) == 6
    assert compute_randomisation_p(np.ones(6), QUICK) <= 0.05 < compute_randomisation_p(np.ones(5), QUICK)


def test_holm():
    assert adjust_by_holm([0.01, 0.04, 0.03]) == pytest.approx((0.03, 0.06, 0.06))
    assert adjust_by_holm([0.6, 0.9]) == (1.0, 1.0)
