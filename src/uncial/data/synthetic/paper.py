"""Paper: its colour, fibres, gradients, stains, rulings, and the writing that shines through from its back."""

import cv2
import numpy as np
from numpy.typing import NDArray

from uncial.data.synthetic.options import DrawingOptions

Floats = NDArray[np.float32]


def draw_paper(
    height: int, width: int, line_rows: NDArray[np.float64], options: DrawingOptions, rng: np.random.Generator
) -> Floats:
    """An empty sheet (height, width, 3), red, green and blue between 0 and 255.

    `line_rows` are the heights in pixels at which lines are written: where rulings run, if the sheet has any.
    """
    tone = np.array([238, 228, 205]) + rng.uniform(-1, 1) * np.array([10, 12, 22]) - rng.uniform(0, 14)
    light = np.ones((height, width), np.float32)
    light += options.texture * 0.10 * _clouds(height, width, 3, rng)
    light += options.texture * 0.05 * _clouds(height, width, 14, rng)
    light += options.texture * 0.035 * _clouds(height, width, max(height, width) // 5, rng)
    light *= _shadow(height, width, options.texture, rng)
    if options.texture:
        light += _fibres(height, width, options.texture, rng)
    if rng.random() < options.ruling:
        light -= _ruling(height, width, line_rows, rng)
    paper = light[:, :, None] * tone.astype(np.float32)
    for _ in range(int(rng.poisson(2.0 * options.stains))):
        paper *= 1 - _stain(height, width, rng)[:, :, None] * np.array([0.10, 0.16, 0.28], np.float32)
    return paper


def shine_through(paper: Floats, ink: Floats, options: DrawingOptions, rng: np.random.Generator) -> Floats:
    """The sheet with a faint mirrored trace of writing, as if `ink` (height, width, 0 to 1) stood on its back."""
    strength, shift = rng.uniform(0.03, 0.12), int(rng.integers(-40, 41))
    if rng.random() >= options.show_through:
        return paper
    back = cv2.GaussianBlur(np.roll(ink[:, ::-1], shift, axis=0), (0, 0), 1.6)
    return paper * (1 - strength * back[:, :, None] * np.array([0.8, 0.95, 1.0], np.float32))


def _clouds(height: int, width: int, cells: int, rng: np.random.Generator) -> Floats:
    """Smooth noise around 0, about `cells` patches along the longer side."""
    cells = max(2, cells)
    shape = (max(2, round(cells * height / max(height, width))), max(2, round(cells * width / max(height, width))))
    coarse = rng.standard_normal(shape, dtype=np.float32) * 0.6
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), dtype=np.float32)


def _shadow(height: int, width: int, strength: float, rng: np.random.Generator) -> Floats:
    """Darker edges and a gutter on one side, as on an opened book."""
    x, y = np.linspace(0, 1, width, dtype=np.float32), np.linspace(0, 1, height, dtype=np.float32)
    reach, depth = rng.uniform(0.04, 0.12), rng.uniform(0.1, 0.5) * strength
    gutter = np.exp(-(x if rng.random() < 0.5 else 1 - x) / reach) * depth
    rim = 0.10 * strength * (np.exp(-np.minimum(y, 1 - y) / 0.03))
    return ((1 - gutter)[None, :] * (1 - rim)[:, None]).astype(np.float32)


def _fibres(height: int, width: int, strength: float, rng: np.random.Generator) -> Floats:
    """Short bent hairs, some lighter and some darker than the sheet."""
    layer = np.full((height, width), 128, np.uint8)
    count = int(height * width / 9000)
    starts, angles = rng.uniform(0, [width, height], (count, 2)), rng.uniform(0, 2 * np.pi, count)
    bends, lengths, tones = rng.normal(0, 0.35, (count, 5)), rng.uniform(2, 7, count), rng.uniform(-30, 30, count)
    headings = angles[:, None] + np.cumsum(bends, axis=1)
    steps = np.stack([np.cos(headings), np.sin(headings)], axis=2) * lengths[:, None, None]
    hairs = (starts[:, None] + np.cumsum(steps, axis=1)) * 16
    for hair, tone in zip(np.round(hairs).astype(np.int32), tones, strict=True):
        cv2.polylines(layer, [hair], False, int(128 + tone), 1, cv2.LINE_AA, 4)
    soft = cv2.GaussianBlur(layer, (0, 0), 0.8).astype(np.float32)
    return np.asarray((soft - 128) / 128 * (0.35 * strength), dtype=np.float32)


def _ruling(height: int, width: int, rows: NDArray[np.float64], rng: np.random.Generator) -> Floats:
    """Faint pencil lines a little under the writing."""
    layer = np.zeros((height, width), np.float32)
    strength, offset = rng.uniform(0.05, 0.13), rng.uniform(1, 4)
    for row in rows:
        tilt = rng.normal(0, 1.2)
        ends = np.round(np.array([[0, row + offset - tilt], [width, row + offset + tilt]]) * 16).astype(int)
        cv2.line(layer, ends[0].tolist(), ends[1].tolist(), float(strength), 1, cv2.LINE_AA, 4)
    return layer


def _stain(height: int, width: int, rng: np.random.Generator) -> Floats:
    """A blot of damp with a darker rim, 0 to 1."""
    scale = 4
    small = np.zeros((height // scale + 1, width // scale + 1), np.float32)
    centre, radius = rng.uniform(0, [width, height]) / scale, rng.uniform(15, 130) / scale
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    uneven = np.ones_like(angle)
    for k in range(1, 5):
        uneven += rng.normal(0, 0.12) * np.cos(k * angle + rng.uniform(0, 6))
    outline = centre + (radius * uneven)[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    cv2.fillPoly(small, [np.round(outline).astype(np.int32)], 1.0)
    inner = cv2.GaussianBlur(small, (0, 0), max(radius * 0.25, 1.0))
    rim = np.clip(small - inner, 0, 1)
    mixed = cv2.GaussianBlur(0.6 * small + 1.2 * rim, (0, 0), 1.2)
    full = cv2.resize(mixed, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(full * rng.uniform(0.25, 0.8), dtype=np.float32)
