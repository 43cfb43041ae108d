"""Point lists of many lines in one array, so that a page's lines are looked at together."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from uncial.document import Point

LIMIT = 1e7
"""Pixels to which greater coordinates, and those that are no numbers, are set: they are far off in any case, and what
is computed with them stays exact."""


@dataclass(frozen=True, slots=True)
class Ragged:
    """`points` (P, 2) are those of all lists, one list after the other; `starts` (N + 1,) where each begins and ends.
    No list is empty; `owners` (N,) are their positions among those given.
    """

    points: np.ndarray
    starts: np.ndarray
    owners: np.ndarray

    @property
    def counts(self) -> np.ndarray:
        """(N,): points of each list."""
        return np.diff(self.starts)

    def least(self, values: np.ndarray) -> np.ndarray:
        """(N, …): the least of `values` (P, …) in each list."""
        return np.minimum.reduceat(values, self.starts[:-1], axis=0)

    def most(self, values: np.ndarray) -> np.ndarray:
        """(N, …): the greatest of `values` (P, …) in each list."""
        return np.maximum.reduceat(values, self.starts[:-1], axis=0)

    def areas(self) -> np.ndarray:
        """(N,): the area of each list as a closed polygon, by the shoelace formula."""
        after = np.arange(1, len(self.points) + 1)
        after[self.starts[1:] - 1] = self.starts[:-1]
        # From the first point of each polygon, so that large coordinates do not cost digits.
        own = self.points - np.repeat(self.points[self.starts[:-1]], self.counts, axis=0)
        crossed = own[:, 0] * own[after, 1] - own[after, 0] * own[:, 1]
        return np.abs(np.add.reduceat(crossed, self.starts[:-1])) / 2


def join_points(lists: Sequence[Sequence[Point]], least: int) -> Ragged:
    """The lists of `least` points or more in one array, no coordinate beyond +-`LIMIT`."""
    owners = [number for number, points in enumerate(lists) if len(points) >= least]
    counts = [len(lists[number]) for number in owners]
    values = chain.from_iterable(chain.from_iterable(lists[number] for number in owners))
    points = _limited(np.fromiter(values, np.float64, 2 * sum(counts)).reshape(-1, 2))
    return Ragged(points, np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]), np.array(owners, dtype=np.int64))


def as_numbers(points: Sequence[Point]) -> np.ndarray:
    """(N, 2): all of the points, no coordinate beyond +-`LIMIT`."""
    return _limited(np.array(points, dtype=np.float64).reshape(-1, 2))


def as_tuples(points: np.ndarray) -> tuple[Point, ...]:
    """Points (N, 2) as lines have them."""
    return tuple(map(tuple, points.tolist()))


def _limited(points: np.ndarray) -> np.ndarray:
    return np.clip(np.nan_to_num(points, nan=LIMIT, posinf=LIMIT, neginf=-LIMIT), -LIMIT, LIMIT)
