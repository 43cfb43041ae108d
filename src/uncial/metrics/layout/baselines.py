"""Precision, recall and F of baselines as cBAD (the ICDAR competitions on baseline detection) scores them.

The method is that of Grüning, Labahn, Diem, Kleber and Fiel, READ-BAD (arXiv 1705.03311), in all its steps that of
the competition's scorer (TranskribusBaseLineEvaluationScheme, in Java):

1. A baseline becomes one whole-numbered point a pixel of its dominant axis, thinned to about every fifth.
2. Each line of the truth has a tolerance: a quarter of its distance to the nearest other line, but no more than a
   quarter of the page's mean distance, which also stands for lines of which none is near.
3. A point is worth 1 up to the tolerance away from the other line (|dx| + |dy|), 0 from three tolerances on, and
   in between what lies on a straight line.
4. The recall of a line of the truth is the mean over its points, against all found lines together. The precision of a
   found line is the mean over its points, against the one line of the truth that it is matched with: pairs are taken
   greedily, the best first, and what is left over is worth 0.
5. A page's precision and recall are means over its lines, a set's are means over its pages, and F is the harmonic mean
   of the set's two.

The Python port of that scorer (citlab-article-separation-measure) differs in three places, and the Java is followed:
there, a line that no other is near has a tolerance of 0, not the mean; a line wider or higher than 100,000 pixels is a
point; and a vertical line is not turned to its direction, which moves nothing. The Java ends with an error at a
baseline of one point in the truth and gives NaN for a found one; here it is what a baseline of two equal points is
there, a point. What no page holds, lines of more than 20,000 pixels, is thinned further here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from uncial.document import Page
from uncial.imaging.line_geometry import resolve_geometry
from uncial.metrics.layout.baseline_points import (
    MAX_COORDINATE,
    Polyline,
    bounding_boxes,
    box_gaps,
    estimate_tolerances,
    nearest_distances,
    trace_baseline,
)

REACH = 3.0
"""Tolerances from which on a point is worth nothing."""


@dataclass(frozen=True, slots=True)
class BaselineScores:
    """The scores of a page, as fractions. `found_scores` and `truth_scores` are each line's own precision and recall,
    in the order given; NaN for a line without any point, which counts for nothing.
    """

    precision: float
    recall: float
    found_scores: tuple[float, ...] = ()
    truth_scores: tuple[float, ...] = ()

    @property
    def f_measure(self) -> float:
        return harmonic_mean(self.precision, self.recall)


@dataclass(frozen=True, slots=True)
class NearLines:
    """A line of the truth and a found one that is near it, by their positions. `from_truth` holds for each point of
    the truth its distance in pixels to the found line, `from_found` the other way round.
    """

    truth: int
    found: int
    from_truth: np.ndarray
    from_found: np.ndarray


@dataclass(frozen=True)
class BaselineDistances:
    """How far the lines of two pages are from each other.

    `truth` and `found` are thinned baselines (N, 2); `tolerances` (lines, K) are those of the lines of the truth, by
    each of which all is scored. `near` holds the pairs closer than three of the largest tolerance.
    """

    truth: tuple[np.ndarray, ...]
    found: tuple[np.ndarray, ...]
    tolerances: np.ndarray

    @cached_property
    def near(self) -> tuple[NearLines, ...]:
        return tuple(_near_lines(self.truth, self.found, self.tolerances.max(axis=1, initial=0.0)))


def harmonic_mean(precision: float, recall: float) -> float:
    """Return F of a precision and a recall; 0 where both are 0."""
    return 2.0 * precision * recall / (precision + recall) if precision + recall else 0.0


def list_baselines(page: Page) -> list[np.ndarray]:
    """Return the baseline (N, 2) of each line of a page. A line that states none has the one that follows from its
    polygon or box; without points where it has no place at all."""
    found = []
    for line in page.lines:
        points = np.array(line.baseline, dtype=np.float64).reshape(-1, 2)
        if not np.isfinite(points).all(axis=1).any():
            geometry = resolve_geometry(line, float(MAX_COORDINATE))
            points = np.empty((0, 2)) if geometry is None else geometry.baseline
        found.append(points)
    return found


def score_baselines(
    truth: Sequence[Polyline], found: Sequence[Polyline], tolerances: Sequence[float] | None = None
) -> BaselineScores:
    """Score the baselines of a page, each a list of (x, y) in pixels.

    `tolerances` are fixed ones in pixels instead of each line's own, of which the mean of the scores is taken (the
    scorer's `minT` and `maxT`). Without any line on either side both scores are 1, with lines of the truth alone
    precision is 1 and recall 0, with found ones alone the reverse.
    """
    return summarise_distances(measure_distances(truth, found, tolerances))


def measure_distances(
    truth: Sequence[Polyline], found: Sequence[Polyline], tolerances: Sequence[float] | None = None
) -> BaselineDistances:
    """Measure how far lines are from each other. Arguments as in `score_baselines`."""
    lines = tuple(trace_baseline(points) for points in truth)
    own = estimate_tolerances(lines)[:, np.newaxis] if tolerances is None else np.tile(tolerances, (len(lines), 1))
    return BaselineDistances(lines, tuple(trace_baseline(points) for points in found), own)


def summarise_distances(distances: BaselineDistances) -> BaselineScores:
    """Turn the distances of a page's lines into its scores."""
    is_truth = np.array([len(points) > 0 for points in distances.truth], dtype=bool)
    is_found = np.array([len(points) > 0 for points in distances.found], dtype=bool)
    recalls, precisions = score_truth(distances), score_found(distances)
    recalls[~is_truth], precisions[~is_found] = np.nan, np.nan
    return BaselineScores(
        precision=_mean(precisions[is_found]),
        recall=_mean(recalls[is_truth]),
        found_scores=tuple(precisions.tolist()),
        truth_scores=tuple(recalls.tolist()),
    )


