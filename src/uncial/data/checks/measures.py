"""What the checks measure of every line image in one pass over the store, and robust statistics."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from uncial.data.store.store import Store

ROWS = 32
"""Height in pixels to which line images are scaled before they are measured."""

COLUMNS = 4096
"""Width to which they are at most."""

BANDS = 16
"""Rows of a profile."""

THUMBNAIL = (64, 8)
"""Width and height of the small picture by which like images are found."""

LETTER_GAP = 17
"""Columns without ink, of a line scaled to ROWS, that still count as written on: half of its height."""


@dataclass(frozen=True, slots=True)
class Measures:
    """One entry a row of the store.

    `sizes` (n, 2) are height and width in pixels. `contrast` (n,) is how much darker than the paper the darkest strokes
    are, in grey levels. `extent` (n,) is the distance from the first to the last stroke, and `written` (n,) what of it
    is written on, wide gaps left out, both in heights of the line image. `spread` (n,) is how high the middle 80 % of
    the ink are, as a fraction of the height. `profiles` (n, BANDS) say how the ink is spread from top to bottom (sum
    1, or 0 where there is no ink). `turning` (n, 3 BANDS) is what a half turn of the image changes in the spread of its
    ink and of its upper and lower edges. `thumbnails` (n, 512) float16 are centred and of length 1, 0 where there is
    nothing to see. `checksums` (n,) are equal where size and pixels are.
    """

    sizes: np.ndarray
    contrast: np.ndarray
    extent: np.ndarray
    written: np.ndarray
    spread: np.ndarray
    profiles: np.ndarray
    turning: np.ndarray
    thumbnails: np.ndarray
    checksums: np.ndarray


def measure_lines(store: Store, advance: Callable[[int], None] = lambda count: None) -> Measures:
    """Measure all line images of a store; `advance` is told of each one."""
    count = len(store)
    found = Measures(
        sizes=store.sizes(),
        contrast=np.zeros(count, np.float32),
        extent=np.zeros(count, np.float32),
        written=np.zeros(count, np.float32),
        spread=np.zeros(count, np.float32),
        profiles=np.zeros((count, BANDS), np.float32),
        turning=np.zeros((count, 3 * BANDS), np.float16),
        thumbnails=np.zeros((count, THUMBNAIL[0] * THUMBNAIL[1]), np.float16),
        checksums=np.zeros(count, np.int64),
    )
    for row in range(count):
        strip = store.strip(row)
        found.checksums[row] = _hash_strip(strip)
        darkness = measure_darkness(strip)
        contrast = measure_contrast(darkness)
        found.contrast[row] = contrast
        found.extent[row], found.written[row] = _measure_lengths(darkness, contrast)
        found.spread[row] = _measure_spread(darkness, contrast)
        found.profiles[row] = measure_profile(darkness)
        found.turning[row] = _find_edges(darkness, contrast) - _find_edges(darkness[::-1, ::-1], contrast)
        found.thumbnails[row] = _make_thumbnail(darkness)
        advance(1)
    return found


def measure_darkness(strip: np.ndarray) -> np.ndarray:
    """Return how much darker than the paper around it each pixel of a line image is: (ROWS, w) float32, at least 0.

    The image is scaled to ROWS pixels of height first. Light writing on a dark ground is taken for its negative.
    """
    return subtract_paper(scale_line(strip, ROWS))


def scale_line(strip: np.ndarray, rows: int) -> np.ndarray:
    """Return the grey values of a line image at so many pixels of height, (rows, w) uint8, dark ink on light paper."""
    grey = strip if strip.ndim == 2 else cv2.cvtColor(strip, cv2.COLOR_RGB2GRAY)
    height, width = grey.shape
    size = (int(np.clip(round(width * rows / height), 4, COLUMNS)), rows)
    scaled = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    dark, middle, light = _compute_percentiles(scaled, (1, 50, 99))
    return 255 - scaled if middle - dark < light - middle - 8 else scaled


def subtract_paper(scaled: np.ndarray) -> np.ndarray:
    """Return how much darker than the paper around it each pixel of `scale_line` is: (rows, w) float32, at least 0."""
    rows = scaled.shape[0]
    [high] = _compute_percentiles(scaled, (80,))
    paper = cv2.dilate(cv2.blur(scaled, (3, 3)), np.ones((rows | 1, 2 * rows | 1), np.uint8))
    paper = cv2.blur(paper, (2 * rows | 1, rows | 1))
    # Not the white beyond the page's edge, beside which all of a line would be dark.
    paper = np.minimum(paper, np.uint8(high))
    return cv2.subtract(paper, scaled).astype(np.float32)


def _compute_percentiles(pixels: np.ndarray, percents: tuple[float, ...]) -> list[float]:
    """Return what `numpy.percentile` gives for uint8, in a tenth of its time: counted instead of sorted."""
    below = np.cumsum(np.bincount(pixels.ravel(), minlength=256))
    found = []
    for percent in percents:
        place, share = divmod((pixels.size - 1) * percent / 100, 1)
        low, high = np.searchsorted(below, (place, min(place + 1, pixels.size - 1)), side="right").tolist()
        found.append(low + share * (high - low))
    return found


def measure_contrast(darkness: np.ndarray) -> float:
    """Return how much darker than the paper strokes are: the mean of the darkest hundredth of the pixels, at least of
    16."""
    count = min(max(16, darkness.size // 100), darkness.size)
    return float(np.partition(darkness.ravel(), -count)[-count:].mean())


def measure_profile(darkness: np.ndarray) -> np.ndarray:
    """(BANDS,): the share of the ink in each band, from top to bottom."""
    strokes = np.maximum(darkness - 0.35 * measure_contrast(darkness), 0)
    return _compute_shares(strokes.reshape(BANDS, -1).sum(axis=1))


def _compute_shares(amounts: np.ndarray) -> np.ndarray:
    total = float(amounts.sum())
    return amounts / total if total > 0 else amounts


def _hash_strip(strip: np.ndarray) -> int:
    digest = hashlib.blake2b(strip.tobytes(), digest_size=8, key=repr(strip.shape).encode())
    return int.from_bytes(digest.digest(), "big", signed=True)


def _measure_lengths(darkness: np.ndarray, contrast: float) -> tuple[float, float]:
    columns = np.count_nonzero(darkness > max(0.5 * contrast, 1.0), axis=0) > 1
    inked = np.flatnonzero(columns)
    if not inked.size:
        return 0.0, 0.0
    row = columns[None, inked[0] : inked[-1] + 1].astype(np.uint8)
    padded = cv2.copyMakeBorder(row, 0, 0, LETTER_GAP, LETTER_GAP, cv2.BORDER_CONSTANT, value=(0,))
    closed = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, np.ones((1, LETTER_GAP), np.uint8))
    return row.shape[1] / ROWS, float(closed.sum()) / ROWS


def _measure_spread(darkness: np.ndarray, contrast: float) -> float:
    rows = np.maximum(darkness - 0.35 * contrast, 0).sum(axis=1)
    total = float(rows.sum())
    if total <= 0:
        return 0.0
    low, high = np.interp((0.1, 0.9), np.cumsum(rows) / total, np.arange(ROWS))
    return float(high - low) / ROWS


def _find_edges(darkness: np.ndarray, contrast: float) -> np.ndarray:
    """(3 BANDS,): the shares, from top to bottom, of the ink, of its upper edges and of its lower edges."""
    strokes = np.maximum(darkness / max(contrast, 1e-3) - 0.2, 0)
    steps = np.diff(cv2.GaussianBlur(strokes, (3, 3), 0), axis=0, prepend=0, append=0)
    places = np.linspace(0, ROWS, BANDS)
    upper, lower = (
        np.interp(places, np.arange(ROWS + 1), np.maximum(sign * steps, 0).mean(axis=1)) for sign in (1, -1)
    )
    return np.concatenate(
        [_compute_shares(strokes.reshape(BANDS, -1).mean(axis=1)), _compute_shares(upper), _compute_shares(lower)]
    )


def _make_thumbnail(darkness: np.ndarray) -> np.ndarray:
    small = cv2.resize(darkness, THUMBNAIL, interpolation=cv2.INTER_AREA)
    # Only what differs along the line: that lines are dark in their middle makes them all alike.
    small -= small.mean(axis=1, keepdims=True)
    length = float(np.linalg.norm(small))
    return (small / length).ravel().astype(np.float16) if length > 1e-3 else np.zeros(small.size, np.float16)


ENOUGH = 10
"""Lines of a hand from which it has statistics of its own."""


def compute_deviations(values: np.ndarray, groups: Mapping[str, np.ndarray], usable: np.ndarray) -> np.ndarray:
    """Return how far each of `values` (n,) lies from the median of its group: (n,), NaN where too few are alike.

    `groups` are rows by name, `usable` (n,) says which rows count for the medians. A group with fewer than ENOUGH of
    them is measured against all groups.
    """
    everything = np.median(values[usable]) if usable.sum() >= ENOUGH else np.nan
    result = np.full(len(values), np.nan)
    for rows in groups.values():
        counted = rows[usable[rows]]
        result[rows] = values[rows] - (np.median(values[counted]) if len(counted) >= ENOUGH else everything)
    return result


def compute_scales(deviation: np.ndarray, groups: Mapping[str, np.ndarray], usable: np.ndarray) -> np.ndarray:
    """Return the usual size of the deviations in each row's group, (n,): the median absolute one as a standard
    deviation."""
    result = np.full(len(deviation), np.nan)
    known = usable & np.isfinite(deviation)
    everything = 1.4826 * np.median(np.abs(deviation[known])) if known.any() else np.nan
    for rows in groups.values():
        counted = rows[known[rows]]
        result[rows] = 1.4826 * np.median(np.abs(deviation[counted])) if len(counted) >= ENOUGH else everything
    return result
