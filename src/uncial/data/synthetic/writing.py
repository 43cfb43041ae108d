"""Writing a line: from text and the habits of one hand to the strokes of the pen."""

import functools
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from uncial.data.synthetic.glyphs import Face, Glyph, split_graphemes
from uncial.data.synthetic.options import DrawingOptions

_HAND_STREAM = 1


@dataclass(frozen=True)
class Hand:
    """One writer and the writer's pen. Lengths are in font units (x-height 9) unless said otherwise.

    `slant` is the shear added to the letters, `width` stretches them, `ascenders` and `descenders` scale what is above
    the x-height and below the baseline. `wobble` is how far the writer's own letter shapes lie from the model's,
    `tremor` how far two of the same letters differ; `size_jitter`, `slant_jitter` and `shift_jitter` vary each letter.
    `nib` is the pen's full width, `hairline` its least width as a fraction of it, `nib_angle` in radians; a `pointed`
    nib swells with pressure on the downstroke, a broad one with the direction. `ink` is (red, green, blue) between 0
    and 255, `density` how dark it covers.
    """

    seed: int
    face: Face
    slant: float
    width: float
    ascenders: float
    descenders: float
    letter_space: float
    word_space: float
    wobble: float
    tremor: float
    size_jitter: float
    slant_jitter: float
    shift_jitter: float
    connected: float
    nib: float
    hairline: float
    nib_angle: float
    pointed: bool
    ink: tuple[float, float, float]
    density: float
    long_s: bool

    @property
    def extent(self) -> tuple[float, float]:
        """Ascender height and descender depth (positive) in font units."""
        return 9 + 12 * self.ascenders, 12 * self.descenders


_FACES = (
    (Face("cursive", "cursive"), 0.62),
    (Face("cursive", "plain"), 0.26),
    (Face("plain", "plain"), 0.12),
)
_INKS = ((52, 38, 26), (38, 32, 30), (72, 48, 28), (28, 34, 58), (88, 62, 40), (24, 24, 26))


def draw_hand(number: int, options: DrawingOptions) -> Hand:
    """Return the hand of that number: the same for the same seed and options, whatever else is drawn."""
    rng = np.random.default_rng([options.seed, _HAND_STREAM, number])
    jitter = options.jitter
    face = _FACES[int(rng.choice(len(_FACES), p=[p for _, p in _FACES]))][0]
    pointed = bool(rng.random() < 0.6)
    ink = np.array(_INKS[rng.integers(len(_INKS))]) + rng.uniform(-8, 8, 3)
    return Hand(
        seed=int(rng.integers(2**31)),
        face=face,
        slant=float(np.tan(np.radians(rng.uniform(*options.slant)))),
        width=float(rng.uniform(0.86, 1.12)),
        ascenders=float(rng.uniform(0.62, 0.92)),
        descenders=float(rng.uniform(0.62, 0.92)),
        letter_space=float(rng.uniform(-0.3, 0.9) if face.small == "cursive" else rng.uniform(-1.4, 0.4)),
        word_space=float(rng.uniform(8.5, 12)),
        wobble=float(rng.uniform(0.3, 0.8) * jitter * 1.2),
        tremor=float(rng.uniform(0.25, 0.55) * jitter * 1.4),
        size_jitter=float(rng.uniform(0.03, 0.08) * jitter * 2),
        slant_jitter=float(rng.uniform(0.02, 0.06) * jitter * 2),
        shift_jitter=float(rng.uniform(0.15, 0.4) * jitter * 2),
        connected=float(np.clip(options.connected + rng.uniform(-0.2, 0.2), 0, 1)) if options.connected else 0.0,
        nib=float(rng.uniform(1.3, 1.9) if pointed else rng.uniform(1.5, 2.3)),
        hairline=float(rng.uniform(0.30, 0.5) if pointed else rng.uniform(0.34, 0.6)),
        nib_angle=float(np.radians(rng.uniform(25, 55))),
        pointed=pointed,
        ink=(float(ink[0]), float(ink[1]), float(ink[2])),
        density=float(rng.uniform(0.78, 0.95)),
        long_s=bool(rng.random() < options.long_s),
    )


Array = NDArray[np.float64]

