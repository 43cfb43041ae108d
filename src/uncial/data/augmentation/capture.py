"""How the line came to be an image: focus, noise, microfilm, compression, black and white, no colours."""

from collections.abc import Sequence

import cv2
import numpy as np

from uncial.data.augmentation.transform import (
    WHITE,
    LineTransform,
    Range,
    estimate_local_paper,
    parse_range,
    parse_range_from_zero,
    with_dark_ink,
)
from uncial.errors import UserError

MIN_CONTRAST = 48
"""Grey values that a line has to span, or there is no writing in it that could be told from the paper."""


class Defocus(LineTransform):
    """Blur the line by a part of its height, so that it means the same at every height of the model."""

    def __init__(self, sigma: Range = (0.001, 0.008), p: float = 1.0) -> None:
        """`sigma` is the range of the Gaussian's standard deviation as a part of the line's height."""
        super().__init__(p)
        self.sigma = parse_range_from_zero(sigma, "Defocus.sigma", 0.2)

    def apply(self, image: np.ndarray) -> np.ndarray:
        """Change an image, uint8 (H, W) or (H, W, C), to another of the same shape."""
        pixels = self.random_generator.uniform(*self.sigma) * image.shape[0]
        if pixels < 0.1:
            return image
        return cv2.GaussianBlur(image, (0, 0), pixels, borderType=cv2.BORDER_REPLICATE).reshape(image.shape)


class GaussianBlur(LineTransform):
    """Blur the line by some pixels, where `Defocus` blurs it by a part of its height.

    To the bit albumentations' transform of this name, with its keys and draws.
    """

    def __init__(self, blur_limit: int | Sequence[int] = 0, sigma_limit: Range = (0.4, 1.0), p: float = 1.0) -> None:
        """`sigma_limit` is the range of the Gaussian's standard deviation in pixels, a number its most. `blur_limit` is
        that of the kernel's size in pixels, of which even ones become odd; 0 takes what the standard deviation needs.
        """
        super().__init__(p)
        self.sigma_limit = parse_range_from_zero(sigma_limit, "GaussianBlur.sigma_limit", 100)
        smallest, largest = parse_range_from_zero(blur_limit, "GaussianBlur.blur_limit", 999)
        if smallest % 1 or largest % 1:
            raise UserError(f"GaussianBlur.blur_limit is {blur_limit!r}; whole pixels are needed")
        self.blur_limit = int(smallest), int(largest)

    def apply(self, image: np.ndarray) -> np.ndarray:
        """Change an image, uint8 (H, W) or (H, W, C), to another of the same shape."""
        sigma, size = self.py_random.uniform(*self.sigma_limit), self.py_random.randint(*self.blur_limit)
        reach = size // 2 if size else int(sigma * 3.5)
        if not reach or not sigma:
            return image
        kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
        kernel /= kernel.sum()
        return cv2.sepFilter2D(image, -1, kernel, kernel).reshape(image.shape)


class GaussNoise(LineTransform):
    """Add noise to each pixel and channel. To the bit albumentations' transform of this name, with its draws."""

    def __init__(self, std_range: Range = (0.01, 0.04), p: float = 1.0) -> None:
        """`std_range` is the range of the noise's standard deviation as a part of white, a number its most."""
        super().__init__(p)
        self.std_range = parse_range_from_zero(std_range, "GaussNoise.std_range", 1)

    def apply(self, image: np.ndarray) -> np.ndarray:
        """Change an image, uint8 (H, W) or (H, W, C), to another of the same shape."""
        deviation = self.py_random.uniform(*self.std_range)
        self.py_random.random()  # albumentations draws the mean, which is 0 here
        cv2.setRNGSeed(int(self.random_generator.integers(2**16)))
        channels = image.shape[2:] or (1,)
        noise = np.zeros(image.shape)
        cv2.randn(noise, np.zeros(channels, np.float32), np.full(channels, deviation, np.float32))
        whole = np.trunc(noise.astype(np.float32) * np.float32(WHITE))
        return np.clip(image + whole, 0, WHITE).astype(np.uint8)


