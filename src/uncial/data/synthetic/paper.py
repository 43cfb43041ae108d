"""Paper with its fibres, stains and rulings, the ink on it, and what the camera makes of both."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from uncial.data.synthetic.line_ink import LineInk
from uncial.data.synthetic.options import DrawingOptions
from uncial.data.synthetic.writing import Hand

Floats = NDArray[np.float32]


def draw_paper(
    height: int, width: int, line_rows: NDArray[np.float64], options: DrawingOptions, rng: np.random.Generator
) -> Floats:
    """Return an empty sheet (height, width, 3), red, green and blue between 0 and 255.

    `line_rows` are the heights in pixels at which lines are written: where rulings run, if the sheet has any.
    """
    tone = np.array([238, 228, 205]) + rng.uniform(-1, 1) * np.array([10, 12, 22]) - rng.uniform(0, 14)
    light = np.ones((height, width), np.float32)
    light += options.texture * 0.10 * _draw_clouds(height, width, 3, rng)
    light += options.texture * 0.05 * _draw_clouds(height, width, 14, rng)
    light += options.texture * 0.035 * _draw_clouds(height, width, max(height, width) // 5, rng)
    light *= _draw_shadow(height, width, options.texture, rng)
    if options.texture:
        light += _draw_fibres(height, width, options.texture, rng)
    if rng.random() < options.ruling:
        light -= _draw_ruling(height, width, line_rows, rng)
    paper = light[:, :, None] * tone.astype(np.float32)
    for _ in range(int(rng.poisson(2.0 * options.stains))):
        paper *= 1 - _draw_stain(height, width, rng)[:, :, None] * np.array([0.10, 0.16, 0.28], np.float32)
    return paper


def draw_show_through(paper: Floats, ink: Floats, options: DrawingOptions, rng: np.random.Generator) -> Floats:
    """Return the sheet with a faint mirrored trace of writing, as if `ink` (height, width, 0 to 1) stood on its
    back."""
    strength, shift = rng.uniform(0.03, 0.12), int(rng.integers(-40, 41))
    if rng.random() >= options.show_through:
        return paper
    back = cv2.GaussianBlur(np.roll(ink[:, ::-1], shift, axis=0), (0, 0), 1.6)
    return paper * (1 - strength * back[:, :, None] * np.array([0.8, 0.95, 1.0], np.float32))


def _draw_clouds(height: int, width: int, cells: int, rng: np.random.Generator) -> Floats:
    """Smooth noise around 0, about `cells` patches along the longer side."""
    cells = max(2, cells)
    shape = (max(2, round(cells * height / max(height, width))), max(2, round(cells * width / max(height, width))))
    coarse = rng.standard_normal(shape, dtype=np.float32) * 0.6
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), dtype=np.float32)


def _draw_shadow(height: int, width: int, strength: float, rng: np.random.Generator) -> Floats:
    """Darker edges and a gutter on one side, as on an opened book."""
    x, y = np.linspace(0, 1, width, dtype=np.float32), np.linspace(0, 1, height, dtype=np.float32)
    reach, depth = rng.uniform(0.04, 0.12), rng.uniform(0.1, 0.5) * strength
    gutter = np.exp(-(x if rng.random() < 0.5 else 1 - x) / reach) * depth
    rim = 0.10 * strength * (np.exp(-np.minimum(y, 1 - y) / 0.03))
    return ((1 - gutter)[None, :] * (1 - rim)[:, None]).astype(np.float32)


def _draw_fibres(height: int, width: int, strength: float, rng: np.random.Generator) -> Floats:
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


def _draw_ruling(height: int, width: int, rows: NDArray[np.float64], rng: np.random.Generator) -> Floats:
    """Faint pencil lines a little under the writing."""
    layer = np.zeros((height, width), np.float32)
    strength, offset = rng.uniform(0.05, 0.13), rng.uniform(1, 4)
    for row in rows:
        tilt = rng.normal(0, 1.2)
        ends = np.round(np.array([[0, row + offset - tilt], [width, row + offset + tilt]]) * 16).astype(int)
        cv2.line(layer, ends[0].tolist(), ends[1].tolist(), float(strength), 1, cv2.LINE_AA, 4)
    return layer


def _draw_stain(height: int, width: int, rng: np.random.Generator) -> Floats:
    """Return a blot of damp with a darker rim, 0 to 1."""
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


def spread_ink(
    height: int, width: int, lines: Sequence[LineInk], hand: Hand, fading: float, rng: np.random.Generator
) -> Floats:
    """Return the ink of all lines on one page (height, width), 0 bare to 1 black.

    It is paler as the pen runs dry, and darker at the strokes' edges.
    """
    page = np.zeros((height, width), np.float32)
    for line in lines:
        rows, columns = line.coverage.shape
        area = page[line.top : line.top + rows, line.left : line.left + columns]
        flow = hand.density * (1 - fading * _draw_dryness(columns, rng))
        np.maximum(area, line.coverage * (flow / 255), out=area)
    pooled = page * (0.86 + 0.22 * (1 - cv2.GaussianBlur(page, (0, 0), 1.4)))
    return np.clip(pooled * _draw_grain(height, width, rng), 0, 1)


def _draw_dryness(columns: int, rng: np.random.Generator) -> Floats:
    """Return how dry the pen is along a line: it dries slowly, is dipped again, and its flow is never quite even."""
    period = rng.uniform(250, 700)
    since_dip = np.mod(np.arange(columns) + rng.uniform(0, period), period) / period
    knots = rng.standard_normal(columns // 40 + 4)
    uneven = np.interp(np.arange(columns), np.arange(len(knots)) * 40.0, knots)
    return np.clip(0.75 * since_dip**2 + 0.12 * uneven, 0, 0.9).astype(np.float32)


def _draw_grain(height: int, width: int, rng: np.random.Generator) -> Floats:
    """Return the unevenness of ink in the paper's pores, around 0.95."""
    coarse = rng.standard_normal((height // 3 + 1, width // 3 + 1), dtype=np.float32)
    return np.asarray(
        0.95 + 0.07 * cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.float32
    )


def blend_ink(paper: Floats, ink: Floats, colour: tuple[float, float, float]) -> Floats:
    """Return the sheet (height, width, 3) darkened by ink (height, width) of a colour, as a dye darkens what it lies
    on."""
    dye = 1 - np.array(colour, np.float32) / 255
    return np.asarray(paper * (1 - ink[:, :, None] * dye), dtype=np.float32)


def take_photograph(page: Floats, options: DrawingOptions, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return the page as an image file holds it: blurred and noisy as the options say, 8 bits.

    (height, width, 3) in colour, else (height, width).
    """
    sigma = float(rng.uniform(*options.blur))
    if sigma > 0.15:
        page = np.asarray(cv2.GaussianBlur(page, (0, 0), sigma), dtype=np.float32)
    if options.noise:
        page = page + rng.standard_normal(page.shape[:2], dtype=np.float32)[:, :, None] * options.noise
    pixels = np.clip(np.round(page), 0, 255).astype(np.uint8)
    return pixels if options.colour else np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
