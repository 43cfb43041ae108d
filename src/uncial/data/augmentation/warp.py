"""The geometry of handwriting varied: slant, size, rotation and a smooth displacement in a single resampling."""

import cv2
import numpy as np

from uncial.data.augmentation.ranges import Range, between, either_side, number, up_to
from uncial.data.augmentation.resampling import resample
from uncial.data.augmentation.transform import LineTransform

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
