"""Scores by what the image of a line is like: in quarters of the lines, and as a rank correlation with their CER.

The correlation is Spearman's between a measure of the image and the line's CER, among lines that are equally long: a
long line is rarely without any error, and a short one is either read or lost, so that what goes with the length would
seem to go with the errors. How far it may be off comes from drawing pages anew, as in uncial.metrics.intervals, on the
scale of Fisher's z; the p-values are corrected by Holm for the number of measures.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from scipy.special import stdtr
from scipy.stats import rankdata

from uncial.metrics.comparison import Comparison, compare_group
from uncial.metrics.evaluation import EvaluationSettings
from uncial.metrics.intervals import (
    FEW_LINES,
    FEW_PAGES,
    Bootstrap,
    Interval,
    Spread,
    find_quantile,
    resample,
    sum_by_cluster,
)
from uncial.metrics.lines import EvaluatedLine, GroupScore, choose_cluster_key, score_group
from uncial.metrics.paired import adjust_by_holm

GROUPS = 4


@dataclass(frozen=True, slots=True)
class Correlation:
    """A rank correlation, from -1 to 1, with its interval; `p` is corrected for the number of measures. `is_shown`:
    that it is other than 0 is more than chance.
    """

    value: float
    interval: Interval
    p: float
    is_shown: bool


@dataclass(frozen=True, slots=True)
class MeasureScore:
    """Scores by one measure of the line images: `groups` from the least to the most, as equal in size as equal values
    allow, and `group_of` the place in them of each line (n,), -1 for one that has no measure. `correlation` is None
    where there are too few lines, and where all values or all error rates are the same.
    """

    name: str
    groups: tuple[GroupScore, ...]
    group_of: tuple[int, ...]
    correlation: Correlation | None = None


def score_by_measures(
    lines: Sequence[EvaluatedLine], measures: Mapping[str, np.ndarray], settings: EvaluationSettings
) -> tuple[MeasureScore, ...]:
    """Score lines by measures of their images, each (n,) in the order of the lines and NaN where a line has none."""
    found = [_score_by_measure(lines, name, values, settings) for name, values in measures.items()]
    places = [place for place, one in enumerate(found) if one.correlation is not None]
    corrected = adjust_by_holm([one.correlation.p for one in found if one.correlation is not None])
    for place, p in zip(places, corrected, strict=True):
        correlation = found[place].correlation
        assert correlation is not None
        is_shown = p <= 1 - settings.bootstrap.level
        found[place] = replace(found[place], correlation=replace(correlation, p=p, is_shown=is_shown))
    return tuple(found)


def compare_by_measures(comparison: Comparison, measures: Mapping[str, np.ndarray]) -> Comparison:
    """Compare systems by measures of the line images too, each (n,) in the order of the comparison's lines and NaN
    where a line has none: its groups of each measure that divides the lines stand behind the others, from the least to
    the most.
    """
    groups, image_groups = list(comparison.groups), dict(comparison.image_groups)
    for name, values in measures.items():
        labels, group_of = _divide_lines(values)
        if len(labels) < 2:
            continue
        image_groups[name] = tuple(group_of.tolist())
        for group, label in enumerate(labels):
            members = [comparison.lines[place] for place in np.flatnonzero(group_of == group)]
            groups.append(compare_group(name, label, members))
    return replace(comparison, groups=tuple(groups), image_groups=image_groups)


def _divide_lines(values: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Return the names of the groups, and that of each line (n,), -1 where its value is NaN."""
    group_of = np.full(len(values), -1)
    places = np.flatnonzero(np.isfinite(values))
    labels, group_of[places] = divide_evenly(values[places])
    return labels, group_of


def _score_by_measure(
    lines: Sequence[EvaluatedLine], name: str, values: np.ndarray, settings: EvaluationSettings
) -> MeasureScore:
    labels, group_of = _divide_lines(values)
    groups = []
    for group, label in enumerate(labels):
        members = [line for line, own in zip(lines, group_of.tolist(), strict=True) if own == group]
        groups.append(score_group(members, name, label, settings.cluster, settings.bootstrap))
    return MeasureScore(name, tuple(groups), tuple(group_of.tolist()), _correlate(lines, values, settings))


