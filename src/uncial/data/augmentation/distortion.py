"""How a photograph or a cutter changes a line's outline: perspective, proportions, a cut edge, a bent sheet."""

import cv2
import numpy as np

from uncial.data.augmentation.background import sheet_of_paper
from uncial.data.augmentation.ranges import Range, between, number
from uncial.data.augmentation.resampling import resample
from uncial.data.augmentation.transform import LineTransform
from uncial.errors import UserError


class Perspective(LineTransform):
    """See the line from the side: each corner moves inwards, so that nothing leaves the image.

    As torchvision's `RandomPerspective`, which kraken uses, but with the line's own paper around it.
    """

    def __init__(self, distortion: float = 0.15, p: float = 1.0) -> None:
        """`distortion` is the part of half the width and half the height by which a corner moves inwards at most."""
        super().__init__(p)
        self.distortion = number(distortion, "Perspective.distortion", 0, 0.9)

    def apply(self, image: np.ndarray) -> np.ndarray:
        """Change an image, uint8 (H, W) or (H, W, C), to another of the same shape."""
        height, width = image.shape[:2]
        corners = np.array([[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]], np.float32)
        if min(height, width) < 2:
            return image
        inwards = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]]) * (width / 2, height / 2)
        moved = corners + inwards * self.random_generator.uniform(0.0, self.distortion, (4, 2))
        back = cv2.getPerspectiveTransform(moved.astype(np.float32), corners)
        x, y = np.arange(width)[None, :], np.arange(height)[:, None]
        across, down, depth = (a * x + (b * y + c) for a, b, c in back)
        return resample(image, (across / depth).astype(np.float32), (down / depth).astype(np.float32))


class Proportions(LineTransform):
    """Make the writing wider or narrower in relation to its height, inside an image that keeps its size.

    Loghi's `--aug_random_width` makes the image itself wider; here a wider line becomes lower by as much, so that the
    number of frames, and with it what CTC can learn from the line, stays.
    """

    def __init__(self, width: Range = (0.75, 1.25), p: float = 1.0) -> None:
        """`width` is the range of the factor on the width; the proportions are what it makes them."""
        super().__init__(p)
        self.width = between(width, "Proportions.width", 0.25, 4)

    def apply(self, image: np.ndarray) -> np.ndarray:
        """Change an image, uint8 (H, W) or (H, W, C), to another of the same shape."""
        factor = self.random_generator.uniform(*self.width)
        height, width = image.shape[:2]
        size = (max(1, round(width * min(1.0, factor))), max(1, round(height / max(1.0, factor))))
        sheet = sheet_of_paper(image)
        left, top = (width - size[0]) // 2, (height - size[1]) // 2
        smaller = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        sheet[top : top + size[1], left : left + size[0]] = smaller.reshape(size[::-1] + image.shape[2:])
        return sheet


class CutHeight(LineTransform):
    """Cut the line above and below, as a polygon that is too tight does, and bring what is left to the full height.

    Loghi's `--aug_random_crop`.
    """

    def __init__(self, kept: Range = (0.6, 1.0), p: float = 1.0) -> None:
        """`kept` is the range of the part of the height that is left; where it lies is drawn too."""
        super().__init__(p)
        self.kept = between(kept, "CutHeight.kept", 0.3, 1)

    def apply(self, image: np.ndarray) -> np.ndarray:
        """Change an image, uint8 (H, W) or (H, W, C), to another of the same shape."""
        height, width = image.shape[:2]
        rows = max(1, round(height * self.random_generator.uniform(*self.kept)))
        top = int(self.random_generator.integers(height - rows + 1))
        left_over = np.ascontiguousarray(image[top : top + rows])
        return cv2.resize(left_over, (width, height), interpolation=cv2.INTER_LINEAR).reshape(image.shape)


class Bend(LineTransform):
    """Bend the whole line softly: every point of a coarse grid is moved, and all between them with it.

    Loghi's `--aug_elastic_transform` (elasticdeform, a grid of 3 x 3, 5 pixels of 64). It moves whole words, where
    `LineWarp.elastic` changes the letters.
    """

    def __init__(self, deviation: float = 0.078, columns: int = 3, rows: int = 3, p: float = 1.0) -> None:
        """`deviation` is the standard deviation of a point's motion as a part of the height; the grid has `columns`
        times `rows` points, whatever the line's length.
        """
        super().__init__(p)
        self.deviation = number(deviation, "Bend.deviation", 0, 0.3)
        if min(columns, rows) < 2:
            raise UserError(f"Bend.columns is {columns} and Bend.rows {rows}; 2 or more are needed")
        self.grid = (int(rows), int(columns))

    def apply(self, image: np.ndarray) -> np.ndarray:
        """Change an image, uint8 (H, W) or (H, W, C), to another of the same shape."""
        height, width = image.shape[:2]
        moved = self.random_generator.standard_normal((2, *self.grid), dtype=np.float32) * (self.deviation * height)
        x, y = (cv2.resize(axis, (width, height), interpolation=cv2.INTER_CUBIC) for axis in moved)
        x += np.arange(width, dtype=np.float32)[None, :]
        y += np.arange(height, dtype=np.float32)[:, None]
        return resample(image, x, y)
