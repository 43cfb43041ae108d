"""The look of ink varied: the width of the pen and its strength."""

from collections.abc import Callable

import cv2
import numpy as np

from uncial.data.augmentation.transform import (
    LineTransform,
    Range,
    estimate_local_paper,
    parse_range,
    parse_range_from_zero,
    with_dark_ink,
)
from uncial.errors import UserError

PAPER = 255
SHAPES = (cv2.MORPH_RECT, cv2.MORPH_ELLIPSE, cv2.MORPH_CROSS)
INK_KEPT = 0.3
"""Thinner strokes keep at least this part of a line's ink, however fine they were."""


class StrokeWidth(LineTransform):
    """Make strokes thicker or thinner by an erosion or dilation of some pixels, blended with the image."""

    def __init__(self, size: int = 3, strength: Range = 0.6, p: float = 1.0) -> None:
        """`size` is the largest structuring element in pixels, `strength` the largest weight of its result."""
        super().__init__(p)
        if not isinstance(size, int) or size < 1:
            raise UserError(f"StrokeWidth.size is {size!r}; whole pixels from 1 on are possible")
        self.size, self.strength = size, parse_range_from_zero(strength, "StrokeWidth.strength", 1)

    def apply(self, image: np.ndarray) -> np.ndarray:
        """Change an image, uint8 (H, W) or (H, W, C), to another of the same shape."""
        return with_dark_ink(image, self._vary)

    def _vary(self, image: np.ndarray) -> np.ndarray:
        generator = self.random_generator
        sides = generator.integers(1, self.size + 1, 2)
        sides[int(generator.integers(2))] = max(2, int(sides.max()))
        element = cv2.getStructuringElement(SHAPES[int(generator.integers(len(SHAPES)))], tuple(map(int, sides)))
        thicker = generator.random() < 0.5
        morphed = cv2.erode(image, element) if thicker else cv2.dilate(image, element)
        weight = generator.uniform(*self.strength)
        return blend_images(
            image, morphed.reshape(image.shape), weight if thicker else limit_weight(image, morphed, weight)
        )


class PenWidth(LineTransform):
    """Make all strokes wider or narrower by a part of the line's height, fractions of a pixel included.

    The same at every height of the model, where `StrokeWidth` counts pixels.
    """

    def __init__(self, change: Range = (0.008, 0.017), p: float = 1.0) -> None:
        """`change` is the range of what a stroke gains or loses in width, as a part of the line's height; which of the
        two is drawn.
        """
        super().__init__(p)
        self.change = parse_range_from_zero(change, "PenWidth.change", 0.2)

    def apply(self, image: np.ndarray) -> np.ndarray:
        """Change an image, uint8 (H, W) or (H, W, C), to another of the same shape."""
        return with_dark_ink(image, self._vary)

    def _vary(self, image: np.ndarray) -> np.ndarray:
        generator = self.random_generator
        each_side = generator.uniform(*self.change) * image.shape[0] / 2
        thicker = generator.random() < 0.5
        morph = cv2.erode if thicker else cv2.dilate
        whole = int(each_side)
        changed = blend_images(
            _thicken_or_thin(image, morph, whole), _thicken_or_thin(image, morph, whole + 1), each_side - whole
        )
        return changed if thicker else blend_images(image, changed, limit_weight(image, changed, 1.0))


def blend_images(image: np.ndarray, other: np.ndarray, weight: float) -> np.ndarray:
    """Return the mean of two images of one shape in which the other counts by `weight`."""
    return cv2.addWeighted(other, weight, image, 1.0 - weight, 0.0).reshape(image.shape)


def limit_weight(image: np.ndarray, thinned: np.ndarray, weight: float) -> float:
    """Return `weight`, or the largest one below it with which a blend keeps `INK_KEPT` of the ink."""
    paper = float(np.median(estimate_local_paper(image)))
    before, after = (np.maximum(paper - float(one.mean()), 0.0) for one in (image, thinned))
    lost = before - after
    return float(min(weight, (1.0 - INK_KEPT) * before / lost)) if lost > 0 else weight


def _thicken_or_thin(image: np.ndarray, morph: Callable[..., np.ndarray], pixels: int) -> np.ndarray:
    if not pixels:
        return image
    return morph(image, np.ones((2 * pixels + 1, 2 * pixels + 1), np.uint8)).reshape(image.shape)


class InkTone(LineTransform):
    """Make ink fainter or stronger and its edges softer or harder; paper stays as it is, as preprocessing leaves it."""

    def __init__(self, strength: Range = (0.6, 1.2), gamma: Range = (0.7, 1.4), p: float = 1.0) -> None:
        """`strength` is the range of the factor on the ink's darkness, `gamma` that of the exponent before it."""
        super().__init__(p)
        self.strength = parse_range(strength, "InkTone.strength", 0.1, 10)
        self.gamma = parse_range(gamma, "InkTone.gamma", 0.1, 10)

    def apply(self, image: np.ndarray) -> np.ndarray:
        """Change an image, uint8 (H, W) or (H, W, C), to another of the same shape."""
        return with_dark_ink(image, self._vary)

    def _vary(self, image: np.ndarray) -> np.ndarray:
        generator = self.random_generator
        exponent = np.exp(generator.uniform(*np.log(self.gamma)))
        darkness = (np.arange(PAPER, -1, -1, dtype=np.float32) / PAPER) ** exponent
        levels = PAPER * (1.0 - darkness * generator.uniform(*self.strength))
        return cv2.LUT(image, np.clip(np.rint(levels), 0, PAPER).astype(np.uint8)).reshape(image.shape)
