"""From the strip that extraction cut to the image that a recogniser sees; part of the model, and stored with it."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from uncial.errors import UserError

CHANNELS = (1, 3)
POLARITIES = ("dark", "light", "auto")
CONTRASTS = ("stretch", "none")
BACKGROUND = 255
MOST_PADDING = 256
"""The value of paper without ink, and of padding."""
MOST_MULTIPLE = 4096
"""Pixels; a single line is as wide at least."""


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How a strip is scaled and how its grey values are normalised.

    `height` is the model's line height in pixels; the aspect ratio is kept. `channels` is 1 (grey) or 3 (colour).
    `polarity` says what ink is: `dark`, `light`, or `auto`, which takes the rarer side of each line for ink. `contrast`
    is `stretch`, which maps the paper to 255 and the ink to 0 by percentiles of the line, or `none`. `paper` and `ink`
    are those percentiles (0 to 100), and a line that spans fewer than `least_span` grey values between them is
    stretched as if it spanned so many, so that an empty line stays empty. `width_multiple` is the number of pixels to a
    multiple of which widths are padded with background, and the least width. `padding` are the pixels of paper that are
    put to the left and the right of every line, (left, right) or one number for both; kraken's `--pad`.
    """

    height: int = 48
    channels: int = 1
    polarity: str = "dark"
    contrast: str = "stretch"
    paper: float = 60.0
    ink: float = 1.0
    least_span: int = 48
    width_multiple: int = 8
    padding: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        """Raise `UserError` for a setting that cannot be."""
        _check_whole("channels", self.channels)
        _check_one_of("channels", self.channels, CHANNELS)
        _check_one_of("polarity", self.polarity, POLARITIES)
        _check_one_of("contrast", self.contrast, CONTRASTS)
        _check_whole("height", self.height)
        if not 16 <= self.height <= 256:
            raise UserError(
                f"model.preprocessing.height is {self.height}; a line height between 16 and 256 pixels is needed."
            )
        _check_whole("width_multiple", self.width_multiple)
        if not 1 <= self.width_multiple <= MOST_MULTIPLE:
            raise UserError(
                f"model.preprocessing.width_multiple is {self.width_multiple}; 1 to {MOST_MULTIPLE} pixels are needed."
            )
        if not 0 <= self.ink < self.paper <= 100:
            raise UserError(
                f"model.preprocessing.ink is {self.ink} and paper {self.paper}; "
                "percentiles with 0 <= ink < paper <= 100 are needed."
            )
        object.__setattr__(self, "padding", _read_both_sides(self.padding))
        if not 1 <= self.least_span <= 255:
            raise UserError(f"model.preprocessing.least_span is {self.least_span}; 1 to 255 grey values are possible.")

    def width_of(self, height: int, width: int) -> int:
        """Return the width in pixels of the image made of a strip of `height` x `width` pixels: scaled, and with the
        `padding` beside it.
        """
        return self._scaled_width(height, width) + sum(self.padding)

    def _scaled_width(self, height: int, width: int) -> int:
        return max(1, round(width * self.height / max(1, height)))

    def padded_width(self, width: int) -> int:
        """Return `width` rounded up to `width_multiple`: what the recogniser takes for the line's width."""
        return max(1, -(-width // self.width_multiple)) * self.width_multiple

    def __call__(self, strip: np.ndarray) -> np.ndarray:
        """Scale and normalise a strip, uint8 (h, w) or (h, w, 3), to uint8 (H, W) or (H, W, 3), ink dark on 255.

        Raises `ValueError` for an array that is no such strip.
        """
        if strip.dtype != np.uint8 or strip.ndim not in (2, 3) or 0 in strip.shape:
            raise ValueError(f"A strip is uint8 (h, w) or (h, w, 3), not {strip.dtype} {strip.shape}.")
        image = self._normalised(self._scaled(self._channelled(strip)))
        if any(self.padding):
            left, right = self.padding
            image = cv2.copyMakeBorder(image, 0, 0, left, right, cv2.BORDER_CONSTANT, value=(BACKGROUND,) * 3)
        return np.ascontiguousarray(image)

    def _channelled(self, strip: np.ndarray) -> np.ndarray:
        if self.channels == 1 and strip.ndim == 3:
            return strip[:, :, 0] if strip.shape[2] == 1 else cv2.cvtColor(strip, cv2.COLOR_RGB2GRAY)
        if self.channels == 3 and (strip.ndim == 2 or strip.shape[2] == 1):
            return cv2.cvtColor(strip, cv2.COLOR_GRAY2RGB)
        return strip

    def _scaled(self, strip: np.ndarray) -> np.ndarray:
        height, width = strip.shape[:2]
        size = (self._scaled_width(height, width), self.height)
        if size == (width, height):
            return strip
        smaller = self.height < height
        return cv2.resize(strip, size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)

    def _normalised(self, image: np.ndarray) -> np.ndarray:
        if self.contrast == "none" and self.polarity == "dark":
            return image
        counts = np.bincount(image.ravel(), minlength=256)
        if self._is_inverted(counts):
            image, counts = 255 - image, counts[::-1]
        if self.contrast == "none":
            return image
        return cv2.LUT(image, self._stretch(counts))

    def _is_inverted(self, counts: np.ndarray) -> bool:
        if self.polarity != "auto":
            return self.polarity == "light"
        dark, middle, light = _compute_percentiles(counts, (1.0, 50.0, 99.0))
        return middle - dark < light - middle

    def _stretch(self, counts: np.ndarray) -> np.ndarray:
        ink, paper = _compute_percentiles(counts, (self.ink, self.paper))
        span = max(paper - ink, self.least_span)
        levels = (np.arange(256, dtype=np.float32) - (paper - span)) * (BACKGROUND / span)
        return np.clip(np.rint(levels), 0, 255).astype(np.uint8)


def _compute_percentiles(counts: np.ndarray, percentiles: tuple[float, ...]) -> list[int]:
    """Return the grey values below or at which these percentages of the pixels lie."""
    total = np.cumsum(counts)
    return [int(np.searchsorted(total, total[-1] * percentile / 100)) for percentile in percentiles]


def _read_both_sides(padding: Any) -> tuple[int, int]:
    sides = (padding, padding) if isinstance(padding, int | float) else tuple(padding)
    if len(sides) != 2 or any(side != int(side) or not 0 <= side <= MOST_PADDING for side in sides):
        raise UserError(
            f"model.preprocessing.padding is {padding}; one number of pixels from 0 to {MOST_PADDING}, or two "
            "[left, right] are needed."
        )
    return int(sides[0]), int(sides[1])


def _check_whole(key: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise UserError(f"model.preprocessing.{key} is {value!r}; a whole number is needed.")


def _check_one_of(key: str, value: object, allowed: tuple[object, ...]) -> None:
    if value not in allowed:
        choices = ", ".join(map(str, allowed))
        raise UserError(f"model.preprocessing.{key} is {value!r}; choose one of {choices}.")
