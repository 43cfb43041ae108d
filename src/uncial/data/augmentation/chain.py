"""How training lines are varied, as a function of the seed, the epoch and the line."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from uncial.data.augmentation.transform import LineTransform, Transform, check_transforms, register_with_albumentations
from uncial.errors import UserError

TRIAL_SIZE = (48, 160)
"""Height and width in pixels of the line on which transforms are tried out before a training."""


class Augmentation:
    """A chain of transforms, this program's and albumentations', that gives the same result for the same line in any
    process. Where none is albumentations', that is not imported.

    The transforms see the preprocessed line, uint8 (H, W) or (H, W, 3) with dark ink on 255, and keep its shape: the
    sampler has counted its pixels before, and what CTC can learn from a line depends on its width.
    """

    def __init__(self, transforms: Sequence[Transform] = ()) -> None:
        """`transforms` are applied in this order, each with its own probability `p`. Raises `UserError` for what is no
        list of transforms.
        """
        self.transforms = tuple(check_transforms(transforms, "augmentation.transforms"))
        register_with_albumentations()

    def __call__(self, image: np.ndarray, seed: int, epoch: int, index: int) -> np.ndarray:
        """Return the line `index` as it is shown in this epoch. Raises `UserError` where a transform changes the shape
        or type.
        """
        if not self.transforms:
            return image
        # One generator for the whole chain: with one each of the same seed all transforms would draw the same numbers,
        # and the rarer would come up only with the more frequent.
        generator = np.random.default_rng((seed, epoch, index))
        python = random.Random(int(generator.integers(2**63)))
        # The number that albumentations' Compose draws for a `p` of its own. Without it every line of a run that is
        # resumed or repeated would look different from before.
        python.random()
        data: dict[str, Any] = {"image": image}
        for transform in self.transforms:
            transform.set_random_state(generator, python)
            data = transform(**data)
        return _check_result(data["image"], image)


@dataclass(frozen=True)
class Single:
    """One transform of a config: `place` is its key, `label` its class and the keys that it is given, `augmentation`
    the transform by itself, applied to every line."""

    place: str
    label: str
    augmentation: Augmentation


def build_augmentation(group: Mapping[str, Any], channels: int = 1) -> Augmentation:
    """Build the chain that an `augmentation` group describes in plain data, for lines of so many channels.

    Raises `UserError` for a transform or key that does not exist, a value that cannot be, and a transform that cannot
    be applied to a line or changes its size: each is tried out.
    """
    augmentation = _instantiate_chain(group)
    for single in list_single_transforms(group):
        _try_out(single, channels)
    return augmentation


def list_single_transforms(group: Mapping[str, Any]) -> Iterator[Single]:
    """Yield each transform of an `augmentation` group in plain data, of groups those within; without any that never
    come up (`p` is 0)."""
    own = {key: value for key, value in group.items() if key != "levels"}  # which name all of the transforms
    for place, transform in _iterate_transforms(group.get("transforms") or (), "augmentation.transforms"):
        keys = [str(key) for key in transform if key not in ("_target_", "p")]
        label = " ".join([str(transform["_target_"]).rpartition(".")[2], *keys])
        alone = _instantiate_chain({**own, "transforms": [transform]})
        alone.transforms[0].p = 1.0
        yield Single(place, label, alone)


def _instantiate_chain(group: Mapping[str, Any]) -> Augmentation:
    # Imported here because Hydra is slow to import, and processes that load lines do without it.
    from uncial.config.instantiate import instantiate_plain

    try:
        augmentation = instantiate_plain(group)
    except Exception as error:
        reason = _shorten_reason(error)
        raise UserError(f"The augmentation cannot be built: {reason}; check the keys under 'augmentation'.") from error
    if type(augmentation).__name__ == "PageAugmentation":
        raise UserError(
            "This augmentation is for pages: choose augmentation=light, default or strong, which vary lines, or none."
        )
    if not isinstance(augmentation, Augmentation):
        raise UserError(
            f"The augmentation is a {type(augmentation).__name__}, not a chain of transforms; "
            "begin its file as those in conf/augmentation do."
        )
    return augmentation


def _iterate_transforms(transforms: Sequence[Mapping[str, Any]], place: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for index, transform in enumerate(transforms):
        here = f"{place}.{index}"
        if transform.get("p", 1) == 0:
            continue
        if "transforms" in transform:
            yield from _iterate_transforms(transform["transforms"], f"{here}.transforms")
        else:
            yield here, transform


def _try_out(single: Single, channels: int) -> None:
    line = np.full(TRIAL_SIZE, 255, np.uint8)
    line[12:36, 8:-8:12] = 0
    line = line if channels == 1 else np.repeat(line[:, :, None], channels, axis=2)
    try:
        single.augmentation(line, seed=1, epoch=0, index=0)
    except UserError as error:
        raise UserError(f"{single.place}: {error}") from error
    except Exception as error:
        reason = _shorten_reason(error)
        raise UserError(
            f"{single.place} ({single.label}) cannot be applied to a line of {channels} channels: {reason}; "
            "take it out of 'augmentation.transforms'."
        ) from error


def _check_result(result: Any, image: np.ndarray) -> np.ndarray:
    if not isinstance(result, np.ndarray) or (result.shape, result.dtype) != (image.shape, image.dtype):
        told = f"{result.dtype} {result.shape}" if isinstance(result, np.ndarray) else type(result).__name__
        raise UserError(
            f"The augmentation turns {image.dtype} {image.shape} into {told}; "
            "take out of 'augmentation.transforms' what changes the size or type of an image."
        )
    return np.ascontiguousarray(result)


def _shorten_reason(error: BaseException) -> str:
    """Return the first lines of a message, without the address of a page that explains it."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip() and "http" not in line]
    return (": ".join(lines[:3]) or type(error).__name__).rstrip(".")


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
