"""Degradations at named strengths, under which a trained model is scored, the same for each line in every run."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from uncial.data.augmentation.chain import Augmentation, build_augmentation
from uncial.data.augmentation.transform import Transform
from uncial.data.store.store import Store
from uncial.errors import UserError


class Degradation(Augmentation):
    """One kind of damage at several strengths: each of its transforms is one, by itself. A line of a training gets one
    of them, by a draw; a test scores each apart.
    """

    def __init__(self, transforms: Sequence[Transform] = (), levels: Sequence[str] = ()) -> None:
        """`levels` are the names of the transforms, in their order; without any they are numbered from 1. Raises
        `UserError` for names that are not as many, or not different.
        """
        super().__init__(transforms)
        self.levels = [str(level) for level in levels] or [str(number + 1) for number in range(len(self.transforms))]
        if len(self.levels) != len(self.transforms) or len(set(self.levels)) != len(self.levels):
            raise UserError(
                f"augmentation.levels is {list(levels)}; {len(self.transforms)} different names are needed, one for "
                "each of augmentation.transforms"
            )

    def __call__(self, image: np.ndarray, seed: int, epoch: int, index: int) -> np.ndarray:
        if not self.transforms:
            return image
        level = int(np.random.default_rng((seed, epoch, index, len(self.transforms))).integers(len(self.transforms)))
        return self.at_level(level)(image, seed, epoch, index)

    def at_level(self, level: int) -> Augmentation:
        """Return the augmentation that is the transform `level` alone, counted from 0."""
        return Augmentation([self.transforms[level]])


@dataclass(frozen=True)
class Condition:
    """What a model is scored under: the `name` of the augmentation, its `level` where it has several, and what is done
    to a line.
    """

    name: str
    level: str
    augmentation: Augmentation

    @property
    def label(self) -> str:
        return f"{self.name} {self.level}".rstrip()


def list_conditions(name: str, group: Mapping[str, Any], channels: int = 1) -> Iterator[Condition]:
    """Yield the conditions of an `augmentation` group in plain data; none where it leaves lines as they are.

    Raises `UserError` as `build_augmentation` does.
    """
    built = build_augmentation(group, channels)
    if isinstance(built, Degradation):
        for number, level in enumerate(built.levels):
            yield Condition(name, level, built.at_level(number))
    elif built.transforms:
        yield Condition(name, "", built)


class LineDegradation:
    """An augmentation as a function of the seed and the line alone: by its page and id, whatever else is in the store
    and in whichever row it stands.
    """

    def __init__(self, augmentation: Augmentation, store: Store) -> None:
        self.augmentation = augmentation
        names = zip(store.column("page"), store.column("line"), strict=True)
        self.numbers = np.array([_number_of(page, line) for page, line in names], dtype=np.uint64)

    def __call__(self, image: np.ndarray, seed: int, epoch: int, row: int) -> np.ndarray:
        return self.augmentation(image, seed, 0, int(self.numbers[row]))


def _number_of(page: str, line: str) -> int:
    digest = hashlib.blake2b(f"{page}\n{line}".encode("utf-8", "surrogatepass"), digest_size=8)
    return int.from_bytes(digest.digest(), "big")