def score_truth(distances: BaselineDistances) -> np.ndarray:
    """Return how much of each line of the truth was found, (lines,)."""
    nearest = [np.full(len(points), np.inf) for points in distances.truth]
    for pair in distances.near:
        np.minimum(nearest[pair.truth], pair.from_truth, out=nearest[pair.truth])
    scores = [
        float(_score(least, tolerances).mean()) if len(least) else 0.0
        for least, tolerances in zip(nearest, distances.tolerances, strict=True)
    ]
    return np.array(scores, dtype=np.float64)


def score_found(distances: BaselineDistances) -> np.ndarray:
    """Return how much of each found line lies on the line of the truth that it is matched with, (lines,)."""
    pairs = distances.near
    scores = np.zeros(len(distances.found))
    if not pairs:
        return scores
    places = np.array([(pair.found, pair.truth) for pair in pairs])
    values = np.stack([_score(pair.from_found, distances.tolerances[pair.truth]) for pair in pairs])
    for column in values.T:
        taken_found, taken_truth = np.zeros(len(distances.found), bool), np.zeros(len(distances.truth), bool)
        # Among equals the first found line comes first, then the first of the truth.
        for place in np.lexsort((places[:, 1], places[:, 0], -column)):
            found, truth = places[place]
            if column[place] > 0 and not taken_found[found] and not taken_truth[truth]:
                taken_found[found] = taken_truth[truth] = True
                scores[found] += column[place] / values.shape[1]
    return scores


def _near_lines(
    truth: Sequence[np.ndarray], found: Sequence[np.ndarray], tolerances: np.ndarray
) -> Iterator[NearLines]:
    numbers = [number for number, points in enumerate(found) if len(points)]
    boxes = bounding_boxes([found[number] for number in numbers])
    for place, points in enumerate(truth):
        if not len(points):
            continue
        gaps = box_gaps(bounding_boxes([points])[0], boxes)
        for near in np.flatnonzero((gaps <= REACH * tolerances[place]).all(axis=1)):
            yield NearLines(place, numbers[near], *nearest_distances(points, found[numbers[near]]))


def _score(distances: np.ndarray, tolerances: np.ndarray) -> np.ndarray:
    """Return what points (N,) are worth in the mean by each of some tolerances (K,), (K,)."""
    tolerance = tolerances[:, np.newaxis]
    between = (REACH * tolerance - np.minimum(distances, REACH * tolerance)) / (2.0 * tolerance)
    worth = np.where(distances <= tolerance, 1.0, between)
    # Added up one by one as the scorer does: a rounding decides which of two equally good pairs comes first.
    return np.add.accumulate(worth, axis=1)[:, -1] / len(distances)


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else 1.0
