"""What the page adds to a line or hides of it: other writing, ruling, the fall of the light, patches of paper."""

import cv2
import numpy as np

from uncial.data.augmentation.transform import (
    LineTransform,
    Range,
    between,
    darkened,
    darkness,
    number,
    sheet_of_paper,
    up_to,
    with_dark_ink,
)
from uncial.errors import UserError


class ShowThrough(LineTransform):
    """Let writing from the back of the leaf show through: mirrored, blurred, moved, and fainter than the ink.

    The line itself stands for the back (as in kraken 7's `DefaultAugmenter`).
    """

    def __init__(self, strength: Range = (0.08, 0.25), p: float = 1.0) -> None:
        """`strength` is the range of its darkness as a part of that of the ink."""
        super().__init__(p)
        self.strength = up_to(strength, "ShowThrough.strength", 0.8)

    def apply(self, image: np.ndarray) -> np.ndarray:
        """Change an image, uint8 (H, W) or (H, W, C), to another of the same shape."""
        return with_dark_ink(image, self._vary)

    def _vary(self, image: np.ndarray) -> np.ndarray:
        generator = self.random_generator
        height, width = image.shape[:2]
        back = cv2.blur(darkness(image)[:, ::-1], (max(1, round(0.042 * height)),) * 2).reshape(image.shape)
        back = np.roll(back, int(generator.integers(width)), axis=1)
        back = lowered(back, round(generator.uniform(-1 / 6, 1 / 6) * height))
        return darkened(image, (back * generator.uniform(*self.strength)).astype(np.uint8))


class NeighbouringLines(LineTransform):
    """Let the descenders of the line above or the ascenders of the line below reach into the strip.

    The line itself stands for its neighbours (kraken 7's `DefaultAugmenter` calls it intrusion).
    """

    def __init__(self, reach: Range = (0.08, 0.22), p: float = 1.0) -> None:
        """`reach` is the range of how far they reach in, as a part of the height."""
        super().__init__(p)
        self.reach = up_to(reach, "NeighbouringLines.reach", 0.5)

    def apply(self, image: np.ndarray) -> np.ndarray:
        """Change an image, uint8 (H, W) or (H, W, C), to another of the same shape."""
        return with_dark_ink(image, self._vary)

    def _vary(self, image: np.ndarray) -> np.ndarray:
        generator = self.random_generator
        above, below = ((True, False), (False, True), (True, True))[int(generator.integers(3))]
        own = darkness(image)
        ink = np.zeros_like(own)
        for is_there, sign in ((above, 1), (below, -1)):
            if not is_there:
                continue
            distance = sign * round(generator.uniform(0.65, 0.9) * own.shape[0])
            band = round(generator.uniform(*self.reach) * own.shape[0])
            other = lowered(np.roll(own, int(generator.integers(own.shape[1])), axis=1), distance, around=True)
            rows = slice(0, band) if sign > 0 else slice(own.shape[0] - band, None)
            ink[rows] = other[rows]
        return darkened(image, ink)


class Ruling(LineTransform):
    """Draw faint ruling along the line, almost level, at any height."""

    def __init__(
        self, lines: int = 2, strength: Range = (0.1, 0.3), width: Range = (0.017, 0.033), p: float = 1.0
    ) -> None:
        """Draw 1 to `lines` rules; `strength` is the range of their darkness as a part of black, `width` that of their
        width as a part of the line's height.
        """
        super().__init__(p)
        if not isinstance(lines, int) or lines < 1:
            raise UserError(f"Ruling.lines is {lines!r}; 1 or more is possible")
        self.lines, self.strength = lines, up_to(strength, "Ruling.strength", 0.8)
        self.width = up_to(width, "Ruling.width", 0.2)

    def apply(self, image: np.ndarray) -> np.ndarray:
        """Change an image, uint8 (H, W) or (H, W, C), to another of the same shape."""
        return with_dark_ink(image, self._vary)

    def _vary(self, image: np.ndarray) -> np.ndarray:
        generator = self.random_generator
        height, width = image.shape[:2]
        rows = np.arange(height, dtype=np.float32)[:, None]
        rules = np.zeros((height, width), np.float32)
        for _ in range(int(generator.integers(1, self.lines + 1))):
            drop = generator.uniform(-0.017, 0.017) * height
            middle = np.linspace(0, drop, width, dtype=np.float32) + np.float32(generator.uniform(0, height - 1))
            half = max(0.5, generator.uniform(*self.width) * height / 2)
            covered = np.clip(half + 0.5 - np.abs(rows - middle), 0.0, 1.0)
            rules = np.maximum(rules, covered * np.float32(255 * generator.uniform(*self.strength)))
        black = rules.astype(np.uint8)
        return darkened(image, black if image.ndim == 2 else cv2.merge([black] * image.shape[2]))


