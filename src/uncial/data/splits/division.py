"""Groups of pages divided between the parts by their hash, at quantiles of their lines, or dealt to folds."""

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise, permutations

from uncial.data.splits.groups import PARTS
from uncial.data.splits.sizes import count_asked_lines, is_far
from uncial.document import Page


def cut_at_quantiles(weights: Sequence[int], shares: Sequence[float], least: Sequence[int]) -> list[int]:
    """Return the number of the part that each group comes to.

    `weights` are the lines of the groups in the order of their hash, `shares` those of the parts, `least` how many
    groups each part has to get, no more in all than there are. Each part gets groups that lie side by side, so that the
    lines of the parts are as near as can be to the shares: the sum of the squared differences is the least. The parts
    lie in their own order, and only where that comes out far from what was asked, in another that comes nearer.
    """
    asked = count_asked_lines(sum(weights), shares)
    ends = [0, *accumulate(weights)]
    own = tuple(range(len(shares)))
    bounds, order = _find_nearest_bounds(ends, asked, least), own
    if is_far(_count_lines(ends, bounds), asked):
        for other in permutations(own):
            found = _find_nearest_bounds(ends, [asked[part] for part in other], [least[part] for part in other])
            if _measure_miss(ends, found, other, asked) < _measure_miss(ends, bounds, order, asked):
                bounds, order = found, other
    sides = []
    for part, first, last in zip(order, [0, *bounds], [*bounds, len(weights)], strict=True):
        sides += [part] * (last - first)
    return sides


def deal_evenly(weights: Sequence[int], folds: int) -> list[int]:
    """Return the fold of each group, of which there are as many or more: one after the other goes to the fold that has
    the fewest lines, those first that are larger than a fold should be."""
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


def _find_nearest_bounds(ends: Sequence[int], asked: Sequence[float], least: Sequence[int]) -> list[int]:
    """Return where the parts but the last end, as numbers of groups; `ends` are the lines up to each group."""
    groups = len(ends) - 1
    if len(asked) == 1:
        return []
    if len(asked) == 2:
        return [_find_bound(ends, asked[0], least[0], groups - least[1])]
    lowest, highest = least[0], groups - least[1] - least[2]
    start = _find_bound(ends, asked[0], lowest, highest)
    best: tuple[float, list[int]] = (math.inf, [])
    for way in (range(start, lowest - 1, -1), range(start + 1, highest + 1)):
        for first in way:
            if (ends[first] - asked[0]) ** 2 > best[0]:
                break
            # What is left is shared so that both of the others miss by the same.
            middle = (ends[first] + asked[1] + ends[-1] - asked[2]) / 2
            bounds = [first, _find_bound(ends, middle, first + least[1], groups - least[2])]
            best = min(best, (_compute_squared_distance(_count_lines(ends, bounds), asked), bounds))
    return best[1]


def _find_bound(ends: Sequence[int], wanted: float, lowest: int, highest: int) -> int:
    """Return the end that lies nearest to the wanted number of lines."""
    above = bisect_left(ends, wanted, lowest, highest)
    below = max(above - 1, lowest)
    return below if abs(ends[below] - wanted) <= abs(ends[above] - wanted) else above


def _count_lines(ends: Sequence[int], bounds: Sequence[int]) -> list[int]:
    places = [0, *bounds, len(ends) - 1]
    return [ends[last] - ends[first] for first, last in pairwise(places)]


def _measure_miss(ends: Sequence[int], bounds: Sequence[int], order: Sequence[int], asked: Sequence[float]) -> float:
    """By how much a cut misses that gives the groups to the parts in this order."""
    sizes = dict(zip(order, _count_lines(ends, bounds), strict=True))
    return _compute_squared_distance([sizes[part] for part in range(len(order))], asked)


def _compute_squared_distance(lines: Sequence[int], asked: Sequence[float]) -> float:
    # Summed in the order of the parts, so that equal cuts in two orders are equal to the bit.
    return sum((got - wanted) ** 2 for got, wanted in zip(lines, asked, strict=True))


@dataclass(frozen=True, slots=True)
class FreeGroup:
    """The pages of a component that the hash sends to one of the `allowed` parts."""

    pages: tuple[Page, ...]
    key: str
    position: float
    allowed: tuple[str, ...]

    def stretch(self, part: str, shares: Mapping[str, float]) -> tuple[float, float]:
        """Return what of [0, 1) belongs to a part."""
        before = self.allowed[: self.allowed.index(part)]
        total = sum(shares[one] for one in self.allowed)
        start = sum(shares[one] for one in before) / total
        return start, start + shares[part] / total


def deal_by_hash(places: Sequence[float], folds: int) -> list[int]:
    """Return the fold of each group by its place in [0, folds); the same whichever fold is asked for."""
    sides = [min(int(place), folds - 1) for place in places]
    for empty in range(folds):
        if empty not in sides:
            fullest = max(range(folds), key=sides.count)
            donors = [i for i, side in enumerate(sides) if side == fullest]
            sides[min(donors, key=lambda i: abs(places[i] - (empty + 0.5)))] = empty
    return sides


def divide_by_hash(
    free: Sequence[FreeGroup], weights: Sequence[int], shares: Mapping[str, float], stated: set[str]
) -> list[str]:
    sides = [_find_side(component, shares) for component in free]
    for part in PARTS:
        if shares[part] > 0 and part not in stated and part not in sides:
            _fill_part(part, sides, free, shares, stated)
    return sides


def divide_by_quantile(
    free: Sequence[FreeGroup], weights: Sequence[int], shares: Mapping[str, float], stated: set[str]
) -> list[str]:
    """Return the sides of the components; those of fewer allowed parts are divided first."""
    sides = [""] * len(free)
    for allowed in sorted({component.allowed for component in free}, key=len):
        members = [i for i, component in enumerate(free) if component.allowed == allowed]
        members.sort(key=lambda i: (free[i].position, free[i].key))
        missing = [part for part in allowed if shares[part] > 0 and part not in {*stated, *sides}][: len(members)]
        few = len(members) <= len(missing)
        parts = missing if few else [part for part in allowed if shares[part] > 0] or ["train"]
        # Where parts are left out for want of groups, the others share by what was asked of them.
        asked = [shares[part] or 1.0 for part in parts]
        cuts = cut_at_quantiles([weights[i] for i in members], asked, [int(part in missing) for part in parts])
        for i, side in zip(members, cuts, strict=True):
            sides[i] = parts[side]
    return sides


def _find_side(component: FreeGroup, shares: Mapping[str, float]) -> str:
    parts = [part for part in component.allowed if shares[part] > 0]
    for part in parts:
        if component.position < component.stretch(part, shares)[1]:
            return part
    return parts[-1] if parts else "train"


def _fill_part(
    part: str, sides: list[str], free: Sequence[FreeGroup], shares: Mapping[str, float], stated: set[str]
) -> None:
    """Move the nearest component into an empty part: from a part that keeps pages, else from one that matters less."""
    movable = [i for i, component in enumerate(free) if part in component.allowed]
    donors = [i for i in movable if sides.count(sides[i]) > 1 or sides[i] in stated]
    donors = donors or [i for i in movable if PARTS.index(sides[i]) > PARTS.index(part)]

    def distance(i: int) -> tuple[float, str]:
        start, end = free[i].stretch(part, shares)
        return max(start - free[i].position, free[i].position - end, 0.0), free[i].key

    if donors:
        sides[min(donors, key=distance)] = part