_POINTS_PER_SEGMENT = 4


@dataclass(frozen=True)
class PenPath:
    """The pen's way along one line: `start` and `end` (n, 2) of each short segment, and `thickness` (n,) of the ink
    there.

    All are in font units, x along the baseline and y above it. `length` is the line's advance.
    """

    start: Array
    end: Array
    thickness: Array
    length: float


def write_line(text: str, hand: Hand, rng: np.random.Generator, *, underline: bool = False) -> PenPath:
    """Return the strokes of `text` as this hand writes it now; the baseline is y = 0.

    Raises `KeyError` for a character that has no glyph.
    """
    strokes, advance = _place_letters(text, hand, rng)
    if underline and strokes:
        strokes.append(_draw_underline(advance, rng))
    if not strokes:
        return PenPath(np.zeros((0, 2)), np.zeros((0, 2)), np.zeros(0), advance)
    sizes = np.array([len(s) for s in strokes])
    points = _add_tremble(np.concatenate(strokes), hand, rng)
    start, end, position = _smooth_points(points, sizes)
    return PenPath(start, end, _compute_thickness(start, end, position, hand), advance)


@functools.lru_cache(maxsize=4096)
def _choose_shape(grapheme: str, hand: Hand) -> Glyph:
    """Return the letter as this writer has made it a habit: the model's strokes, bent a little, sheared and
    stretched."""
    glyph = hand.face.glyph(grapheme)
    if glyph is None:
        raise KeyError(grapheme)
    rng = np.random.default_rng([hand.seed, *map(ord, grapheme)])
    stretch = np.array([hand.width * rng.normal(1, 0.05 * hand.wobble), rng.normal(1, 0.06 * hand.wobble)])
    strokes = []
    for stroke in glyph.strokes:
        bend = rng.normal(0, hand.wobble, stroke.shape)
        if len(stroke) > 3:  # Neighbouring points move together: the shape changes, the curve stays smooth.
            bend = (np.roll(bend, 1, 0) + 2 * bend + np.roll(bend, -1, 0)) / 3
        bend[[0, -1]] *= 0.3
        strokes.append((stroke + bend * (0.3 if np.ptp(stroke, 0).max() < 2 else 1.0)) * stretch)
    return replace(glyph, strokes=tuple(strokes), width=glyph.width * stretch[0])


def _place_letters(text: str, hand: Hand, rng: np.random.Generator) -> tuple[list[Array], float]:
    """Return the strokes of all letters in their places; where the pen is not lifted, two letters' strokes are one."""
    parts = split_graphemes(text)
    jitter = rng.normal(0, 1, (len(parts), 5))
    lifted = rng.random(len(parts)) > hand.connected
    strokes: list[Array] = []
    x = 0.0
    leaving: int | None = None
    for part, (size, lean, shift, gap, _), lift in zip(parts, jitter, lifted, strict=True):
        if part.isspace():
            x += hand.word_space * max(0.75, 1 + 0.12 * gap)
            leaving = None
            continue
        glyph = _choose_shape(part, hand)
        scale = float(np.clip(1 + hand.size_jitter * size, 0.8, 1.2))
        moved = [
            _place_stroke(s, x, scale, hand, hand.slant_jitter * lean, hand.shift_jitter * shift) for s in glyph.strokes
        ]
        joint = glyph.entry is not None and leaving is not None and not lift
        first = len(strokes)
        strokes += moved
        if joint and leaving is not None and glyph.entry is not None:
            strokes[first + glyph.entry] = _join_strokes(strokes[leaving], moved[glyph.entry])
            strokes[leaving] = strokes[leaving][:0]
        leaving = None if glyph.exit is None else first + glyph.exit
        x += glyph.width * scale + hand.letter_space * (1 + 0.5 * gap)
    return [s for s in strokes if len(s) > 1], x


def _place_stroke(stroke: Array, x: float, scale: float, hand: Hand, lean: float, shift: float) -> Array:
    height = stroke[:, 1] * scale
    height = np.where(
        height > 9, 9 + (height - 9) * hand.ascenders, np.where(height < 0, height * hand.descenders, height)
    )
    along = stroke[:, 0] * scale + height * (hand.slant + lean)
    return np.stack([along + x, height + shift], axis=1)