class Shading(LineTransform):
    """Let the light fall unevenly, as in a fold, a gutter or a photograph: paper and ink become darker by places."""

    def __init__(self, strength: Range = (0.1, 0.35), length: float = 1.6, p: float = 1.0) -> None:
        """`strength` is the range of the largest part of the light that is missing, `length` how long a shadow is, in
        heights of the line.
        """
        super().__init__(p)
        self.strength = up_to(strength, "Shading.strength", 0.8)
        self.length = number(length, "Shading.length", 0.1, 1000)

    def apply(self, image: np.ndarray) -> np.ndarray:
        """Change an image, uint8 (H, W) or (H, W, C), to another of the same shape."""
        generator = self.random_generator
        height, width = image.shape[:2]
        missing = generator.random((2, max(2, int(width / (self.length * height)) + 2)), dtype=np.float32)
        at_points = 1.0 - missing * np.float32(generator.uniform(*self.strength))
        light = cv2.resize(at_points, (width, height), interpolation=cv2.INTER_LINEAR)
        return np.rint(image * (light if image.ndim == 2 else light[:, :, None])).astype(np.uint8)


def lowered(image: np.ndarray, rows: int, around: bool = False) -> np.ndarray:
    """Return an image moved down by some rows: what leaves it comes in `around` the other edge, or nothing."""
    rows = int(np.clip(rows, -image.shape[0], image.shape[0]))
    moved = np.roll(image, rows, axis=0)
    if not around:
        moved[: max(0, rows)] = 0
        moved[image.shape[0] + min(0, rows) :] = 0
    return moved


class PaperSpans(LineTransform):
    """Hide short stretches of the line behind paper, so that the model learns to read on from what is left of a
    character.

    After the span masks of Li et al., HTR-VT, 2024.
    """

    def __init__(self, count: int = 3, width: float = 0.2, p: float = 1.0) -> None:
        """Hide 1 to `count` spans, each at most `width` times the line's height wide, together no more than half of the
        line.
        """
        super().__init__(p)
        self.count, self.width = _counted(count, "PaperSpans.count"), number(width, "PaperSpans.width", 0, 10)

    def apply(self, image: np.ndarray) -> np.ndarray:
        """Change an image, uint8 (H, W) or (H, W, C), to another of the same shape."""
        generator = self.random_generator
        paper, result = sheet_of_paper(image), image.copy()
        spans = int(generator.integers(1, self.count + 1))
        for _ in range(spans):
            wide = round(generator.uniform(0.3, 1.0) * self.width * image.shape[0])
            wide = min(wide, image.shape[1] // (2 * spans))
            start = int(generator.integers(max(1, image.shape[1] - wide)))
            result[:, start : start + wide] = paper[:, start : start + wide]
        return result


class PaperPatches(LineTransform):
    """Hide rectangles of the line behind paper (random erasing: Zhong et al., 2017)."""

    def __init__(self, share: Range = (0.01, 0.08), ratio: Range = (0.3, 3.3), count: int = 1, p: float = 1.0) -> None:
        """`share` is the range of the part of the image that each of `count` patches covers, `ratio` that of its height
        to its width. A patch that would be higher than the line becomes wider instead.
        """
        super().__init__(p)
        self.share, self.ratio = (
            up_to(share, "PaperPatches.share", 0.5),
            between(ratio, "PaperPatches.ratio", 0.01, 100),
        )
        self.count = _counted(count, "PaperPatches.count")

    def apply(self, image: np.ndarray) -> np.ndarray:
        """Change an image, uint8 (H, W) or (H, W, C), to another of the same shape."""
        generator = self.random_generator
        paper, result = sheet_of_paper(image), image.copy()
        height, width = image.shape[:2]
        for _ in range(self.count):
            area = generator.uniform(*self.share) * height * width
            ratio = np.exp(generator.uniform(*np.log(self.ratio)))
            rows = float(np.clip(np.sqrt(area * ratio), area / width, height))
            high, wide = round(rows), round(area / rows) if rows else 0
            top = int(generator.integers(height - high + 1))
            left = int(generator.integers(width - min(wide, width) + 1))
            place = np.s_[top : top + high, left : left + wide]
            result[place] = paper[place]
        return result


def _counted(count: int, key: str) -> int:
    if not isinstance(count, int) or count < 1:
        raise UserError(f"{key} is {count!r}; 1 or more is possible")
    return count
