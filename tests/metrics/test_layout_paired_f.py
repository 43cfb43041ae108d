"""Intervals and paired tests of F, which is computed anew for each resample and each exchange of pages."""

from itertools import product

import numpy as np
import pytest

from uncial.metrics.intervals import Bootstrap
from uncial.metrics.layout.paired_f_measure import PageScores, compare_f, compute_f, estimate_f

NAMES = [f"page {number}" for number in range(8)]
P = np.array([[0.9, 0.8, 1.0, 0.7, 0.95, 0.85, 0.6, 0.9]])
R = np.array([[0.5, 0.9, 0.8, 0.9, 0.95, 0.75, 0.9, 0.6]])


def f_of(precision, recall):
    return 2 * np.mean(precision) * np.mean(recall) / (np.mean(precision) + np.mean(recall))


def test_f_is_that_of_the_means():
    assert estimate_f(PageScores(P, R), NAMES, Bootstrap()).value == pytest.approx(f_of(P, R))
    assert compute_f(np.array([0.0, 1.0]), np.array([0.0, 0.5])).tolist() == [0, pytest.approx(2 / 3)]


def test_an_interval_holds_f_and_is_narrower_with_more_pages():
    few = estimate_f(PageScores(P, R), NAMES, Bootstrap()).interval
    many = estimate_f(
        PageScores(np.tile(P, 4), np.tile(R, 4)), [str(number) for number in range(32)], Bootstrap()
    ).interval
    assert few.low < many.low < f_of(P, R) < many.high < few.high < 1
    assert few.clusters == 8


def test_the_spread_is_that_of_f_over_resamples():
    """Against a plain loop over resamples, each with its own F."""
    random = np.random.default_rng(0)
    drawn = [f_of(P[0, index], R[0, index]) for index in random.integers(8, size=(20_000, 8))]
    value = f_of(P, R)
    interval = estimate_f(PageScores(P, R), NAMES, Bootstrap(resamples=20_000)).interval
    logit = [np.log(one / (1 - one)) for one in (interval.low, value, interval.high)]
    t = 2.364624  # Student's t for 7 degrees of freedom at 95 %.
    error = np.std(drawn) * np.sqrt(8 / 7) / (value * (1 - value))
    assert logit[2] - logit[1] == pytest.approx(t * error, rel=0.03)
    assert logit[1] - logit[0] == pytest.approx(t * error, rel=0.03)


def test_where_no_interval_can_be_given():
    ones = np.ones((1, 3))
    for scores, names, reason in [
        (PageScores(P[:, :1], R[:, :1]), ["a"], "all lines are from one page"),
        (PageScores(ones, ones), ["a", "b", "c"], "all lines are found"),
        (PageScores(0 * ones, 0 * ones), ["a", "b", "c"], "no line is found"),
        (PageScores(0.5 * ones, 0.5 * ones), ["a", "b", "c"], "the 3 pages have the same score"),
        (PageScores(ones[:, :0], ones[:, :0]), [], "there are no pages"),
    ]:
        found = estimate_f(scores, names, Bootstrap())
        assert found.interval is None
        assert reason in found.reason


def test_every_exchange_of_few_pages_is_tried_with_its_own_f():
    other_p, other_r = P[:, ::-1] * 0.95, R * 0.97
    test = compare_f(PageScores(P, R), PageScores(other_p, other_r), NAMES, Bootstrap())
    seen = f_of(P, R) - f_of(other_p, other_r)
    assert test.difference.value == pytest.approx(seen)
    as_far = 0
    for swaps in product([False, True], repeat=8):
        swapped = np.array(swaps)
        one = f_of(np.where(swapped, other_p, P), np.where(swapped, other_r, R))
        other = f_of(np.where(swapped, P, other_p), np.where(swapped, R, other_r))
        as_far += abs(one - other) >= abs(seen) - 1e-9
    assert test.p_randomisation == as_far / 2**8


def test_f_is_not_averaged_over_pages():
    """Two systems with the same F on every page, of which one trades precision for recall from page to page."""
    swinging = PageScores(np.array([[1.0, 0.5]]), np.array([[0.5, 1.0]]))
    steady = PageScores(np.array([[2 / 3, 2 / 3]]), np.array([[2 / 3, 2 / 3]]))
    assert compare_f(swinging, steady, ["a", "b"], Bootstrap()).difference.value == pytest.approx(0.75 - 2 / 3)


