"""What the transforms of a line have in common, and what a chain asks of one."""

import inspect
import random
import sys
from abc import ABC, abstractmethod
from typing import Any, Protocol, runtime_checkable

import numpy as np

from uncial.data.augmentation.ranges import number
from uncial.errors import UserError


@runtime_checkable
class Transform(Protocol):
    """What a chain calls: a `LineTransform`, or a transform or composition of albumentations."""

    p: float

    def set_random_state(self, random_generator: np.random.Generator, py_random: random.Random) -> None:
        """Take the generators of the line that comes next."""

    def __call__(self, *, force_apply: bool = False, **data: Any) -> dict[str, Any]:
        """Return `data` with its `image` varied, by the transform's own `p` or always (`force_apply`)."""


class LineTransform(ABC):
    """A transform of a line image that is applied with the probability `p`. Subclasses define `apply(image) -> image`.

    What a transform draws comes from `self.random_generator` (NumPy's) or `self.py_random` (Python's) alone. The chain
    sets both before each line, as a function of the seed, the epoch and the line, and all transforms of a chain draw
    from the same two in turn: so a line looks the same in every process and after a training is resumed. A transform
    keeps nothing of one line for another.

    It is called as albumentations' transforms are, `transform(image=image)["image"]`, and albumentations' compositions
    (OneOf, SomeOf, Sequential …) take it as one of their own. Nothing here imports albumentations.
    """

    p: float = 1.0
    available_keys = frozenset({"image"})
    random_generator: np.random.Generator
    py_random: random.Random

    def __init__(self, p: float = 1.0) -> None:
        """`p` is from 0 (never) to 1 (every line). Raises `UserError` for what is no such number."""
        self.p = number(p, f"{type(self).__name__}.p", 0, 1)
        self.set_random_seed(None)
        register_with_albumentations()

    @abstractmethod
    def apply(self, image: np.ndarray) -> np.ndarray:
        """Return another image of the same shape and type; the one that is given stays as it is.

        It is uint8 (H, W), or (H, W, 3) where the model takes colours, contiguous, with dark ink on light paper unless
        a transform before has inverted it, and H is the model's `preprocessing.height` in pixels.
        """

    def set_random_state(self, random_generator: np.random.Generator, py_random: random.Random) -> None:
        """Draw from these generators from here on."""
        self.random_generator, self.py_random = random_generator, py_random

    def set_random_seed(self, seed: int | None) -> None:
        """Draw from new generators of this seed; None takes one from the system."""
        self.set_random_state(np.random.default_rng(seed), random.Random(seed))

    def should_apply(self) -> bool:
        """Draw whether this line is varied, by `p`."""
        return self.p >= 1 or (self.p > 0 and self.py_random.random() < self.p)

    def __call__(self, *, force_apply: bool = False, **data: Any) -> dict[str, Any]:
        """Return `data` with its `image` varied, or as it is where the draw says so; never where `p` is 0."""
        if self.should_apply() if not force_apply else self.p > 0:
            data["image"] = self.apply(np.ascontiguousarray(data["image"]))
        return data

    def to_dict_private(self) -> dict[str, Any]:
        """Return the keys that it was given, as albumentations shows them within its compositions."""
        names = inspect.signature(type(self)).parameters
        shown = {name: getattr(self, name) for name in names if hasattr(self, name)}
        return {"__class_fullname__": f"{type(self).__module__}.{type(self).__name__}", **shown}

    def __repr__(self) -> str:
        keys = (f"{key}={value!r}" for key, value in self.to_dict_private().items() if not key.startswith("__"))
        return f"{type(self).__name__}({', '.join(keys)})"


def register_with_albumentations() -> None:
    """Make every `LineTransform` a transform in albumentations' eyes: its compositions hand their generators on to no
    others. Where it is not imported there is no composition of it either.
    """
    albumentations = sys.modules.get("albumentations")
    if albumentations is not None:
        albumentations.ImageOnlyTransform.register(LineTransform)


def check_transforms(transforms: object, key: str) -> list[Transform]:
    """Return the transforms of a list. Raises `UserError` for what is no list of transforms; `key` names it."""
    if not isinstance(transforms, list | tuple):
        raise UserError(f"{key} is {transforms!r}; a list of transforms is needed")
    for transform in transforms:
        if not isinstance(transform, Transform) or isinstance(transform, type):
            raise UserError(
                f"{transform!r} is no transform; give each entry of {key} the _target_ of a class that derives from "
                "LineTransform or from a transform of albumentations"
            )
    return list(transforms)
