"""From the components of a map to bands, and from bands to lines: words are chained, and a baseline laid through their
lower part. Neither says in which direction the writing runs, which is taken for upright."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np

from uncial.data.pages.shapes import LineShape
from uncial.errors import UserError
from uncial.models.layout.bands import Band, find_normals
from uncial.models.layout.fragments import Fragment, LineMaps
from uncial.models.layout.lines import TOLERANCE, FindSettings, join_fragments
from uncial.models.layout.outlines import outline_lines
from uncial.models.layout.pages import Layout

OF_JOINING = {"max_gap": 0.8, "no_join": 1.0, "min_length": 0.4}
"""Keys of `model.find` that all readers of words have, with their defaults; lengths in heights of a line."""

ROUND = 1.5
"""How much longer than high a component has to be to say by itself in which direction it runs."""

SHORT, SNAP = 4.0, 25.0
"""A component that is less than so many times longer than high runs along the page where it is so many degrees from it:
a single ascender turns a short word."""

MOST = 3000
"""Components of a page that are looked at: a network that has hardly learned sees specks everywhere."""

SMOOTH = 3.0
"""Over how many of its heights the axis of a component is smoothed, since letters reach up and down; a shorter one is
straight."""


@dataclass(frozen=True, slots=True, eq=False)
class Component:
    """Connected pixels of a map: their mean `axis` (N >= 2, 2), the `thickness` across it at each of its points, how
    many there are, and the mean of the map on them."""

    axis: np.ndarray
    thickness: np.ndarray
    area: int
    confidence: float

    @property
    def length(self) -> float:
        return float(np.hypot(*np.diff(self.axis, axis=0).T).sum())


@dataclass(frozen=True, slots=True, eq=False)
class FoundBand:
    """A band, and how sure it is."""

    band: Band
    confidence: float


def split_find_keys(
    find: Mapping[str, float | None], defaults: Mapping[str, float | None]
) -> tuple[dict[str, Any], FindSettings]:
    """Return what `model.find` says of a reader's own keys, which have these `defaults`, and of the joining of words.
    Raises `UserError` for a key that is neither."""
    if unknown := sorted(set(find) - {*defaults, *OF_JOINING}):
        raise UserError(
            f"model.find.{unknown[0]}: the reader has no such key; it has {', '.join((*defaults, *OF_JOINING))}."
        )
    joining = {name: default if (value := find.get(name)) is None else value for name, default in OF_JOINING.items()}
    return {**defaults, **{name: find[name] for name in defaults if name in find}}, FindSettings(**joining)


def find_components(mask: np.ndarray, values: np.ndarray, least: int) -> Iterator[tuple[Component, np.ndarray]]:
    """Yield the components of at least so many pixels of a mask (h, w), of very many the largest, each with the indices
    of its pixels in the flattened map; `values` (h, w) say how sure each pixel is."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    width = mask.shape[1]
    largest = np.argsort(-stats[1:count, cv2.CC_STAT_AREA], kind="stable")[:MOST] + 1
    for number in sorted(largest.tolist()):
        left, top, wide, high, area = (int(value) for value in stats[number])
        if area < least:
            continue
        rows, columns = np.nonzero(labels[top : top + high, left : left + wide] == number)
        rows, columns = rows + top, columns + left
        pixels = rows * width + columns
        yield _trace(rows, columns, values.ravel()[pixels]), pixels


