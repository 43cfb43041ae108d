"""How far apart the lines of a page are, for judging how far off a point is."""

from collections.abc import Sequence

import numpy as np

from uncial.document import TextLine
from uncial.imaging.ragged import Ragged

REFERENCES = 256
"""Lines from which the distance to the next one is measured; of a page with more, as many evenly spread ones."""

LEAST, MOST = 0.6, 2.5
"""Between which multiples of the usual height of the page's outlines the distance is believed."""


def estimate_interline(lines: Sequence[TextLine], polygons: Ragged, baselines: Ragged) -> float | None:
    """Return the usual distance from one line of a page to the next; None where nothing tells.

    It is the median distance between neighbouring baselines, kept between 0.6 and 2.5 times the median height of the
    outlines, so that two lines far apart, or every line transcribed twice, do not spoil it; of a page with one line it
    is that height. `polygons` and `baselines` are those of `lines`.
    """
    height, distance = _usual_height(lines, polygons), _usual_distance(baselines)
    if distance is None or height is None:
        return height if distance is None else distance
    return min(max(distance, LEAST * height), MOST * height)


def _usual_height(lines: Sequence[TextLine], polygons: Ragged) -> float | None:
    """The median of area over length of the polygons; that of the boxes where there is no polygon."""
    if len(polygons.owners):
        extent = polygons.most(polygons.points) - polygons.least(polygons.points)
        heights = polygons.areas() / np.maximum(extent.max(axis=1), 1.0)
    else:
        boxes = [line.box for line in lines if line.box is not None]
        heights = np.array([min(right - left, bottom - top) for left, top, right, bottom in boxes])
    sound = heights[(heights > 1) & np.isfinite(heights)]
    return float(np.median(sound)) if len(sound) else None


def _usual_distance(baselines: Ragged) -> float | None:
    """The median distance from the middle of a baseline, across it, to the nearest other one that passes there. All of
    them are taken for straight."""
    starts, ends = baselines.points[baselines.starts[:-1]], baselines.points[baselines.starts[1:] - 1]
    chords = ends - starts
    length = np.hypot(chords[:, 0], chords[:, 1])
    long = length > 2
    if np.count_nonzero(long) < 2:
        return None
    starts, ends, chords, length = starts[long], ends[long], chords[long], length[long]
    chosen = np.unique(np.linspace(0, len(ends) - 1, min(REFERENCES, len(ends))).astype(np.int64))
    tangents = (chords[chosen] / length[chosen, None]).T
    normals = np.stack([-tangents[1], tangents[0]])
    middles = (starts[chosen] + ends[chosen]).T / 2
    from_here, to_there = (points @ tangents - (middles * tangents).sum(axis=0) for points in (starts, ends))
    above, below = (points @ normals - (middles * normals).sum(axis=0) for points in (starts, ends))
    span = to_there - from_here
    passes = (from_here * to_there <= 0) & (np.abs(span) >= 0.9 * length[:, None])
    distance = np.abs(above - from_here * (below - above) / np.where(passes, span, 1.0))
    distance[~passes | (distance <= 3)] = np.inf
    nearest = distance.min(axis=0)
    nearest = nearest[np.isfinite(nearest)]
    return float(np.median(nearest)) if len(nearest) else None
