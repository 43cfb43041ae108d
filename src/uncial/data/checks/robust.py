"""Statistics that a few wrong lines do not shift."""

from collections.abc import Mapping

import numpy as np

ENOUGH = 10
"""Lines of a hand from which it has statistics of its own."""


def deviations(values: np.ndarray, groups: Mapping[str, np.ndarray], usable: np.ndarray) -> np.ndarray:
    """How far each of `values` (n,) lies from the median of its group: (n,), NaN where too few are alike.

    `groups` are rows by name, `usable` (n,) says which rows count for the medians. A group with fewer than ENOUGH of
    them is measured against all groups.
    """
    everything = np.median(values[usable]) if usable.sum() >= ENOUGH else np.nan
    result = np.full(len(values), np.nan)
    for rows in groups.values():
        counted = rows[usable[rows]]
        result[rows] = values[rows] - (np.median(values[counted]) if len(counted) >= ENOUGH else everything)
    return result


def scales(deviation: np.ndarray, groups: Mapping[str, np.ndarray], usable: np.ndarray) -> np.ndarray:
    """The usual size of the deviations in each row's group, (n,): the median absolute one as a standard deviation."""
    result = np.full(len(deviation), np.nan)
    known = usable & np.isfinite(deviation)
    everything = 1.4826 * np.median(np.abs(deviation[known])) if known.any() else np.nan
    for rows in groups.values():
        counted = rows[known[rows]]
        result[rows] = 1.4826 * np.median(np.abs(deviation[counted])) if len(counted) >= ENOUGH else everything
    return result
