"""What became of each line of the truth: found whole, split, merged, found in part or missed; and false lines.

F tells none of these apart: its recall never sees that a line was split or merged. A found line *covers* the points of
a line of the truth that are closer to it than two tolerances (see `baselines`: at most half the distance to the next
line, so that no point counts for the wrong one), and *holds* the line where it covers a tenth of its length or more.
A line of the truth is, by the first that fits,

- missed, where less than half of its length is covered by any found line;
- merged, where a found line that holds it holds another one, too;
- split, where several found lines hold it, each with a tenth that longer ones do not cover, or only crumbs cover it;
- intact, where the found line covers nine tenths of its length, and has three quarters of its own on it;
- partial, where it covers less, or runs on far beyond it.

A found line is false where it holds no line of the truth, or is one more that covers what others do.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum
from typing import Literal, get_args

import numpy as np

from uncial.imaging.polylines import measure_lengths
from uncial.metrics.layout.baseline_points import Polyline
from uncial.metrics.layout.baselines import BaselineDistances, measure_distances

LineFate = Literal["intact", "split", "merged", "partial", "missed"]
LINE_FATES: tuple[LineFate, ...] = get_args(LineFate)

COVER = 2.0
"""Tolerances below which a point is covered."""
HOLD = 0.1
"""The share of a line's length that a found line must cover to hold it."""
MISSED = 0.5
"""The share of its length below which a line is missed."""
INTACT, OWN = 0.9, 0.75
"""The share of a line's length that is covered where it is intact, and that of the found line which lies on it."""


@dataclass(frozen=True, slots=True)
class LineMatches:
    """What became of the lines of a page.

    For each line of the truth, in the order given: its fate, its length in pixels, the share of it that found lines
    cover, and the position of the found line that holds most of it, None where none does. `false` are the positions of
    the false lines among the found ones, `found_lengths` the lengths of all found ones. `pairs` are the positions
    (truth, found) of lines of which one holds the other.
    """

    fates: tuple[LineFate, ...]
    lengths: tuple[float, ...]
    covered: tuple[float, ...]
    false: tuple[int, ...]
    found_lengths: tuple[float, ...]
    pairs: tuple[tuple[int, int], ...]
    partners: tuple[int | None, ...]

    @property
    def one_to_one(self) -> dict[int, int]:
        """The lines of the truth that one found line holds and that holds no other, whole or in part, with that one, by
        their positions."""
        kept = zip(self.fates, self.partners, strict=True)
        return {
            line: found
            for line, (fate, found) in enumerate(kept)
            if fate in ("intact", "partial") and found is not None
        }


@dataclass(frozen=True, slots=True)
class Cover:
    """What a found line covers of a line of the truth, by their positions: which of its points (N,), their share, and
    the share of the found line's own points that lie on it.
    """

    truth: int
    found: int
    points: np.ndarray
    share: float
    own: float


def match_lines(truth: Sequence[Polyline], found: Sequence[Polyline]) -> LineMatches:
    """Tell what became of the lines of a page, each a baseline of (x, y) in pixels."""
    return match_distances(measure_distances(truth, found))


def match_distances(distances: BaselineDistances) -> LineMatches:
    """Tell what became of the lines of a page whose distances are measured."""
    covers = _measure_coverage(distances)
    held = [(cover.truth, cover.found) for cover in covers if cover.share >= HOLD]
    held_by = Counter(found for _, found in held)
    by_truth: dict[int, list[Cover]] = {}
    for cover in covers:
        by_truth.setdefault(cover.truth, []).append(cover)
    fates: list[LineFate] = []
    covered: list[float] = []
    partners: list[int | None] = []
    needed: set[int] = set()
    for line, points in enumerate(distances.truth):
        own = by_truth.get(line, [])
        holders = _drop_repeats([cover for cover in own if cover.share >= HOLD])
        needed.update(cover.found for cover in holders)
        covered.append(_joint_share(own, len(points)))
        partners.append(holders[0].found if holders else None)
        fates.append(_decide(covered[-1], holders, any(held_by[cover.found] > 1 for cover in holders)))
    return LineMatches(
        fates=tuple(fates),
        lengths=tuple(_length(points) for points in distances.truth),
        covered=tuple(covered),
        false=tuple(found for found, line in enumerate(distances.found) if len(line) and found not in needed),
        found_lengths=tuple(_length(points) for points in distances.found),
        pairs=tuple(sorted(held)),
        partners=tuple(partners),
    )


def _measure_coverage(distances: BaselineDistances) -> list[Cover]:
    reach = COVER * distances.tolerances.mean(axis=1)
    covers = []
    for pair in distances.near:
        points = pair.from_truth < reach[pair.truth]
        if points.any():
            own = float((pair.from_found < reach[pair.truth]).mean())
            covers.append(Cover(pair.truth, pair.found, points, float(points.mean()), own))
    return covers


def _joint_share(covers: Sequence[Cover], count: int) -> float:
    """Return the share of a line's `count` points that any of the found lines covers."""
    return float(np.logical_or.reduce([cover.points for cover in covers]).mean()) if covers and count else 0.0


def _drop_repeats(holders: Sequence[Cover]) -> list[Cover]:
    """Return the holders of a line without those that cover no tenth of it beyond what longer ones cover, the longest
    first."""
    kept: list[Cover] = []
    others: np.ndarray | np.bool = np.False_
    # By what they cover and nothing else, so that the order of the lines makes no difference.
    for cover in sorted(holders, key=lambda one: (-one.share, -one.own, one.points.tobytes())):
        if (cover.points & ~others).mean() >= HOLD:
            kept.append(cover)
            others = others | cover.points
    return kept


def _decide(share: float, holders: Sequence[Cover], holds_others: bool) -> LineFate:
    if share < MISSED:
        return "missed"
    if holds_others:
        return "merged"
    if len(holders) != 1:
        return "split"
    return "intact" if holders[0].share >= INTACT and holders[0].own >= OWN else "partial"


def _length(points: np.ndarray) -> float:
    """In pixels; that of a single point is 1, and that of none 0."""
    return max(1.0, float(measure_lengths(points.astype(np.float64)).sum())) if len(points) else 0.0


def summarise_matches(pages: Sequence[LineMatches]) -> dict[str, float]:
    """Return the figures of a set: of each fate the lines (`lines_intact`), their share of all lines of the truth
    (`intact`) and of the length of these (`intact_length`); `lines_false`, `false` as a share of the found lines, and
    `false_length` over the length of the truth; `covered_length`, the share of it that found lines cover.
    """
    lines = [line for page in pages for line in zip(page.fates, page.lengths, page.covered, strict=True) if line[1]]
    total = fsum(length for _, length, _ in lines)
    values = {"lines": float(len(lines)), "covered_length": _share(fsum(part * size for _, size, part in lines), total)}
    for fate in LINE_FATES:
        own = [length for name, length, _ in lines if name == fate]
        values |= {f"lines_{fate}": float(len(own)), fate: _share(len(own), len(lines))}
        values[f"{fate}_length"] = _share(fsum(own), total)
    false = [page.found_lengths[line] for page in pages for line in page.false]
    num_found = sum(length > 0 for page in pages for length in page.found_lengths)
    values |= {
        "lines_found": float(num_found),
        "lines_false": float(len(false)),
        "false": _share(len(false), num_found),
    }
    values["false_length"] = _share(fsum(false), total)
    return values


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
