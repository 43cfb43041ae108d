"""How training lines are varied, as a function of the seed, the epoch and the line."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from uncial.errors import UserError

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # before the import: it asks the network for a newer version


class Augmentation:
    """A chain of albumentations' transforms that gives the same result for the same line in any process.

    The transforms see the preprocessed line, uint8 (H, W) or (H, W, 3) with dark ink on 255, and keep its shape: the
    sampler has counted its pixels before.
    """

    def __init__(self, transforms: Sequence[Any] = ()) -> None:
        """`transforms` are applied in this order, each with its own probability `p`."""
        import albumentations

        self._chain = albumentations.Compose(list(transforms)) if transforms else None

    def __call__(self, image: np.ndarray, seed: int, epoch: int, index: int) -> np.ndarray:
        """Return the line `index` as it is shown in this epoch. Raises `UserError` where a transform changes the shape
        or type.
        """
        if self._chain is None:
            return image
        self._chain.set_random_seed(int(np.random.SeedSequence((seed, epoch, index)).generate_state(1)[0]))
        result = self._chain(image=image)["image"]
        if result.shape != image.shape or result.dtype != image.dtype:
            raise UserError(
                f"The augmentation turns {image.dtype} {image.shape} into {result.dtype} {result.shape}; "
                "take out of 'augmentation.transforms' what changes the size or type of an image."
            )
        return np.ascontiguousarray(result)


def build_augmentation(config: Mapping[str, Any]) -> Augmentation:
    """Make what a composed `augmentation` config describes. Raises `UserError` for a transform or key that does not
    exist.
    """
    from hydra.errors import InstantiationException
    from hydra.utils import instantiate

    try:
        return instantiate(config, _convert_="all")
    except InstantiationException as error:
        cause = error.__cause__ or error
        reason = (str(cause).strip().splitlines() or [type(cause).__name__])[0].rstrip(".")
        raise UserError(f"The augmentation cannot be built: {reason}; check the keys under 'augmentation'.") from error
