"""How training pages are varied, as a function of the seed, the epoch and the page.

A `PageAugmentation` draws the way of a page to its sheet, along which image and coordinates go alike, and then varies
the image as the transforms of lines do.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np

from uncial.data.augmentation.chain import Augmentation
from uncial.data.augmentation.transform import Range, Transform, parse_number, parse_range
from uncial.data.pages.warp import Bend, Warp
from uncial.errors import UserError

BEND_SIZE = 5.0
"""Interlines between two places at which the bend of a sheet is drawn."""


class PageWarp:
    """Draws how a page lies on its sheet."""

    def __init__(
        self,
        scale: Range = 1.0,
        rotation: float = 0.0,
        shear: float = 0.0,
        stretch: Range = 1.0,
        perspective: float = 0.0,
        elastic: float = 0.0,
        quarter_turns: float = 0.0,
        flip: float = 0.0,
        p: float = 1.0,
    ) -> None:
        """`scale` is the range of the factor on the size, drawn evenly in its logarithm, `stretch` that on the width
        alone. `rotation` and `shear` are the most degrees to either side. `perspective` is the part of the page by
        which a corner moves at most, `elastic` the standard deviation of the bend in interlines. `quarter_turns` and
        `flip` are the shares of pages that are turned by 90, 180 or 270 degrees and mirrored; `p` is that of those that
        are varied at all.
        """
        self.scale = parse_range(scale, "PageWarp.scale", 0.1, 10)
        self.stretch = parse_range(stretch, "PageWarp.stretch", 0.5, 2)
        self.rotation = parse_number(rotation, "PageWarp.rotation", 0, 180)
        self.shear = parse_number(shear, "PageWarp.shear", 0, 30)
        self.perspective = parse_number(perspective, "PageWarp.perspective", 0, 0.3)
        self.elastic = parse_number(elastic, "PageWarp.elastic", 0, 1)
        self.quarter_turns = parse_number(quarter_turns, "PageWarp.quarter_turns", 0, 1)
        self.flip = parse_number(flip, "PageWarp.flip", 0, 1)
        self.p = parse_number(p, "PageWarp.p", 0, 1)

    def draw(self, size: tuple[float, float], interline: float, factor: float, random: np.random.Generator) -> Warp:
        """Return how a page of `size` (width, height), whose lines are `interline` apart, lies on a sheet on which one
        of its pixels becomes `factor` but for what is drawn; its middle lies at the origin."""
        is_varied = random.random() < self.p
        draws = random.uniform(-1, 1, 8), random.random(4), random.standard_normal((64, 64, 2))
        if not is_varied:
            return _centred(size, np.diag([factor, factor, 1.0]), factor)
        sides, chances, noise = draws
        scale = factor * float(np.exp(np.interp(sides[0], [-1, 1], np.log(self.scale))))
        wide = float(np.exp(np.interp(sides[1], [-1, 1], np.log(self.stretch)) / 2))
        turn = np.radians(self.rotation * sides[2])
        if chances[0] < self.quarter_turns:
            turn += np.pi / 2 * (1 + int(chances[1] * 3))
        mirrored = bool(chances[2] < self.flip)
        rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        shear = np.array([[1.0, np.tan(np.radians(self.shear * sides[3]))], [0.0, 1.0]])
        linear = rotation @ shear @ np.diag([scale * wide * (-1 if mirrored else 1), scale / wide])
        matrix = np.eye(3)
        matrix[:2, :2] = linear
        extent = max(size) * scale
        matrix = _tilt(self.perspective * sides[4:6] * 2 / max(extent, 1.0)) @ matrix
        bend = self._bend(noise, extent, interline * scale) if self.elastic else None
        return _centred(size, matrix, scale, bend, mirrored)

    def _bend(self, noise: np.ndarray, extent: float, interline: float) -> Bend:
        count = int(np.clip(round(extent / (BEND_SIZE * interline)) + 2, 3, len(noise)))
        smooth = cv2.GaussianBlur(noise[:count, :count], (0, 0), 0.7)
        shifts = smooth / max(float(smooth.std()), 1e-6) * self.elastic * interline
        return Bend(shifts, -extent / 2, -extent / 2, (extent, extent))


def _tilt(tilt: np.ndarray) -> np.ndarray:
    matrix = np.eye(3)
    matrix[2, :2] = tilt
    return matrix


def _centred(
    size: tuple[float, float], matrix: np.ndarray, scale: float, bend: Bend | None = None, mirrored: bool = False
) -> Warp:
    centre = np.eye(3)
    centre[:2, 2] = -(size[0] - 1) / 2, -(size[1] - 1) / 2
    return Warp(matrix @ centre, scale, bend, mirrored)


class PageAugmentation:
    """Varies pages: `warp` says how a page lies on its sheet, `transforms` are applied to the image, each by its own
    `p`, as those of lines are (`uncial.data.augmentation.chain`)."""

    def __init__(self, warp: PageWarp | None = None, transforms: Sequence[Transform] = ()) -> None:
        self.warp = warp or PageWarp()
        if not isinstance(self.warp, PageWarp):
            raise UserError(
                f"augmentation.warp is {self.warp!r}; a PageWarp of uncial.data.augmentation.page is needed"
            )
        self.appearance = Augmentation(transforms)

    def __call__(self, image: np.ndarray, seed: int, epoch: int, index: int) -> np.ndarray:
        """Return the image of the page `index` as it is shown in this epoch, of the same size."""
        return self.appearance(image, seed, epoch, index)


def build_page_augmentation(group: Mapping[str, Any], channels: int = 1) -> PageAugmentation:
    """Build what an `augmentation` group describes in plain data. Raises `UserError` for what is none for pages."""
    from uncial.config.instantiate import instantiate_plain

    try:
        augmentation = instantiate_plain(group)
    except Exception as error:
        reason = str(error).strip().splitlines()[-1].rstrip(".") if str(error).strip() else type(error).__name__
        raise UserError(f"The augmentation cannot be built: {reason}; check the keys under 'augmentation'.") from error
    if isinstance(augmentation, Augmentation) and not augmentation.transforms:
        return PageAugmentation()
    if not isinstance(augmentation, PageAugmentation):
        raise UserError(
            "This augmentation is for lines: choose augmentation=page_light, page or page_strong, which vary pages, or "
            "none."
        )
    trial = np.full((96, 160) if channels == 1 else (96, 160, channels), 255, np.uint8)
    trial[20:80:12, 10:-10:9] = 0
    for number in range(3):
        augmentation(trial, 1, number, 0)
    return augmentation
