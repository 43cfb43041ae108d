"""The geometry of handwriting varied: slant, size, rotation and a smooth displacement in a single resampling."""

import albumentations
import cv2
import numpy as np

PAPER = 255


class LineWarp(albumentations.ImageOnlyTransform):
    """Warp a line image, keeping its shape.

    All motions are joined into one map, so the image is resampled once; the displacement is noise on a coarse grid,
    scaled up smoothly, which comes to the same as a blurred field (Simard et al., 2003) at a small part of its cost.
    What is slanted or rotated beyond the ends is brought back by narrowing the line, so that no writing is lost there.
    """

    def __init__(
        self,
        slant: float = 0.0,
        rotation: float = 0.0,
        size: tuple[float, float] = (1.0, 1.0),
        squeeze: float = 0.0,
        shift: float = 0.0,
        stretch: float = 0.0,
        elastic: float = 0.0,
        p: float = 1.0,
    ) -> None:
        """Each key is the bound of a uniform draw.

        `slant` and `rotation` are degrees to either side, `size` the range of the writing's height, `squeeze` the
        largest part of the width by which the line is narrowed, `shift` the largest part of the height by which it is
        raised or lowered. `stretch` is the largest local widening or narrowing, `elastic` the standard deviation of the
        displacement as a part of the height.
        """
        super().__init__(p=p)
        self.slant, self.rotation, self.size = slant, rotation, (float(size[0]), float(size[1]))
        self.squeeze, self.shift, self.stretch, self.elastic = squeeze, shift, stretch, elastic

    def apply(self, img: np.ndarray, **params: object) -> np.ndarray:
        """Warp an image, uint8 (H, W) or (H, W, C), to another of the same shape."""
        map_x, map_y = self.maps(img.shape[0], img.shape[1], self.random_generator)
        border = (PAPER,) * 3
        return cv2.remap(img, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=border)

    def maps(self, height: int, width: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Return where each pixel comes from: x and y, each float32 (H, W)."""
        draw = generator.uniform(-1.0, 1.0, 3)
        slope = np.tan(np.radians(draw[0] * self.slant))
        rotation = np.tan(np.radians(draw[1] * self.rotation))
        scale = generator.uniform(*self.size)
        narrow = 1.0 / (1.0 - generator.uniform(0.0, self.squeeze))
        x = np.arange(width, dtype=np.float32) - (width - 1) / 2
        y = (np.arange(height, dtype=np.float32) - (height - 1) / 2) / scale
        margin = abs(slope) * height / 2
        along = x * ((1.0 + 2 * margin / width) * narrow) + self._local_stretch(width, height, generator)
        along += (width - 1) / 2
        down = x * rotation + ((height - 1) / 2 + draw[2] * self.shift * height)
        map_x = along[None, :] + (slope * y)[:, None]
        map_y = y[:, None] + down[None, :]
        if self.elastic:
            map_x += self._displacement(height, width, generator)
            map_y += self._displacement(height, width, generator)
        return map_x.astype(np.float32, copy=False), map_y.astype(np.float32, copy=False)

    def _local_stretch(self, width: int, height: int, generator: np.random.Generator) -> np.ndarray:
        """Return a smooth displacement along the line whose slope stays within about `stretch`, float32 (W,)."""
        if not self.stretch:
            return np.zeros(width, np.float32)
        knots = max(2, round(width / (2 * height)) + 2)
        noise = generator.uniform(-1.0, 1.0, (1, knots)).astype(np.float32) * (self.stretch * height)
        return cv2.resize(noise, (width, 1), interpolation=cv2.INTER_CUBIC)[0]

    def _displacement(self, height: int, width: int, generator: np.random.Generator) -> np.ndarray:
        """Return smooth noise of standard deviation `elastic` times the height, float32 (H, W)."""
        cell = height / 3
        grid = (max(2, round(width / cell)) + 2, 5)
        noise = generator.standard_normal((grid[1], grid[0]), dtype=np.float32) * (self.elastic * height)
        return cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