def _trace(rows: np.ndarray, columns: np.ndarray, values: np.ndarray) -> Component:
    points = np.stack([columns, rows], axis=1).astype(np.float64)
    middle = points.mean(axis=0)
    along = _find_direction(points - middle)
    across = np.array([-along[1], along[0]])
    travelled, aside = (points - middle) @ along, (points - middle) @ across
    steps = np.floor(travelled - travelled.min()).astype(np.int64)
    counts = np.bincount(steps)
    used = counts > 0
    thickness = counts[used].astype(np.float64)
    course = np.bincount(steps, aside)[used] / thickness
    reach = max(1, round(SMOOTH * float(np.median(thickness)))) | 1
    straight = np.full(len(course), float(aside.mean()))
    course = _smooth(course, reach) if len(course) > reach else straight
    low, high = float(travelled.min()) - 0.5, float(travelled.max()) + 0.5
    places = np.flatnonzero(used) + travelled.min() + 0.5
    places = np.r_[low, places[1:-1], high] if len(places) > 1 else np.array([low, high])
    course = course if len(course) > 1 else np.repeat(course, 2)
    thickness = thickness if len(thickness) > 1 else np.repeat(thickness, 2)
    axis = middle + places[:, None] * along + course[:, None] * across
    return Component(axis, thickness, len(points), float(values.mean()))


def _smooth(course: np.ndarray, reach: int) -> np.ndarray:
    """Return the running mean; at both ends, where it has one side alone, the slope of what is next to them goes on."""
    half = reach // 2
    before = 2 * course[:half].mean() - course[half:0:-1]
    after = 2 * course[-half:].mean() - course[-2 : -half - 2 : -1]
    padded = np.concatenate([before, course, after])
    smooth: np.ndarray = np.convolve(padded, np.full(reach, 1 / reach), "valid")
    return smooth


def _find_direction(points: np.ndarray) -> np.ndarray:
    """Return the unit vector along the pixels, to the right, or downwards where they stand upright."""
    spread, axes = np.linalg.eigh(points.T @ points / len(points) + 1e-9 * np.eye(2))
    if spread[1] < ROUND**2 * spread[0]:
        return np.array([1.0, 0.0])
    along: np.ndarray = axes[:, 1]
    if spread[1] < SHORT**2 * spread[0] and max(abs(along)) > np.cos(np.radians(SNAP)):
        along = np.round(along)
    is_upright = abs(along[1]) > 2 * abs(along[0])
    forward = along[1] if is_upright else along[0]
    return along if forward >= 0 else -along


def read_lines(found: Sequence[FoundBand], size: tuple[int, int], finding: FindSettings, below: float) -> Layout:
    """Return the lines that the bands on a map of `size` (h, w) make, in its pixels. `below` is which part of a line's
    height lies under its baseline."""
    heights = np.array([2 * one.band.half for one in found])
    interline = float(np.median(heights)) if found else 1.0
    nothing = np.zeros(size, np.float32)
    maps = LineMaps(nothing, nothing, nothing, nothing, nothing, nothing, nothing, interline)
    fragments = [_make_fragment(one.band.axis, interline) for one in found]
    lines = []
    for chain in join_fragments(fragments, maps, finding):
        lengths = np.array([found[number].band.length for number in chain])
        if lengths.sum() < finding.min_length * interline:
            continue
        weights = lengths / max(float(lengths.sum()), 1e-9)
        line = _make_line([found[number].band for number in chain], weights, interline, below)
        lines.append(replace(line, confidence=float(weights @ [found[number].confidence for number in chain])))
    return Layout(tuple(lines), tuple(outline_lines(lines, interline)), (), interline)


def _make_fragment(axis: np.ndarray, interline: float) -> Fragment:
    reach = max(2, round(2 * interline))
    ends = axis[: min(len(axis), reach)], axis[-min(len(axis), reach) :]
    chords = [part[-1] - part[0] for part in ends]
    head, tail = (chord / max(float(np.hypot(*chord)), 1e-9) for chord in chords)
    return Fragment(axis, head, tail)


def _make_line(bands: Sequence[Band], weights: np.ndarray, interline: float, below: float) -> LineShape:
    height = 2 * float(weights @ [band.half for band in bands])
    axis = np.concatenate([band.axis for band in bands])
    simple = cv2.approxPolyDP(axis.astype(np.float32).reshape(-1, 1, 2), TOLERANCE * interline, False)[:, 0]
    course = (simple if len(simple) > 1 else axis[[0, -1]]).astype(np.float64)
    baseline = course + (0.5 - below) * height * find_normals(course)
    return LineShape(baseline, (1 - below) * height, below * height)
