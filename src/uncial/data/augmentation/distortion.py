"""Changes of a line's geometry: slant, size, rotation, displacement, perspective, proportions, cut edge, bent sheet."""

import cv2
import numpy as np

from uncial.data.augmentation.transform import (
    LineTransform,
    Range,
    between,
    either_side,
    local_paper,
    number,
    sheet_of_paper,
    up_to,
)
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


LARGEST_RISE = 0.125
"""The ends of a rotated line move by no more than this part of its height, however long it is."""


class LineWarp(LineTransform):
    """Warp a line image, keeping its shape.

    All motions are joined into one map, so the image is resampled once; the displacement is noise on a coarse grid,
    scaled up smoothly, which comes to the same as a blurred field (Simard et al., 2003) at a small part of its cost.
    What is slanted or moved beyond the ends is brought back by narrowing the line, so that no writing is lost there.
    """

    def __init__(
        self,
        slant: Range = 0.0,
        rotation: Range = 0.0,
        size: Range = (1.0, 1.0),
        squeeze: Range = 0.0,
        shift: Range = 0.0,
        slide: Range = 0.0,
        stretch: float = 0.0,
        elastic: float = 0.0,
        p: float = 1.0,
    ) -> None:
        """Each key is the range of a uniform draw; a number is its bound.

        `slant` and `rotation` are degrees to either side, positive ones to the right and clockwise; `size` is the range
        of the writing's height, `squeeze` the part of the width by which the line is narrowed, `shift` the part of the
        height by which it is lowered or raised, `slide` the part of the width by which it is moved along. `stretch` is
        the largest local widening or narrowing, `elastic` the standard deviation of the displacement as a part of the
        height. Raises `UserError` for a range that cannot be.
        """
        super().__init__(p)
        self.slant, self.rotation = (
            either_side(slant, "LineWarp.slant", 60),
            either_side(rotation, "LineWarp.rotation", 45),
        )
        self.size, self.squeeze = between(size, "LineWarp.size", 0.2, 2), up_to(squeeze, "LineWarp.squeeze", 0.8)
        self.shift, self.slide = either_side(shift, "LineWarp.shift", 0.5), either_side(slide, "LineWarp.slide", 0.4)
        self.stretch, self.elastic = (
            number(stretch, "LineWarp.stretch", 0, 1),
            number(elastic, "LineWarp.elastic", 0, 1),
        )

    def apply(self, image: np.ndarray) -> np.ndarray:
        """Warp an image, uint8 (H, W) or (H, W, C), to another of the same shape."""
        return resample(image, *self.maps(image.shape[0], image.shape[1], self.random_generator))

    def maps(self, height: int, width: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Return where each pixel comes from: x and y, each float32 (H, W)."""
        slope = np.tan(np.radians(generator.uniform(*self.slant)))
        steepest = 2 * LARGEST_RISE * height / width
        rotation = np.clip(np.tan(np.radians(generator.uniform(*self.rotation))), -steepest, steepest)
        shift = generator.uniform(*self.shift)
        scale = generator.uniform(*self.size)
        narrow = 1.0 / (1.0 - generator.uniform(*self.squeeze))
        slide = generator.uniform(*self.slide)
        x = np.arange(width, dtype=np.float32) - (width - 1) / 2
        y = (np.arange(height, dtype=np.float32) - (height - 1) / 2) / scale
        margin = abs(slope) * height / 2 + abs(slide) * width
        along = x * ((1.0 + 2 * margin / width) * narrow) + self._local_stretch(width, height, generator)
        along += (width - 1) / 2 - slide * width
        down = (height - 1) / 2 - shift * height - x * rotation
        map_x = along[None, :] + (slope * y)[:, None]
        map_y = y[:, None] + down[None, :]
        if self.elastic:
            map_x += displacement(height, width, self.elastic * height, generator)
            map_y += displacement(height, width, self.elastic * height, generator)
        return map_x.astype(np.float32, copy=False), map_y.astype(np.float32, copy=False)

    def _local_stretch(self, width: int, height: int, generator: np.random.Generator) -> np.ndarray:
        """Return a smooth displacement along the line whose slope stays within about `stretch`, float32 (W,)."""
        if not self.stretch:
            return np.zeros(width, np.float32)
        knots = max(2, round(width / (2 * height)) + 2)
        noise = generator.uniform(-1.0, 1.0, (1, knots)).astype(np.float32) * (self.stretch * height)
        return cv2.resize(noise, (width, 1), interpolation=cv2.INTER_CUBIC)[0]


def displacement(height: int, width: int, deviation: float, generator: np.random.Generator) -> np.ndarray:
    """Return smooth noise of a standard deviation in pixels, float32 (H, W), whose hills are a third of a line high."""
    cell = height / 3
    grid = (max(2, round(width / cell)) + 2, 5)
    noise = generator.standard_normal((grid[1], grid[0]), dtype=np.float32) * deviation
    return cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)


LARGEST = 2**15 - 2
"""OpenCV's remap takes no image with more rows or columns."""


def resample(image: np.ndarray, map_x: np.ndarray, map_y: np.ndarray) -> np.ndarray:
    """Return the line, uint8 (H, W) or (H, W, 3), whose pixel (y, x) is that at (map_y, map_x), float32 (H, W) each.

    What comes from outside the image is the local paper.
    """
    paper = local_paper(image)
    if (paper == paper[0]).all():
        return _remapped(image, map_x, map_y, np.atleast_1d(paper[0]).tolist())
    # What differs from the paper is moved; where nothing comes from, nothing differs.
    moved = _remapped(image.astype(np.int16) - paper, map_x, map_y, [0] * 3)
    return np.clip(moved + paper, 0, 255).astype(np.uint8)


def _remapped(image: np.ndarray, map_x: np.ndarray, map_y: np.ndarray, border: list[int]) -> np.ndarray:
    """cv2.remap for images of any width, piece by piece where it is too wide for it."""
    width = image.shape[1]
    if width <= LARGEST:
        return _moved(image, map_x, map_y, border)
    pieces = []
    for start in range(0, width, LARGEST // 4):
        columns = slice(start, start + LARGEST // 4)
        left = int(np.clip(np.floor(map_x[:, columns].min()) - 1, 0, width - 1))
        right = int(np.clip(np.ceil(map_x[:, columns].max()) + 2, left + 1, min(width, left + LARGEST)))
        pieces.append(_moved(image[:, left:right], map_x[:, columns] - left, map_y[:, columns], border))
    return np.concatenate(pieces, axis=1)


def _moved(source: np.ndarray, map_x: np.ndarray, map_y: np.ndarray, border: list[int]) -> np.ndarray:
    moved = cv2.remap(source, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=border)
    return np.asarray(moved).reshape(map_x.shape + source.shape[2:])