class Microfilm(LineTransform):
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
        super().__init__(p)
        self.threshold = parse_range(threshold, "Microfilm.threshold", 0.05, 0.95)
        self.steepness = parse_range(steepness, "Microfilm.steepness", 0.1, 100)
        self.grain = parse_range_from_zero(grain, "Microfilm.grain", 0.5)

    def apply(self, image: np.ndarray) -> np.ndarray:
        """Change an image, uint8 (H, W) or (H, W, C), to another of the same shape."""
        return with_dark_ink(image, self._vary)

    def _vary(self, image: np.ndarray) -> np.ndarray:
        generator = self.random_generator
        threshold, steepness = generator.uniform(*self.threshold), generator.uniform(*self.steepness)
        tones = to_grey(image)
        paper = float(np.median(estimate_local_paper(tones)))
        ink = min(float(np.percentile(tones, 1)), paper - MIN_CONTRAST)
        light = np.clip((np.arange(256) - ink) / (paper - ink), 0.0, 1.0)
        curve, ends = (1.0 / (1.0 + np.exp((threshold - at) * steepness)) for at in (light, np.array((0.0, 1.0))))
        filmed = (255 * (curve - ends[0]) / (ends[1] - ends[0])).astype(np.float32)[tones]
        filmed += generator.standard_normal(filmed.shape, np.float32) * np.float32(255 * generator.uniform(*self.grain))
        return restore_channels(np.clip(np.rint(filmed), 0, 255).astype(np.uint8), image)


class JpegCompression(LineTransform):
    """Compress the line as a JPEG file, with its blocks and ringing."""

    def __init__(self, quality: Range = (30, 80), p: float = 1.0) -> None:
        """`quality` is the range of the file's quality, 1 to 100."""
        super().__init__(p)
        self.quality = parse_range(quality, "JpegCompression.quality", 1, 100)

    def apply(self, image: np.ndarray) -> np.ndarray:
        """Change an image, uint8 (H, W) or (H, W, C), to another of the same shape."""
        quality = round(self.random_generator.uniform(*self.quality))
        done, file = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
        if not done:  # A side beyond the 65,535 pixels of a JPEG file.
            return image
        how = cv2.IMREAD_GRAYSCALE if image.ndim == 2 or image.shape[2] == 1 else cv2.IMREAD_COLOR
        return np.asarray(cv2.imdecode(file, how), np.uint8).reshape(image.shape)


class BlackAndWhite(LineTransform):
    """Make every pixel black or white by Otsu's threshold (1979); a line without contrast stays as it is."""

    def apply(self, image: np.ndarray) -> np.ndarray:
        """Change an image, uint8 (H, W) or (H, W, C), to another of the same shape."""
        tones = to_grey(image)
        if int(tones.max()) - int(tones.min()) < MIN_CONTRAST:
            return image
        _, divided = cv2.threshold(tones, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
        return restore_channels(divided, image)


class WithoutColours(LineTransform):
    """Take the colours from a colour image; a grey one stays as it is."""

    def apply(self, image: np.ndarray) -> np.ndarray:
        """Change an image, uint8 (H, W) or (H, W, C), to another of the same shape."""
        return image if image.ndim == 2 else restore_channels(to_grey(image), image)


def to_grey(image: np.ndarray) -> np.ndarray:
    """Return the grey values, uint8 (H, W), of an image, uint8 (H, W) or (H, W, 3)."""
    return image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)


def restore_channels(tones: np.ndarray, image: np.ndarray) -> np.ndarray:
    """Return grey values, uint8 (H, W), with as many channels as `image` has."""
    return tones.reshape(image.shape[:2]) if image.ndim == 2 else cv2.merge([tones] * image.shape[2])


class Inversion(LineTransform):
    """Show the negative: light writing on a dark ground."""

    def apply(self, image: np.ndarray) -> np.ndarray:
        """Change an image, uint8 (H, W) or (H, W, C), to another of the same shape."""
        inverted: np.ndarray = 255 - image
        return inverted