def _correlate(lines: Sequence[EvaluatedLine], values: np.ndarray, settings: EvaluationSettings) -> Correlation | None:
    """Lines without any text have no error rate."""
    rated = [(line, value) for line, value in zip(lines, values, strict=True) if line.counts.characters]
    rated = [(line, value) for line, value in rated if math.isfinite(value)]
    clusters = [choose_cluster_key(settings.cluster)(line) for line, _ in rated]
    if len(rated) < FEW_LINES or len(set(clusters)) < FEW_PAGES:
        return None
    return correlate_ranks(
        np.array([value for _, value in rated]),
        np.array([line.cer for line, _ in rated]),
        np.array([line.counts.characters for line, _ in rated]),
        clusters,
        settings.bootstrap,
    )


def divide_evenly(values: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Divide values (n,) into GROUPS parts of the same size, fewer where many are equal: the range of each part, as in
    `43 to 61`, from the least to the most, and the part of each value (n,).
    """
    if not len(values):
        return [], np.zeros(0, int)
    if values.min() == values.max():
        return [f"{values[0]:.{_digits(values)}f}"], np.zeros(len(values), int)
    # Values that are there, so that no part is empty.
    edges = np.unique(np.quantile(values, np.arange(1, GROUPS) / GROUPS, method="lower"))
    edges = edges[edges < values.max()] if edges[0] < values.max() else values[values < values.max()].max(keepdims=True)
    named = [f"{edge:.{_digits(edges)}f}" for edge in edges]
    between = [f"{low} to {high}" for low, high in pairwise(named)]
    return [f"up to {named[0]}", *between, f"over {named[-1]}"], np.searchsorted(edges, values, side="left")


def _digits(edges: np.ndarray) -> int:
    """Three figures, or as many as tell them apart."""
    least = max(0, 2 - math.floor(math.log10(max(float(np.abs(edges).max()), 1e-6))))
    return next((n for n in range(least, 12) if len({f"{edge:.{n}f}" for edge in edges}) == len(set(edges))), 12)


def correlate_ranks(
    values: np.ndarray, rates: np.ndarray, lengths: np.ndarray, clusters: Sequence[str], bootstrap: Bootstrap
) -> Correlation | None:
    """Correlate the ranks of `values` and `rates` (n,) each, among lines of the same rank by `lengths`. None where
    that cannot be told, as where all rates are the same.
    """
    ranks = np.stack([rankdata(column) for column in (values, rates, lengths)])
    ranks -= ranks.mean(axis=1, keepdims=True)
    first, second = np.triu_indices(3)
    columns = [np.ones(len(values)), *ranks, *(ranks[first] * ranks[second])]
    table = sum_by_cluster(clusters, *columns)
    value = float(_partial_correlations(table.sum(axis=0)[np.newaxis])[0])
    drawn = _partial_correlations(resample(table, bootstrap))
    if not math.isfinite(value) or abs(value) >= 1 or not np.isfinite(drawn).any():
        return None
    count = len(table)
    variance = float(np.nanvar(np.arctanh(np.clip(drawn, -0.999999, 0.999999)))) * count / (count - 1)
    spread = Spread(variance, 0.0, count - 1)
    if not spread.error:
        return None
    z, reach = math.atanh(value), find_quantile(spread, bootstrap.level) * spread.error
    interval = Interval(math.tanh(z - reach), math.tanh(z + reach), bootstrap.level, count)
    p = float(2 * stdtr(spread.degrees, -abs(z) / spread.error))
    return Correlation(value, interval, p, p <= 1 - bootstrap.level)


def _partial_correlations(sums: np.ndarray) -> np.ndarray:
    """From sums (R, 10) of ones, three variables and their products, the correlations (R,) of the first two without
    what both owe to the third; NaN where one of them does not vary.
    """
    means, products = sums[:, 1:4] / sums[:, :1], sums[:, 4:] / sums[:, :1]
    first, second = np.triu_indices(3)
    xx, xy, xz, yy, yz, zz = (products - means[:, first] * means[:, second]).T
    with np.errstate(divide="ignore", invalid="ignore"):
        of_z = np.where(zz > 0, 1 / zz, 0.0)
        left_x, left_y = xx - xz**2 * of_z, yy - yz**2 * of_z
        found = (xy - xz * yz * of_z) / np.sqrt(left_x * left_y)
    return np.where((left_x > 1e-9 * np.maximum(xx, 1e-9)) & (left_y > 1e-9 * np.maximum(yy, 1e-9)), found, np.nan)
