"""What the shipped groups draw and how they change a line: as it has always been, so that runs resume and repeat to the
bit, and as albumentations' own chain would have it.
"""

import hashlib
import json
import random
from pathlib import Path
from typing import Any

import albumentations
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from uncial.data.augmentation import capture
from uncial.data.augmentation.chain import AtMost, Augmentation, build_augmentation

CONF = Path(__file__).parents[2] / "conf" / "augmentation"
RECORDED = Path(__file__).with_name("augmentation_stream.json")
"""What commit 5f785f7 drew, whose transforms all were albumentations'."""

SEED, LINES = 19, 120
GROUPS = [
    (name, channels)
    for name in ("default", "kraken", "light", "loghi", "none", "strong", "thulium")
    for channels in (1, 3)
]


class Probe(albumentations.ImageOnlyTransform):
    """Changes nothing and notes what both generators draw next."""

    def __init__(self) -> None:
        super().__init__(p=1.0)
        self.drawn: list[float] = []

    def apply(self, img: np.ndarray, **params: object) -> np.ndarray:
        self.drawn += [self.random_generator.random(), self.py_random.random()]
        return img


class Wrapped(albumentations.ImageOnlyTransform):
    """One of our transforms as albumentations' base class would call it."""

    def __init__(self, ours: Any) -> None:
        super().__init__(p=ours.p)
        self.ours = ours

    def apply(self, img: np.ndarray, **params: object) -> np.ndarray:
        self.ours.set_random_state(self.random_generator, self.py_random)
        return self.ours.apply(img)


class WrappedAtMost(albumentations.BaseCompose):
    """`AtMost` as a composition of albumentations."""

    def __init__(self, ours: AtMost) -> None:
        super().__init__(transforms=[as_albumentations(transform) for transform in ours.transforms], p=ours.p)
        self.count = ours.count

    def __call__(self, *args: Any, force_apply: bool = False, **data: Any) -> dict[str, Any]:
        if not force_apply and self.py_random.random() >= self.p:
            return data
        chosen = [transform for transform in self.transforms if self.py_random.random() < transform.p]
        if len(chosen) > self.count:
            kept = set(self.py_random.sample(range(len(chosen)), self.count))
            chosen = [transform for place, transform in enumerate(chosen) if place in kept]
        for transform in chosen:
            data = transform(force_apply=True, **data)
        return data


def as_albumentations(transform: Any) -> Any:
    """The same transform with nothing of our base class in how it is called and seeded."""
    if isinstance(transform, AtMost):
        return WrappedAtMost(transform)
    if isinstance(transform, capture.GaussianBlur):
        return albumentations.GaussianBlur(transform.blur_limit, transform.sigma_limit, p=transform.p)
    if isinstance(transform, capture.GaussNoise):
        return albumentations.GaussNoise(transform.std_range, p=transform.p)
    if type(transform).__module__.startswith("uncial."):
        return Wrapped(transform)
    if isinstance(transform, albumentations.BaseCompose):
        transform.transforms = [as_albumentations(one) for one in transform.transforms]
    return transform