def test_what_is_equal_does_not_differ():
    test = compare_f(PageScores(P, R), PageScores(P, R), NAMES, Bootstrap())
    assert test.difference.value == 0
    assert test.p == test.p_bootstrap == test.p_randomisation == 1
    assert test.needed_clusters is None


def test_what_is_better_on_every_page_is_shown_to_be():
    test = compare_f(PageScores(P, R), PageScores(P - 0.1, R - 0.1), NAMES, Bootstrap())
    assert test.difference.value == pytest.approx(0.1, abs=0.01)
    assert test.difference.interval.low > 0
    assert test.p == test.p_randomisation == 2 / 2**8
    back = compare_f(PageScores(P - 0.1, R - 0.1), PageScores(P, R), NAMES, Bootstrap())
    assert back.difference.value == pytest.approx(-test.difference.value)
    assert back.p_randomisation == test.p_randomisation


def test_pages_of_a_document_are_drawn_and_exchanged_together():
    """What is better in one of two documents alone is not shown by its many pages."""
    better = np.concatenate([np.full(20, 0.9), np.full(20, 0.6)])[np.newaxis]
    worse = np.full((1, 40), 0.6) + 0.001 * np.arange(40)
    documents = ["one"] * 20 + ["other"] * 20
    by_page = compare_f(PageScores(better, better), PageScores(worse, worse), [str(n) for n in range(40)], Bootstrap())
    by_document = compare_f(
        PageScores(better, better), PageScores(worse, worse), documents, Bootstrap(), cluster="document"
    )
    assert by_page.difference.value == pytest.approx(by_document.difference.value)
    assert by_page.p < 0.01 < 0.4 < by_document.p
    assert by_document.clusters == 2
    one = compare_f(PageScores(P, R), PageScores(P - 0.1, R), ["same"] * 8, Bootstrap(), cluster="document")
    assert one.p is None
    assert "from one document" in one.difference.reason


def test_seeds_are_repetitions_whose_spread_counts():
    random = np.random.default_rng(3)
    steady = [PageScores(np.tile(P, (3, 1)) - shift, np.tile(R, (3, 1)) - shift) for shift in (0.0, 0.02)]
    noise = np.array([[0.08], [0.0], [-0.08]])
    noisy = [PageScores(one.precision + noise, one.recall + noise * random.random()) for one in steady]
    sure = compare_f(*steady, NAMES, Bootstrap())
    unsure = compare_f(*noisy, NAMES, Bootstrap())
    assert sure.p_bootstrap < 0.01 < unsure.p_bootstrap
    assert unsure.difference.interval.seeds == 3
    assert (
        estimate_f(noisy[0], NAMES, Bootstrap()).interval.low < estimate_f(steady[0], NAMES, Bootstrap()).interval.low
    )


def test_many_pages_are_exchanged_at_random():
    random = np.random.default_rng(4)
    precision, recall = random.uniform(0.5, 1, (2, 1, 60))
    names = [str(number) for number in range(60)]
    noise = random.normal(0, 0.05, (2, 1, 60))
    alike = compare_f(
        PageScores(precision, recall), PageScores(precision + noise[0], recall + noise[1]), names, Bootstrap()
    )
    assert alike.p > 0.05
    apart = compare_f(PageScores(precision, recall), PageScores(precision - 0.1, recall), names, Bootstrap())
    assert apart.p_randomisation == 1 / 2001


def test_equals_are_called_different_in_few_of_many_cases():
    random = np.random.default_rng(6)
    called = 0
    for _ in range(200):
        hard = random.beta(6, 2, (1, 10))
        one, other = (
            PageScores(
                np.clip(hard + random.normal(0, 0.08, hard.shape), 0, 1),
                np.clip(hard + random.normal(0, 0.08, hard.shape), 0, 1),
            )
            for _ in range(2)
        )
        called += compare_f(one, other, [str(number) for number in range(10)], Bootstrap(resamples=300)).p <= 0.05
    assert called <= 18


def test_arrays_of_other_shapes_are_refused():
    with pytest.raises(ValueError, match="seeds, pages"):
        PageScores(P, R[:, :3])
    with pytest.raises(ValueError, match="seeds, pages"):
        PageScores(P[0], R[0])
