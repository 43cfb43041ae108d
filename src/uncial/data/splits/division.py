"""Groups of pages cut at quantiles of their lines, and dealt to folds of equal size."""

import math
from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate, pairwise, permutations

FAR = 1.5
"""How many times as much, or as little, as was asked is far from it."""


def cut(weights: Sequence[int], shares: Sequence[float], least: Sequence[int]) -> list[int]:
    """The number of the part that each group comes to.

    `weights` are the lines of the groups in the order of their hash, `shares` those of the parts, `least` how many
    groups each part has to get, no more in all than there are. Each part gets groups that lie side by side, so that the
    lines of the parts are as near as can be to the shares: the sum of the squared differences is the least. The parts
    lie in their own order, and only where that comes out far from what was asked, in another that comes nearer.
    """
    asked = asked_lines(sum(weights), shares)
    ends = [0, *accumulate(weights)]
    own = tuple(range(len(shares)))
    bounds, order = _nearest(ends, asked, least), own
    if is_far(_sizes(ends, bounds), asked):
        for other in permutations(own):
            found = _nearest(ends, [asked[part] for part in other], [least[part] for part in other])
            if _missed(ends, found, other, asked) < _missed(ends, bounds, order, asked):
                bounds, order = found, other
    sides = []
    for part, first, last in zip(order, [0, *bounds], [*bounds, len(weights)], strict=True):
        sides += [part] * (last - first)
    return sides


def deal(weights: Sequence[int], folds: int) -> list[int]:
    """The fold of each group, of which there are as many or more: one after the other goes to the fold that has the
    fewest lines, those first that are larger than a fold should be."""
    each = sum(weights) / folds
    order = sorted(range(len(weights)), key=lambda i: (weights[i] <= each, i))
    lines, groups = [0] * folds, [0] * folds
    sides = [0] * len(weights)
    for i in order:
        side = min(range(folds), key=lambda fold: (groups[fold] > 0, lines[fold], fold))
        sides[i] = side
        lines[side] += weights[i]
        groups[side] += 1
    return sides


def asked_lines(total: int, shares: Sequence[float]) -> list[float]:
    """How many of `total` lines each part is to have."""
    return [total * share / sum(shares) for share in shares]


def is_far(lines: Sequence[int], asked: Sequence[float]) -> bool:
    """Whether a part has several times the lines that were asked, or as many times fewer."""
    return any(got >= FAR * wanted or wanted >= FAR * got for got, wanted in zip(lines, asked, strict=True))


def _nearest(ends: Sequence[int], asked: Sequence[float], least: Sequence[int]) -> list[int]:
    """Where the parts but the last end, as numbers of groups; `ends` are the lines up to each group."""
    groups = len(ends) - 1
    if len(asked) == 1:
        return []
    if len(asked) == 2:
        return [_place(ends, asked[0], least[0], groups - least[1])]
    lowest, highest = least[0], groups - least[1] - least[2]
    start = _place(ends, asked[0], lowest, highest)
    best: tuple[float, list[int]] = (math.inf, [])
    for way in (range(start, lowest - 1, -1), range(start + 1, highest + 1)):
        for first in way:
            if (ends[first] - asked[0]) ** 2 > best[0]:
                break
            # What is left is shared so that both of the others miss by the same.
            middle = (ends[first] + asked[1] + ends[-1] - asked[2]) / 2
            bounds = [first, _place(ends, middle, first + least[1], groups - least[2])]
            best = min(best, (_distance(_sizes(ends, bounds), asked), bounds))
    return best[1]


def _place(ends: Sequence[int], wanted: float, lowest: int, highest: int) -> int:
    """The end that lies nearest to the wanted number of lines."""
    above = bisect_left(ends, wanted, lowest, highest)
    below = max(above - 1, lowest)
    return below if abs(ends[below] - wanted) <= abs(ends[above] - wanted) else above


def _sizes(ends: Sequence[int], bounds: Sequence[int]) -> list[int]:
    places = [0, *bounds, len(ends) - 1]
    return [ends[last] - ends[first] for first, last in pairwise(places)]


def _missed(ends: Sequence[int], bounds: Sequence[int], order: Sequence[int], asked: Sequence[float]) -> float:
    """By how much a cut misses that gives the groups to the parts in this order."""
    sizes = dict(zip(order, _sizes(ends, bounds), strict=True))
    return _distance([sizes[part] for part in range(len(order))], asked)


def _distance(lines: Sequence[int], asked: Sequence[float]) -> float:
    # Summed in the order of the parts, so that equal cuts in two orders are equal to the bit.
    return sum((got - wanted) ** 2 for got, wanted in zip(lines, asked, strict=True))
