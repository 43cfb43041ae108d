"""Pairs of like pictures among very many, by small pictures of them."""

from collections.abc import Iterator

import numpy as np

BLOCK = 1024
"""Pictures that are compared at once."""

ASPECT = 0.05
"""How far the logarithms of two aspects may be apart: copies of one picture have the same but for rounding."""

COARSE = 0.6
"""Correlation of the even smaller pictures below which no pair is looked at more closely."""


def alike(thumbnails: np.ndarray, aspects: np.ndarray, least: float) -> Iterator[tuple[int, int, float]]:
    """Pairs of rows, the smaller first, whose thumbnails correlate by `least` or more, with the correlation.

    `thumbnails` (n, w * 8) are centred and of length 1, or 0 for pictures without content, which are like none.
    `aspects` (n,) are width over height. All pairs of like aspect are compared, first by thumbnails of a quarter of
    the size, so that nothing is missed; a hundred thousand rows take minutes on one core.
    """
    order = np.argsort(aspects, kind="stable")
    logs = np.log(np.maximum(aspects[order], 1e-6))
    coarse = _coarse(thumbnails)[order]
    for start in range(0, len(order), BLOCK):
        end = min(start + BLOCK, len(order))
        last = int(np.searchsorted(logs, logs[end - 1] + ASPECT, side="right"))
        left, right = np.nonzero(coarse[start:end] @ coarse[start:last].T > COARSE)
        fitting = (right > left) & (logs[start + right] - logs[start + left] <= ASPECT)
        first, second = order[start + left[fitting]], order[start + right[fitting]]
        for piece in range(0, len(first), 4 * BLOCK):
            a, b = first[piece : piece + 4 * BLOCK], second[piece : piece + 4 * BLOCK]
            likeness = (thumbnails[a].astype(np.float32) * thumbnails[b].astype(np.float32)).sum(axis=1)
            for place in np.flatnonzero(likeness >= least):
                yield int(min(a[place], b[place])), int(max(a[place], b[place])), float(likeness[place])


def _coarse(thumbnails: np.ndarray) -> np.ndarray:
    """(n, w) float32 of length 1: eight rows to two, two columns to one."""
    rows, length = thumbnails.shape
    smaller = thumbnails.reshape(rows, 2, 4, length // 16, 2).astype(np.float32).sum(axis=(2, 4))
    smaller = smaller.reshape(rows, length // 8)
    return smaller / np.maximum(np.linalg.norm(smaller, axis=1, keepdims=True), 1e-6)
