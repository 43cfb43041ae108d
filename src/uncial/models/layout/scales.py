"""Whether a page was looked at too small: what its found lines say of the scale that the first look at it has told."""

import numpy as np

from uncial.models.layout.pages import Layout

UNSURE = 0.6
"""Mean confidence of the lines, each as long as it is, below which a page may have been shown too small. That of a
trained model on pages at their scale lies above 0.7."""

DENSE = 1.6
"""How many times nearer lines may lie to one another than they are expected to."""

LEAST_LINES = 8
"""Lines with another one above or below them by which their distance is told."""


def measure_confidence(layout: Layout) -> float:
    """Return how sure the model is of the lines, each counting by its length; 0 without any."""
    lengths = [float(np.hypot(*(line.baseline[-1] - line.baseline[0]))) for line in layout.lines]
    if not sum(lengths):
        return 0.0
    return float(np.average([line.confidence for line in layout.lines], weights=lengths))


def measure_distance(layout: Layout) -> float | None:
    """Return the median distance from a line to the nearest one above or below it; None where too few tell."""
    ends = np.array([(*line.baseline[0], *line.baseline[-1]) for line in layout.lines]).reshape(-1, 4)
    ends = ends[np.abs(ends[:, 2] - ends[:, 0]) > np.abs(ends[:, 3] - ends[:, 1])]
    if len(ends) < LEAST_LINES:
        return None
    left, right = np.minimum(ends[:, 0], ends[:, 2]), np.maximum(ends[:, 0], ends[:, 2])
    height = (ends[:, 1] + ends[:, 3]) / 2
    shared = np.minimum(right[:, None], right) - np.maximum(left[:, None], left)
    apart = np.abs(height[:, None] - height)
    apart[shared < 0.5 * np.minimum(right - left, (right - left)[:, None])] = np.inf
    np.fill_diagonal(apart, np.inf)
    nearest = apart.min(axis=1)
    known = nearest[np.isfinite(nearest)]
    return float(np.median(known)) if len(known) >= LEAST_LINES else None


def find_enlargement(layout: Layout, interline: float) -> float | None:
    """Return how many times larger a page should be shown, on which lines were expected to be `interline` apart; None
    where that was so. A page on which hardly anything is seen, or with doubt, is shown twice as large."""
    if measure_confidence(layout) < UNSURE:
        return 2.0
    distance = measure_distance(layout)
    return interline / distance if distance is not None and distance * DENSE < interline else None
