"""Hands: the habits by which one writer's page differs from another's."""

from dataclasses import dataclass

import numpy as np

from uncial.data.synthetic.glyphs import Face
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
    """The hand of that number: the same for the same seed and options, whatever else is drawn."""
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
