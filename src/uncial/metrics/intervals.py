"""How far a score may be off: bootstrap intervals over pages, because the lines of a page are not independent.

Pages (or documents, or hands) are drawn anew with replacement, each with all its lines (the cluster bootstrap: Davison
and Hinkley, Bootstrap Methods and their Application, 1997, 3.8). The spread of the score over the draws is its standard
error, made larger by P / (P - 1) for P pages, and the interval is that many standard errors wide as Student's t with
P - 1 degrees of freedom asks. Error rates are taken on a logarithmic scale and shares on a logistic one, so that an
interval stays within what is possible. The plain percentile interval, which is narrower, holds the true error rate of
seven pages in 87 of 100 cases, this one in 95 (tests/metrics/test_error_control.py).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

CELLS = 2_000_000
"""Draws times pages that are held at once."""


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """How intervals are made: how often pages are drawn anew, how sure the interval is, and the seed of the draws."""

    resamples: int = 2000
    level: float = 0.95
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Interval:
    """From `low` to `high`, in the units of the score. `clusters` is the number of pages (or documents, or hands)."""

    low: float
    high: float
    level: float
    clusters: int
    seeds: int = 1


@dataclass(frozen=True, slots=True)
class Estimate:
    """A score with its interval. Where none can be given `interval` is None and `reason` says why."""

    value: float
    interval: Interval | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Spread:
    """The standard error of a ratio, and where it comes from: variances over pages and over seeds. `degrees` are the
    degrees of freedom of Student's t.
    """

    pages: float
    seeds: float
    degrees: float

    @property
    def error(self) -> float:
        return math.sqrt(self.pages + self.seeds)


ONE_CLUSTER = "all lines are from one {cluster}, and how much others differ cannot be told from it"
TOO_UNLIKE = "the {count} {cluster}s differ too much for so few, so that others could have nearly any score"
MAX_WIDTH = 10.0
"""The factor by which an interval of an error rate may reach up; two pages that differ reach a hundredfold."""

NO_SPREAD = 1e-9
"""The share of a score below which its standard error is rounding: on few pages of few errors all are often alike."""

ALL_ALIKE = "the {count} {cluster}s have the same score, and how much others differ cannot be told from them"
NO_ERROR = "there is not one error, so how many others have cannot be told"
NO_HIT = "there is not one right line, so how many others have cannot be told"
NO_TRUTH = "there is no text in the ground truth"


def sum_by_cluster(clusters: Sequence[str], *columns: Sequence[float]) -> np.ndarray:
    """Add up columns (lines,) for each cluster: (P, columns) float64, in the order of the clusters' names."""
    _, index = np.unique(np.asarray(clusters, dtype=object).astype(str), return_inverse=True)
    size = int(index.max()) + 1 if len(index) else 0
    return np.stack(
        [np.bincount(index, weights=np.asarray(column, float), minlength=size) for column in columns], axis=1
    )