def written_line(channels: int) -> np.ndarray:
    """Strokes of several widths and tones on paper with some grain, uint8 (40, 220[, 3])."""
    generator = np.random.default_rng(7)
    image = np.full((40, 220), 235, np.int64)
    for x in range(12, 208, 9):
        top, bottom, width, tone = generator.integers((4, 24, 2, 5), (14, 36, 5, 90))
        image[top:bottom, x : x + width] = tone
    grey = np.clip(image + generator.integers(-6, 7, image.shape), 0, 255).astype(np.uint8)
    return grey if channels == 1 else np.stack([grey, np.minimum(grey, 247) + 8, grey // 8 * 7], axis=2)


def varied(augmentation: Augmentation, channels: int) -> list[np.ndarray]:
    return [augmentation(written_line(channels), SEED, index // 40, index) for index in range(LINES)]


def record(folder: Path, name: str, channels: int) -> dict[str, Any]:
    """What the generators come to after each line, as a checksum, and the mean grey value of each of twelve lines.

    Grey values alone would not do: OpenCV rounds some differently with other instructions of the processor.
    """
    built = build_augmentation(OmegaConf.load(folder / f"{name}.yaml"), channels)
    probe = Probe()
    lines = varied(Augmentation([*built.transforms, probe]), channels)
    checksum = hashlib.sha256(np.array(probe.drawn).tobytes()).hexdigest()
    return {"draws": checksum, "means": [round(float(line.mean()), 1) for line in lines[:12]]}


@pytest.mark.parametrize(("name", "channels"), GROUPS)
def test_a_group_draws_and_shows_what_it_did(name, channels):
    found, recorded = record(CONF, name, channels), json.loads(RECORDED.read_text())[f"{name}/{channels}"]
    assert found["draws"] == recorded["draws"]
    assert np.allclose(found["means"], recorded["means"], atol=0.2)


def test_each_shipped_group_has_a_record():
    assert {name for name, _ in GROUPS} == {
        file.stem for file in CONF.glob("*.yaml") if not file.stem.startswith("page")
    }


@pytest.mark.parametrize(("name", "channels"), GROUPS)
def test_a_chain_is_to_the_bit_what_albumentations_would_make_of_it(name, channels):
    ours = build_augmentation(OmegaConf.load(CONF / f"{name}.yaml"), channels)
    found = varied(ours, channels)
    reference = albumentations.Compose([as_albumentations(transform) for transform in ours.transforms])
    for index, image in enumerate(found):
        generator = np.random.default_rng((SEED, index // 40, index))
        reference.set_random_state(generator, random.Random(int(generator.integers(2**63))))
        assert np.array_equal(image, reference(image=written_line(channels))["image"])


def same_as_albumentations(ours: Any, theirs: Any, image: np.ndarray, seed: int) -> None:
    results = []
    for transform in (ours, theirs):
        generators = np.random.default_rng(seed), random.Random(seed)
        transform.set_random_state(*generators)
        results.append((transform(image=image)["image"], [generator.random() for generator in generators]))
    (image, drawn), (expected, expected_drawn) = results
    assert image.shape == expected.shape
    assert image.dtype == expected.dtype
    assert np.array_equal(image, expected)
    assert drawn == expected_drawn


IMAGES = st.builds(
    lambda height, width, channels, seed: np.random.default_rng(seed).integers(
        0, 256, (height, width, channels)[: 2 if channels == 1 else 3], dtype=np.uint8
    ),
    st.integers(1, 70),
    st.integers(1, 300),
    st.sampled_from([1, 3]),
    st.integers(0, 9),
)


def ranges(least: float, most: float) -> st.SearchStrategy[list[float]]:
    return st.lists(st.floats(least, most), min_size=2, max_size=2).map(sorted)


@settings(max_examples=60, deadline=None)
@given(IMAGES, ranges(0.01, 9.0), st.sampled_from([0, 3, [3, 8], [0, 4]]), st.integers(0, 2**32))
def test_the_blur_by_pixels_is_that_of_albumentations(image, sigmas, sizes, seed):
    keys: dict[str, Any] = {"blur_limit": sizes, "sigma_limit": sigmas, "p": 1.0}
    same_as_albumentations(capture.GaussianBlur(**keys), albumentations.GaussianBlur(**keys), image, seed)


@settings(max_examples=60, deadline=None)
@given(IMAGES, ranges(0.0, 1.0), st.integers(0, 2**32))
def test_the_noise_is_that_of_albumentations(image, deviations, seed):
    keys: dict[str, Any] = {"std_range": deviations, "p": 1.0}
    same_as_albumentations(capture.GaussNoise(**keys), albumentations.GaussNoise(**keys), image, seed)


def test_no_blur_changes_nothing():
    assert np.array_equal(capture.GaussianBlur(sigma_limit=[0, 0])(image=written_line(1))["image"], written_line(1))
