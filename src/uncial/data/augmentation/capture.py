"""How the line came to be an image: focus, microfilm, black and white, no colours."""

import albumentations
import cv2
import numpy as np

from uncial.data.augmentation.background import local_paper, with_dark_ink
from uncial.data.augmentation.ranges import Range, between, number, up_to

LEAST_CONTRAST = 48
"""Grey values that a line has to span, or there is no writing in it that could be told from the paper."""


class Defocus(albumentations.ImageOnlyTransform):
    """Blur the line by a part of its height, so that it means the same at every height of the model."""

    def __init__(self, sigma: Range = (0.001, 0.008), p: float = 1.0) -> None:
        """`sigma` is the range of the Gaussian's standard deviation as a part of the line's height."""
        super().__init__(p=number(p, "Defocus.p", 0, 1))
        self.sigma = up_to(sigma, "Defocus.sigma", 0.2)

    def apply(self, img: np.ndarray, **params: object) -> np.ndarray:
        """Change an image, uint8 (H, W) or (H, W, C), to another of the same shape."""
        pixels = self.random_generator.uniform(*self.sigma) * img.shape[0]
        if pixels < 0.1:
            return img
        return cv2.GaussianBlur(img, (0, 0), pixels, borderType=cv2.BORDER_REPLICATE).reshape(img.shape)


class Microfilm(albumentations.ImageOnlyTransform):
    """Film the line: without colours, in hard contrast, with grain (after kraken 7's `DefaultAugmenter`)."""

    def __init__(
        self,
        threshold: Range = (0.45, 0.7),
        steepness: Range = (6.0, 14.0),
        grain: Range = (0.02, 0.05),
        p: float = 1.0,
    ) -> None:
        """Grey values follow a logistic curve of this `steepness` around `threshold`, which is a part of the way from
        the ink to the paper of the line, so that faint ink is not lost; `grain` is the standard deviation of the noise
        as a part of white. Each is the range of a draw.
        """
        super().__init__(p=number(p, "Microfilm.p", 0, 1))
        self.threshold = between(threshold, "Microfilm.threshold", 0.05, 0.95)
        self.steepness = between(steepness, "Microfilm.steepness", 0.1, 100)
        self.grain = up_to(grain, "Microfilm.grain", 0.5)

    def apply(self, img: np.ndarray, **params: object) -> np.ndarray:
        """Change an image, uint8 (H, W) or (H, W, C), to another of the same shape."""
        return with_dark_ink(img, self._vary)

    def _vary(self, image: np.ndarray) -> np.ndarray:
        generator = self.random_generator
        threshold, steepness = generator.uniform(*self.threshold), generator.uniform(*self.steepness)
        tones = grey(image)
        paper = float(np.median(local_paper(tones)))
        ink = min(float(np.percentile(tones, 1)), paper - LEAST_CONTRAST)
        light = np.clip((np.arange(256) - ink) / (paper - ink), 0.0, 1.0)
        curve, ends = (1.0 / (1.0 + np.exp((threshold - at) * steepness)) for at in (light, np.array((0.0, 1.0))))
        filmed = (255 * (curve - ends[0]) / (ends[1] - ends[0])).astype(np.float32)[tones]
        filmed += generator.standard_normal(filmed.shape, np.float32) * np.float32(255 * generator.uniform(*self.grain))
        return as_channels(np.clip(np.rint(filmed), 0, 255).astype(np.uint8), image)


class BlackAndWhite(albumentations.ImageOnlyTransform):
    """Make every pixel black or white by Otsu's threshold (1979); a line without contrast stays as it is."""

    def __init__(self, p: float = 1.0) -> None:
        super().__init__(p=number(p, "BlackAndWhite.p", 0, 1))

    def apply(self, img: np.ndarray, **params: object) -> np.ndarray:
        """Change an image, uint8 (H, W) or (H, W, C), to another of the same shape."""
        tones = grey(img)
        if int(tones.max()) - int(tones.min()) < LEAST_CONTRAST:
            return img
        _, divided = cv2.threshold(tones, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
        return as_channels(divided, img)


class WithoutColours(albumentations.ImageOnlyTransform):
    """Take the colours from a colour image; a grey one stays as it is."""

    def __init__(self, p: float = 1.0) -> None:
        super().__init__(p=number(p, "WithoutColours.p", 0, 1))

    def apply(self, img: np.ndarray, **params: object) -> np.ndarray:
        """Change an image, uint8 (H, W) or (H, W, C), to another of the same shape."""
        return img if img.ndim == 2 else as_channels(grey(img), img)


def grey(image: np.ndarray) -> np.ndarray:
    """Return the grey values, uint8 (H, W), of an image, uint8 (H, W) or (H, W, 3)."""
    return image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)


def as_channels(tones: np.ndarray, image: np.ndarray) -> np.ndarray:
    """Return grey values, uint8 (H, W), with as many channels as `image` has."""
    return tones.reshape(image.shape[:2]) if image.ndim == 2 else cv2.merge([tones] * image.shape[2])