def resample(table: np.ndarray, bootstrap: Bootstrap) -> np.ndarray:
    """Draw the rows of a table (P, K) anew, P of P, and add them up: (resamples, K). The same seed draws the same."""
    random = np.random.default_rng(bootstrap.seed)
    clusters = len(table)
    at_once = max(1, CELLS // clusters)
    sums = []
    for start in range(0, bootstrap.resamples, at_once):
        draws = min(at_once, bootstrap.resamples - start)
        drawn = random.integers(clusters, size=(draws, clusters)) + np.arange(draws)[:, np.newaxis] * clusters
        times = np.bincount(drawn.ravel(), minlength=draws * clusters).reshape(draws, clusters)
        sums.append(times.astype(np.float64) @ table)
    return np.concatenate(sums)


def estimate_spread(parts: np.ndarray, whole: np.ndarray, bootstrap: Bootstrap) -> Spread:
    """Return how far sum(parts) / sum(whole) is off. `parts` is (seeds, P), of which the mean is taken; `whole` (P,).

    With several seeds (one training repeated) their own spread is added, and the degrees of freedom are Welch's and
    Satterthwaite's. `P` is 2 or more.
    """
    seeds, clusters = parts.shape
    sums = resample(np.column_stack([parts.mean(axis=0), whole]), bootstrap)
    ratios = sums[:, 0] / np.where(sums[:, 1] > 0, sums[:, 1], np.nan)
    over_pages = float(np.nanvar(ratios)) * clusters / (clusters - 1)
    if seeds == 1:
        return Spread(over_pages, 0.0, clusters - 1)
    over_seeds = float(np.var(parts.sum(axis=1) / whole.sum(), ddof=1)) / seeds
    total = over_pages + over_seeds
    shares = over_pages**2 / (clusters - 1) + over_seeds**2 / (seeds - 1)
    return Spread(over_pages, over_seeds, total**2 / shares if shares else clusters - 1)


def find_quantile(spread: Spread, level: float) -> float:
    """Return how many standard errors an interval of that level reaches to either side."""
    return float(-stdtrit(spread.degrees, (1 - level) / 2))


def estimate_rate(parts: np.ndarray, whole: np.ndarray, bootstrap: Bootstrap, cluster: str = "page") -> Estimate:
    """Return an error rate, sum(parts) / sum(whole), with its interval. Arguments as in `spread`."""
    total = float(whole.sum())
    value = float(parts.mean(axis=0).sum()) / max(total, 1.0)
    reason = _explain_missing(parts, whole, cluster)
    if reason or not value:
        return Estimate(value, None, reason or NO_ERROR)
    found = estimate_spread(parts, whole, bootstrap)
    if found.error < NO_SPREAD * value:
        return Estimate(value, None, ALL_ALIKE.format(count=parts.shape[1], cluster=cluster))
    reach = find_quantile(found, bootstrap.level) * found.error / value
    if reach > math.log(MAX_WIDTH):
        return Estimate(value, None, TOO_UNLIKE.format(count=parts.shape[1], cluster=cluster))
    low, high = value * math.exp(-reach), value * math.exp(reach)
    return Estimate(value, Interval(low, high, bootstrap.level, parts.shape[1], parts.shape[0]))


def estimate_share(parts: np.ndarray, whole: np.ndarray, bootstrap: Bootstrap, cluster: str = "page") -> Estimate:
    """Return a share between 0 and 1, such as that of right lines, with its interval. Arguments as in `spread`."""
    total = float(whole.sum())
    value = float(parts.mean(axis=0).sum()) / max(total, 1.0)
    reason = _explain_missing(parts, whole, cluster)
    if reason or not 0 < value < 1:
        return Estimate(value, None, reason or (NO_ERROR if value else NO_HIT))
    found = estimate_spread(parts, whole, bootstrap)
    if found.error < NO_SPREAD * value:
        return Estimate(value, None, ALL_ALIKE.format(count=parts.shape[1], cluster=cluster))
    reach = min(find_quantile(found, bootstrap.level) * found.error / (value * (1 - value)), 500.0)
    middle = math.log(value / (1 - value))
    low, high = (1 / (1 + math.exp(-(middle + step))) for step in (-reach, reach))
    return Estimate(value, Interval(low, high, bootstrap.level, parts.shape[1], parts.shape[0]))


def _explain_missing(parts: np.ndarray, whole: np.ndarray, cluster: str) -> str:
    """Why no interval can be given, empty where one can."""
    if not whole.sum():
        return NO_TRUTH
    return ONE_CLUSTER.format(cluster=cluster) if parts.shape[1] < 2 else ""


FEW_LINES, FEW_PAGES = 50, 4
"""With fewer a few words decide on the error rate, and confidences and forecasts are fitted to what may be chance."""


def warn_about_few_lines(lines: int, pages: int, kind: str) -> str:
    """Return a sentence on lines of so many pages, `kind` as in `validation`; nothing where there are enough of
    both."""
    if (lines >= FEW_LINES and pages >= FEW_PAGES) or not lines:
        return ""
    counted = f"{lines:,} {kind} line{'' if lines == 1 else 's'} of {pages:,} page{'' if pages == 1 else 's'}"
    return (
        f"Only {counted}: the error rate, the choice of the best model, confidences and forecasts mean little; "
        f"{FEW_LINES} lines of {FEW_PAGES} pages or more say more."
    )
