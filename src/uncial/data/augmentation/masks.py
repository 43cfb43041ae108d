"""What hides the writing: strips and patches of paper, as over holes, stains and repairs."""

import numpy as np

from uncial.data.augmentation.background import sheet_of_paper
from uncial.data.augmentation.ranges import Range, between, number, up_to
from uncial.data.augmentation.transform import LineTransform
from uncial.errors import UserError


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
