"""Whether two readings of the same pages differ in truth: paired tests over pages.

Both tests take the difference of the edits page by page, since lines of one page are not independent, and divide their
sum by all characters of the truth. Approximate randomisation (Noreen, Computer-Intensive Methods for Testing
Hypotheses, 1989; Riezler and Maxwell, 2005) exchanges the two readings of each page at random: were they equally good,
the difference seen would be nothing special among those. The paired bootstrap draws pages anew and gives the standard
error, from which come the interval and a second p-value by Student's t, which is below 1 - level where the interval
leaves out 0. What is decided rests on the larger of the two.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri, stdtr

from uncial.metrics.intervals import (
    CELLS,
    NO_TRUTH,
    ONE_CLUSTER,
    Bootstrap,
    Estimate,
    Interval,
    Spread,
    estimate_spread,
    find_quantile,
)

POWER = 0.8
"""How surely a difference shall be found where the needed lines are reckoned."""
EXACT = 12
"""Up to so many pages all exchanges are tried instead of some."""


@dataclass(frozen=True, slots=True)
class PairedTest:
    """The difference of two error rates, the first less the second, as a fraction.

    `p_bootstrap` and `p_randomisation` are two-sided; both are None where there is one page alone. `needed_clusters` is
    how many pages would show a difference of this size at `level` in 80 of 100 cases; None where no number would.
    """

    difference: Estimate
    p_bootstrap: float | None
    p_randomisation: float | None
    clusters: int
    needed_clusters: int | None

    @property
    def p(self) -> float | None:
        """The larger of the two p-values: a difference is only shown where both tests show it."""
        if self.p_bootstrap is None or self.p_randomisation is None:
            return None
        return max(self.p_bootstrap, self.p_randomisation)


def run_paired_test(
    one: np.ndarray,
    other: np.ndarray,
    whole: np.ndarray,
    bootstrap: Bootstrap,
    comparisons: int = 1,
    cluster: str = "page",
) -> PairedTest:
    """Compare edits (seeds, P) and (seeds, P) on the same pages, whose truth has `whole` (P,) characters.

    Seeds are repetitions of one training; their mean is compared, and their spread is part of the interval and of the
    bootstrap's p-value. `comparisons` is how many pairs are compared in all, for the pages that would be needed.
    """
    # In whole numbers as long as can be: what is equal shall not differ by rounding.
    numerators = one.sum(axis=0) * len(other) - other.sum(axis=0) * len(one)
    gaps = numerators / (len(one) * len(other))
    total = max(float(whole.sum()), 1.0)
    value = float(numerators.sum()) / (len(one) * len(other)) / total
    clusters = len(whole)
    if clusters < 2 or not whole.sum():
        reason = ONE_CLUSTER.format(cluster=cluster) if clusters < 2 else NO_TRUTH
        return PairedTest(Estimate(value, None, reason), None, None, clusters, None)
    found = _estimate_spread(one, other, whole, bootstrap)
    reach = find_quantile(found, bootstrap.level) * found.error
    interval = Interval(value - reach, value + reach, bootstrap.level, clusters, min(len(one), len(other)))
    t = abs(value) / found.error if found.error else math.inf
    return PairedTest(
        difference=Estimate(value, interval),
        p_bootstrap=float(2 * stdtr(found.degrees, -t)) if value else 1.0,
        p_randomisation=compute_randomisation_p(gaps, bootstrap),
        clusters=clusters,
        needed_clusters=estimate_needed_clusters(value, found, clusters, (1 - bootstrap.level) / comparisons),
    )


def _estimate_spread(one: np.ndarray, other: np.ndarray, whole: np.ndarray, bootstrap: Bootstrap) -> Spread:
    """Over pages by their differences; over seeds by each model's own, which were trained apart."""
    gaps = (one.mean(axis=0) - other.mean(axis=0))[np.newaxis]
    over_pages = estimate_spread(gaps, whole, bootstrap)
    parts = [(over_pages.pages, len(whole) - 1)]
    for edits in (one, other):
        seeds = len(edits)
        if seeds > 1:
            parts.append((float(np.var(edits.sum(axis=1) / whole.sum(), ddof=1)) / seeds, seeds - 1))
    total = sum(variance for variance, _ in parts)
    shares = sum(variance**2 / degrees for variance, degrees in parts)
    degrees = total**2 / shares if shares else len(whole) - 1
    return Spread(over_pages.pages, total - over_pages.pages, degrees)


def compute_randomisation_p(gaps: np.ndarray, bootstrap: Bootstrap) -> float:
    """Return how often the sum of the pages' differences (P,), each with a sign drawn at random, is as far from 0 as
    the sum seen. With few pages every choice of signs is tried; it cannot be less than 2 / 2**P then.
    """
    seen = abs(float(gaps.sum())) - 1e-9
    clusters = len(gaps)
    if clusters <= EXACT:
        signs = 1 - 2 * ((np.arange(2**clusters)[:, np.newaxis] >> np.arange(clusters)) & 1)
        return float(np.mean(np.abs(signs @ gaps) >= seen))
    random = np.random.default_rng(bootstrap.seed)
    at_once = max(1, CELLS // clusters)
    as_far = 0
    for start in range(0, bootstrap.resamples, at_once):
        draws = min(at_once, bootstrap.resamples - start)
        signs = 2 * random.integers(0, 2, size=(draws, clusters)) - 1
        as_far += int((np.abs(signs @ gaps) >= seen).sum())
    return (as_far + 1) / (bootstrap.resamples + 1)


def find_min_clusters(alpha: float) -> int:
    """Return how many pages randomisation needs to come to a p-value of `alpha` at all."""
    return 1 + math.ceil(math.log2(1 / alpha))


def estimate_needed_clusters(difference: float, found: Spread, clusters: int, alpha: float) -> int | None:
    """Return the number of pages like these at which a true difference of this size is shown at `alpha`, two-sided, in
    80 of 100 cases; None where no number would do, because there is no difference or the seeds differ too much.
    """
    per_error = float(ndtri(1 - alpha / 2) + ndtri(POWER))
    left = (difference / per_error) ** 2 - found.seeds
    if not difference or left <= 0:
        return None
    return max(math.ceil(clusters * found.pages / left), find_min_clusters(alpha))


def adjust_by_holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Return p-values corrected for their number (Holm, A Simple Sequentially Rejective Multiple Test Procedure, 1979):
    calling those up to 0.05 different calls at least one of equals so in 5 of 100 cases at most.
    """
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    corrected = [0.0] * len(p_values)
    largest = 0.0
    for rank, place in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[place]))
        corrected[place] = largest
    return tuple(corrected)