def _join_strokes(before: Array, after: Array) -> Array:
    """Two strokes as one: they meet half-way where they are near, else a connecting stroke leads over."""
    if np.hypot(*(before[-1] - after[0])) < 1.6:
        return np.concatenate([before[:-1], (before[-1:] + after[:1]) / 2, after[1:]])
    return np.concatenate([before, after])


def _draw_underline(advance: float, rng: np.random.Generator) -> Array:
    x = np.linspace(-1, advance + 1, max(int(advance / 12), 3))
    return np.stack([x, -3.4 + np.cumsum(rng.normal(0, 0.12, len(x)))], axis=1)


def _add_tremble(points: Array, hand: Hand, rng: np.random.Generator) -> Array:
    """Bends the line's strokes by a smooth random field, so that no two letters are the same."""
    waves, phases = rng.uniform(0.10, 0.55, (6, 2)), rng.uniform(0, 2 * np.pi, (6, 2))
    amplitudes = rng.normal(0, hand.tremor / np.sqrt(3), (6, 2))
    angle = points[:, :1, None] * waves[:, 0] + points[:, 1:, None] * 0.5 * waves[:, 1]
    moved = np.stack(
        [np.sin(angle[:, 0] + phases[:, 0]) @ amplitudes[:, 0], np.sin(angle[:, 0] + phases[:, 1]) @ amplitudes[:, 1]],
        1,
    )
    return points + moved


def _smooth_points(points: Array, sizes: NDArray[np.int64]) -> tuple[Array, Array, Array]:
    """Return a cubic Hermite curve through each stroke's points, cut into short segments, all strokes of the line at
    once.

    The tangents are those of a parabola through three neighbours over the chord length, so they stay below one unit a
    unit and a long chord beside a short one makes no loop. Returns starts, ends (n, 2) and each segment's (n, 2)
    distance to its stroke's beginning and end.
    """
    ends = np.cumsum(sizes)
    first, last = np.zeros(len(points), bool), np.zeros(len(points), bool)
    first[ends - sizes], last[ends - 1] = True, True
    chord = np.diff(points, axis=0, append=points[-1:])
    length = np.maximum(np.hypot(chord[:, 0], chord[:, 1]), 1e-6)
    unit = chord / length[:, None]
    before, before_length = np.roll(unit, 1, axis=0), np.roll(length, 1)
    tangent = (before * length[:, None] + unit * before_length[:, None]) / (length + before_length)[:, None]
    tangent[first], tangent[last] = unit[first], before[last]
    i = np.flatnonzero(~last)
    t = np.linspace(0, 1, _POINTS_PER_SEGMENT + 1)[None, :, None]
    a, b = points[i, None], points[i + 1, None]
    ta, tb = tangent[i, None] * length[i, None, None], tangent[i + 1, None] * length[i, None, None]
    curve = (2 * t**3 - 3 * t**2 + 1) * a + (t**3 - 2 * t**2 + t) * ta + (3 * t**2 - 2 * t**3) * b + (t**3 - t**2) * tb
    along = np.cumsum(np.where(last, 0, length))
    begins, total = (
        np.repeat((along - np.where(last, 0, length))[ends - sizes], sizes),
        np.repeat(along[ends - 1], sizes),
    )
    middle = (along[i] - length[i] / 2)[:, None]
    travelled = np.concatenate([middle - begins[i, None], total[i, None] - middle], axis=1)
    return curve[:, :-1].reshape(-1, 2), curve[:, 1:].reshape(-1, 2), np.repeat(travelled, _POINTS_PER_SEGMENT, axis=0)


def _compute_thickness(start: Array, end: Array, travelled: Array, hand: Hand) -> Array:
    """Return the ink's width in font units: from direction and nib, thinner where the pen is set down and taken up."""
    way = end - start
    angle = np.arctan2(way[:, 1], way[:, 0])
    swell = np.clip(-np.sin(angle), 0, 1) ** 1.3 if hand.pointed else np.abs(np.sin(angle - hand.nib_angle))
    taper = np.clip(0.62 + travelled.min(axis=1) / 3.5, 0, 1)
    return hand.nib * (hand.hairline + (1 - hand.hairline) * swell) * taper
