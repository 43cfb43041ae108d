"""What the transforms of a line have in common: their contract, the ranges of their keys, and what paper is."""

import inspect
import random
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable

import cv2
import numpy as np

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


Range = float | Sequence[float]
"""One number, whose meaning the key explains, or [least, most]."""


def either_side(value: Range, key: str, most: float) -> tuple[float, float]:
    """Return the bounds of a draw that goes to both sides: a number is the farthest, to the left as to the right.

    Raises `UserError` for what is no range within -`most` and `most`.
    """
    pair = _pair(value, key)
    low, high = (-abs(pair[0]), abs(pair[0])) if len(pair) == 1 else pair
    return _within(low, high, key, -most, most)


def up_to(value: Range, key: str, most: float) -> tuple[float, float]:
    """Return the bounds of a draw from 0 on: a number is the most. Raises `UserError` for what is no range within 0
    and `most`.
    """
    pair = _pair(value, key)
    low, high = (0.0, pair[0]) if len(pair) == 1 else pair
    return _within(low, high, key, 0.0, most)


def between(value: Range, key: str, least: float, most: float) -> tuple[float, float]:
    """Return the bounds of a draw; a number is drawn always. Raises `UserError` for what is no range within `least` and
    `most`.
    """
    pair = _pair(value, key)
    return _within(pair[0], pair[-1], key, least, most)


def number(value: float, key: str, least: float, most: float) -> float:
    """Return a number. Raises `UserError` for what is none within `least` and `most`."""
    if not _is_number(value) or not least <= value <= most:
        raise UserError(f"{key} is {value!r}; a number from {least:g} to {most:g} is needed")
    return value


def _pair(value: Range, key: str) -> tuple[float, ...]:
    values = (value,) if _is_number(value) else tuple(value) if isinstance(value, Sequence) else ()
    if len(values) not in (1, 2) or not all(map(_is_number, values)):
        raise UserError(f"{key} is {value!r}; a number or [least, most] is needed")
    return tuple(float(number) for number in values)  # type: ignore[arg-type]


def _within(low: float, high: float, key: str, least: float, most: float) -> tuple[float, float]:
    if not least <= low <= high <= most:
        raise UserError(f"{key} is [{low:g}, {high:g}]; a range from {least:g} to {most:g} is needed, the least first")
    return low, high


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


WHITE = 255
SAMPLED_ROWS = 16
"""Paper is judged by about so many rows of a line, which is enough and quick."""


def is_inverted(image: np.ndarray) -> bool:
    """Tell whether a line, uint8 (H, W) or (H, W, 3), is light writing on dark ground.

    It is where three quarters of the pixels lie nearer to the darkest than to the lightest.
    """
    sample = _rows(image)
    total = np.cumsum(cv2.calcHist([sample], [min(1, sample.ndim - 2)], None, [256], [0, 256]))
    dark, most, light = np.searchsorted(total, total[-1] * np.array((0.01, 0.75, 0.99)))
    return bool(most - dark < light - most)


def with_dark_ink(image: np.ndarray, vary: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Return `vary(image)` for a line as it is; light writing is turned dark for it, and back again."""
    return WHITE - vary(WHITE - image) if is_inverted(image) else vary(image)


def local_paper(image: np.ndarray) -> np.ndarray:
    """Return the paper's value in each column of a line, uint8 (W,) or (W, 3).

    In a column the paper is lighter than four fifths of the pixels, and no stretch as long as the line is high is all
    ink: the lightest column of it says what its paper is (all of this in reverse where writing is light). The values
    go over smoothly along the line.
    """
    inverted = is_inverted(image)
    sample = _rows(image)
    place = round((len(sample) - 1) * (0.2 if inverted else 0.8))
    levels = np.partition(sample, place, axis=0)[place]
    stretch = (image.shape[0] | 1, 1)
    extreme = (cv2.erode if inverted else cv2.dilate)(levels[None], np.ones(stretch[::-1], np.uint8))
    smooth = cv2.blur(extreme, stretch, borderType=cv2.BORDER_REPLICATE)
    return smooth.reshape(levels.shape)


def sheet_of_paper(image: np.ndarray) -> np.ndarray:
    """Return the line without its writing: its local paper in every row, uint8 of the same shape."""
    return np.array(np.broadcast_to(local_paper(image)[None], image.shape), order="C")


def darkness(image: np.ndarray) -> np.ndarray:
    """Return by how much a line of dark ink is darker than its paper, uint8 of the same shape."""
    return cv2.subtract(sheet_of_paper(image), image).reshape(image.shape)


def darkened(image: np.ndarray, by: np.ndarray) -> np.ndarray:
    """Return the line of dark ink with something under its writing that is darker than paper by `by`, uint8 of the same
    shape.
    """
    return cv2.min(image, cv2.subtract(sheet_of_paper(image), by)).reshape(image.shape)


def _rows(image: np.ndarray) -> np.ndarray:
    step = max(1, image.shape[0] // SAMPLED_ROWS)
    return image[step // 2 :: step]
