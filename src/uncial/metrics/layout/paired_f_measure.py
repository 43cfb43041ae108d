"""How sure the F of a set of pages is, and whether two of them differ in truth.

F is no sum over pages: it is the harmonic mean of a mean precision and a mean recall. So each resample of the pages,
and each exchange of two systems' pages, has its own F computed anew; else the tests are those of
`uncial.metrics.paired` and `uncial.metrics.intervals`. Pages that belong together (a document, a hand) are drawn and
exchanged together.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr

from uncial.metrics.intervals import (
    ALL_ALIKE,
    CELLS,
    NO_SPREAD,
    ONE_CLUSTER,
    Bootstrap,
    Estimate,
    Interval,
    Spread,
    find_quantile,
    resample,
    sum_by_cluster,
)
from uncial.metrics.paired import EXACT, PairedTest, estimate_needed_clusters

NO_PAGES = "there are no pages"
PERFECT = "all lines are found and no others, so how many others would be cannot be told"
NONE_RIGHT = "no line is found, so how many others would be cannot be told"


@dataclass(frozen=True, slots=True)
class PageScores:
    """Precision and recall of the same pages, (seeds, pages) each, as fractions. Seeds are repetitions of one training,
    of which the mean counts.
    """

    precision: np.ndarray
    recall: np.ndarray

    def __post_init__(self) -> None:
        if self.precision.ndim != 2 or self.precision.shape != self.recall.shape:
            raise ValueError(f"precision {self.precision.shape} and recall {self.recall.shape} must be (seeds, pages)")

    @property
    def f_measures(self) -> np.ndarray:
        """(seeds,): F of all pages of each."""
        return compute_f(self.precision.mean(axis=1), self.recall.mean(axis=1))

    def sum_by_cluster(self, clusters: Sequence[str]) -> np.ndarray:
        """(clusters, 3): precision and recall summed over the pages of each, in the mean of the seeds, and pages."""
        columns = [self.precision.mean(axis=0).tolist(), self.recall.mean(axis=0).tolist()]
        return sum_by_cluster(clusters, *columns, [1.0] * self.precision.shape[1])


def compute_f(precision: np.ndarray, recall: np.ndarray) -> np.ndarray:
    """Return F of precisions and recalls (N,), or of sums of them over the same number of pages, (N,)."""
    total = precision + recall
    return 2.0 * precision * recall / np.where(total > 0, total, 1.0)


def _f_of_sums(sums: np.ndarray) -> np.ndarray:
    """F of (N, 3): summed precision, summed recall, pages."""
    return compute_f(sums[:, 0] / sums[:, 2], sums[:, 1] / sums[:, 2])


def estimate_f(scores: PageScores, clusters: Sequence[str], bootstrap: Bootstrap, cluster: str = "page") -> Estimate:
    """Return F of a set of pages with its interval, on a logistic scale. `clusters` (pages,) names what each page
    belongs to, `cluster` is what it is called: page, document, hand.
    """
    table = scores.sum_by_cluster(clusters)
    if not len(table):
        return Estimate(0.0, None, NO_PAGES)
    value = float(_f_of_sums(table.sum(axis=0, keepdims=True))[0])
    if not NO_SPREAD < value < 1 - NO_SPREAD:
        return Estimate(value, None, PERFECT if value > 0.5 else NONE_RIGHT)
    if len(table) < 2:
        return Estimate(value, None, ONE_CLUSTER.format(cluster=cluster))
    drawn = _f_of_sums(resample(table, bootstrap))
    found = _add_seeds(_spread_over_clusters(drawn, len(table)), len(table) - 1, [scores.f_measures])
    if found.error < NO_SPREAD * value:
        return Estimate(value, None, ALL_ALIKE.format(count=len(table), cluster=cluster))
    reach = min(find_quantile(found, bootstrap.level) * found.error / (value * (1 - value)), 500.0)
    middle = math.log(value / (1 - value))
    low, high = (1 / (1 + math.exp(-(middle + step))) for step in (-reach, reach))
    return Estimate(value, Interval(low, high, bootstrap.level, len(table), len(scores.precision)))


def compare_f(
    one: PageScores,
    other: PageScores,
    clusters: Sequence[str],
    bootstrap: Bootstrap,
    comparisons: int = 1,
    cluster: str = "page",
) -> PairedTest:
    """Compare F of two systems on the same pages: the difference is that of the first less the second, so that above 0
    the first is better. `comparisons` is how many pairs are compared in all; the other arguments as in `estimate_f`.
    """
    tables = one.sum_by_cluster(clusters), other.sum_by_cluster(clusters)
    count = len(tables[0])
    if not count:
        return PairedTest(Estimate(0.0, None, NO_PAGES), None, None, 0, None)
    value = float(_difference(tables[0].sum(axis=0, keepdims=True), tables[1].sum(axis=0, keepdims=True))[0])
    if count < 2:
        return PairedTest(Estimate(value, None, ONE_CLUSTER.format(cluster=cluster)), None, None, count, None)
    # The same pages of both are drawn.
    drawn = _difference(*np.split(resample(np.hstack(tables), bootstrap), 2, axis=1))
    found = _add_seeds(_spread_over_clusters(drawn, count), count - 1, [one.f_measures, other.f_measures])
    reach = find_quantile(found, bootstrap.level) * found.error
    seeds = min(len(one.precision), len(other.precision))
    t = abs(value) / found.error if found.error else math.inf
    return PairedTest(
        difference=Estimate(value, Interval(value - reach, value + reach, bootstrap.level, count, seeds)),
        p_bootstrap=float(2 * stdtr(found.degrees, -t)) if value else 1.0,
        p_randomisation=_randomise(*tables, bootstrap),
        clusters=count,
        needed_clusters=estimate_needed_clusters(value, found, count, (1 - bootstrap.level) / comparisons),
    )


def _difference(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return _f_of_sums(one) - _f_of_sums(other)


def _spread_over_clusters(drawn: np.ndarray, clusters: int) -> float:
    """Return the variance of a figure over resamples (N,), made larger for few clusters."""
    return float(np.var(drawn)) * clusters / (clusters - 1)


def _add_seeds(over_clusters: float, degrees: int, systems: Sequence[np.ndarray]) -> Spread:
    """Add to the variance over clusters that over the seeds of each system, by their F (seeds,). The degrees of freedom
    are Welch's and Satterthwaite's.
    """
    parts = [(over_clusters, degrees)]
    parts += [(float(np.var(own, ddof=1)) / len(own), len(own) - 1) for own in systems if len(own) > 1]
    total = sum(variance for variance, _ in parts)
    shares = sum(variance**2 / degrees for variance, degrees in parts)
    return Spread(over_clusters, total - over_clusters, total**2 / shares if shares else degrees)


def _randomise(one: np.ndarray, other: np.ndarray, bootstrap: Bootstrap) -> float:
    """Return how often F of the two systems differs as much as it does, where the pages of each cluster (clusters, 3)
    are exchanged at random. With few clusters every exchange is tried.
    """
    seen = abs(float(_difference(one.sum(axis=0, keepdims=True), other.sum(axis=0, keepdims=True))[0])) - 1e-9
    as_far = tried = 0
    for swapped in _exchanges(len(one), bootstrap):
        first = (1 - swapped) @ one + swapped @ other
        second = swapped @ one + (1 - swapped) @ other
        as_far += int((np.abs(_difference(first, second)) >= seen).sum())
        tried += len(swapped)
    return as_far / tried if len(one) <= EXACT else (as_far + 1) / (tried + 1)


def _exchanges(clusters: int, bootstrap: Bootstrap) -> Iterator[np.ndarray]:
    """Yield which clusters are exchanged, (some draws, clusters) of 0 and 1 at a time."""
    if clusters <= EXACT:
        yield ((np.arange(2**clusters)[:, np.newaxis] >> np.arange(clusters)) & 1).astype(np.float64)
        return
    random = np.random.default_rng(bootstrap.seed)
    at_once = max(1, CELLS // clusters)
    for start in range(0, bootstrap.resamples, at_once):
        yield random.integers(0, 2, size=(min(at_once, bootstrap.resamples - start), clusters)).astype(np.float64)
