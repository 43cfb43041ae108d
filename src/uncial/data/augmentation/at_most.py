"""Several transforms of which a line gets only a few."""

import random
from collections.abc import Sequence

import numpy as np

from uncial.data.augmentation.transform import LineTransform, Transform, check_transforms
from uncial.errors import UserError


class AtMost(LineTransform):
    """Each transform comes up by its own `p`; where more than `count` do, a draw decides which of them are applied.

    With all of them a line would soon be illegible. The order stays. So kraken 7 does it (`DefaultAugmenter`).
    """

    def __init__(self, count: int, transforms: Sequence[Transform], p: float = 1.0) -> None:
        """`p` is the share of the lines that are varied at all, by whatever comes up."""
        self.transforms = check_transforms(transforms, "AtMost.transforms")
        super().__init__(p)
        if not isinstance(count, int) or count < 1:
            raise UserError(f"AtMost.count is {count!r}; 1 or more transforms are possible")
        self.count = count

    def set_random_state(self, random_generator: np.random.Generator, py_random: random.Random) -> None:
        """Draw from these generators from here on, with all transforms within."""
        super().set_random_state(random_generator, py_random)
        for transform in self.transforms:
            transform.set_random_state(random_generator, py_random)

    def should_apply(self) -> bool:
        """Draw whether this line is varied; a number is drawn at any `p`, as by albumentations' compositions."""
        return self.py_random.random() < self.p

    def apply(self, image: np.ndarray) -> np.ndarray:
        """Change an image, uint8 (H, W) or (H, W, C), to another of the same shape."""
        chosen = [transform for transform in self.transforms if self.py_random.random() < transform.p]
        if len(chosen) > self.count:
            kept = set(self.py_random.sample(range(len(chosen)), self.count))
            chosen = [transform for place, transform in enumerate(chosen) if place in kept]
        for transform in chosen:
            image = transform(force_apply=True, image=image)["image"]
        return image
