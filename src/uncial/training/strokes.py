"""The look of ink varied: the width of the pen, its strength, and what hides the writing."""

import albumentations
import cv2
import numpy as np

PAPER = 255
SHAPES = (cv2.MORPH_RECT, cv2.MORPH_ELLIPSE, cv2.MORPH_CROSS)


class StrokeWidth(albumentations.ImageOnlyTransform):
    """Make the strokes of dark ink thicker or thinner by an erosion or dilation, blended with the image."""

    def __init__(self, size: int = 3, strength: float = 0.6, p: float = 1.0) -> None:
        """`size` is the largest structuring element in pixels, `strength` the largest weight of its result."""
        super().__init__(p=p)
        self.size, self.strength = size, strength

    def apply(self, img: np.ndarray, **params: object) -> np.ndarray:
        """Change an image, uint8 (H, W) or (H, W, C), to another of the same shape."""
        generator = self.random_generator
        sides = generator.integers(1, self.size + 1, 2)
        sides[int(generator.integers(2))] = max(2, int(sides.max()))
        element = cv2.getStructuringElement(SHAPES[int(generator.integers(len(SHAPES)))], tuple(map(int, sides)))
        morphed = cv2.erode(img, element) if generator.random() < 0.5 else cv2.dilate(img, element)
        weight = generator.uniform(0.0, self.strength)
        return cv2.addWeighted(morphed, weight, img, 1.0 - weight, 0.0)


class InkTone(albumentations.ImageOnlyTransform):
    """Make ink fainter or stronger and its edges softer or harder; paper stays as it is, as preprocessing leaves it."""

    def __init__(
        self,
        strength: tuple[float, float] = (0.6, 1.2),
        gamma: tuple[float, float] = (0.7, 1.4),
        p: float = 1.0,
    ) -> None:
        """`strength` is the range of the factor on the ink's darkness, `gamma` that of the exponent before it."""
        super().__init__(p=p)
        self.strength, self.gamma = (float(strength[0]), float(strength[1])), (float(gamma[0]), float(gamma[1]))

    def apply(self, img: np.ndarray, **params: object) -> np.ndarray:
        """Change an image, uint8 (H, W) or (H, W, C), to another of the same shape."""
        generator = self.random_generator
        exponent = np.exp(generator.uniform(*np.log(self.gamma)))
        darkness = (np.arange(PAPER, -1, -1, dtype=np.float32) / PAPER) ** exponent
        levels = PAPER * (1.0 - darkness * generator.uniform(*self.strength))
        return cv2.LUT(img, np.clip(np.rint(levels), 0, PAPER).astype(np.uint8))


class PaperSpans(albumentations.ImageOnlyTransform):
    """Hide short stretches of the line behind paper, so that the model learns to read on from what is left of a
    character.

    After the span masks of Li et al., HTR-VT, 2024.
    """

    def __init__(self, count: int = 3, width: float = 0.2, p: float = 1.0) -> None:
        """Hide 1 to `count` spans, each at most `width` times the line's height wide."""
        super().__init__(p=p)
        self.count, self.width = count, width

    def apply(self, img: np.ndarray, **params: object) -> np.ndarray:
        """Change an image, uint8 (H, W) or (H, W, C), to another of the same shape."""
        generator = self.random_generator
        result = img.copy()
        for _ in range(int(generator.integers(1, self.count + 1))):
            wide = round(generator.uniform(0.3, 1.0) * self.width * img.shape[0])
            start = int(generator.integers(max(1, img.shape[1] - wide)))
            result[:, start : start + wide] = PAPER
        return result
