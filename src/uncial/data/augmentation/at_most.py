"""Several transforms of which a line gets only a few."""

from collections.abc import Sequence
from typing import Any

import albumentations

from uncial.data.augmentation.ranges import number
from uncial.errors import UserError


class AtMost(albumentations.BaseCompose):
    """Each transform comes up by its own `p`; where more than `count` do, a draw decides which of them are applied.

    With all of them a line would soon be illegible. The order stays. So kraken 7 does it (`DefaultAugmenter`).
    """

    def __init__(self, count: int, transforms: Sequence[Any], p: float = 1.0) -> None:
        """`p` is the share of the lines that are varied at all, by whatever comes up."""
        super().__init__(transforms=list(transforms), p=number(p, "AtMost.p", 0, 1))
        if not isinstance(count, int) or count < 1:
            raise UserError(f"AtMost.count is {count!r}; 1 or more transforms are possible")
        self.count = count

    def __call__(self, *args: Any, force_apply: bool = False, **data: Any) -> dict[str, Any]:
        """Vary `image`, uint8 (H, W) or (H, W, 3), in the dictionary that albumentations hands on."""
        if not force_apply and self.py_random.random() >= self.p:
            return data
        chosen = [transform for transform in self.transforms if self.py_random.random() < transform.p]
        if len(chosen) > self.count:
            kept = set(self.py_random.sample(range(len(chosen)), self.count))
            chosen = [transform for place, transform in enumerate(chosen) if place in kept]
        for transform in chosen:
            data = transform(force_apply=True, **data)
        return data
