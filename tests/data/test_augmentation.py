"""Augmentation as a function of the seed, the epoch and the line, and the groups that are shipped."""

from functools import cache
from pathlib import Path

import albumentations
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf
from stroked_lines import line

from uncial.data.augmentation.chain import AtMost, Augmentation, build_augmentation, list_single_transforms
from uncial.errors import UserError

CONF = Path(__file__).parents[2] / "conf" / "augmentation"
NAMES = sorted(file.stem for file in CONF.glob("*.yaml") if not file.stem.startswith("page"))
"""The groups that vary lines; those of pages are in test_page_views.py."""
VARYING = [name for name in NAMES if name != "none"]


@cache
def shipped(name: str, channels: int = 1) -> Augmentation:
    return build_augmentation(OmegaConf.load(CONF / f"{name}.yaml"), channels)


def chain(*transforms: dict) -> dict:
    return {"_target_": "uncial.data.augmentation.chain.Augmentation", "transforms": list(transforms)}


class Told(albumentations.ImageOnlyTransform):
    """Changes nothing and tells its number and what it draws."""

    def __init__(self, number: int, told: list, p: float = 1.0) -> None:
        super().__init__(p=p)
        self.number, self.told = number, told

    def apply(self, img: np.ndarray, **params: object) -> np.ndarray:
        self.told.append((self.number, float(self.random_generator.random())))
        return img


def test_the_shipped_choices():
    assert set(NAMES) == {"none", "light", "default", "strong", "kraken", "loghi", "thulium"}


def test_none_changes_nothing():
    assert np.array_equal(shipped("none")(line(), 1, 0, 0), line())


@pytest.mark.parametrize("name", VARYING)
def test_the_same_seed_epoch_and_line_give_the_same_image_in_any_order(name):
    first, second = shipped(name), build_augmentation(OmegaConf.load(CONF / f"{name}.yaml"))
    keys = [(1, 0, index) for index in range(8)]
    forwards = [first(line(), *key) for key in keys]
    backwards = [second(line(), *key) for key in reversed(keys)][::-1]
    assert all(np.array_equal(one, other) for one, other in zip(forwards, backwards, strict=True))


@pytest.mark.parametrize("name", VARYING)
def test_another_seed_epoch_or_line_gives_another_image(name):
    augmentation = shipped(name)
    keys = [(1, 0, 0), (1, 0, 1), (1, 1, 0), (2, 0, 0), *((1, 7, index) for index in range(36))]
    different = {augmentation(line(), *key).tobytes() for key in keys}
    assert len(different) > len(keys) // 4  # kraken leaves half of the lines as they are


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(48, 300), (48, 1), (16, 5), (1, 1), (1, 40, 3), (120, 900), (48, 200, 3)])
def test_shape_and_type_stay(name, shape):
    image = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    before = image.copy()
    for index in range(12):
        result = shipped(name, 3 if len(shape) == 3 else 1)(image, 1, 0, index)
        assert (result.shape, result.dtype) == (image.shape, np.uint8)
        assert result.flags.c_contiguous
    assert np.array_equal(image, before)


@pytest.mark.parametrize("name", VARYING)
@pytest.mark.parametrize("channels", [1, 3])
def test_paper_stays_lighter_than_the_writing_which_is_still_there(name, channels):
    image = line() if channels == 1 else np.repeat(line()[:, :, None], 3, axis=2)
    ink = (255 - image.astype(int)).sum()
    for index in range(40):
        result = shipped(name, channels)(image, 3, 0, index)
        if name == "loghi" and np.median(result) < 128:
            result = 255 - result  # its last transform is the inversion
        paper = np.median(result)
        assert paper > 140
        assert 0.15 < np.maximum(paper - result.astype(int), 0).sum() / ink < 3
        assert result.min() < paper - 55


@pytest.mark.parametrize("name", VARYING)
def test_a_line_is_never_mirrored(name):
    """Right-to-left writing or not, what is on the left stays there."""
    image = np.full((48, 300), 255, np.uint8)
    image[14:34, 20:90:8] = image[14:34, 21:90:8] = image[14:34, 22:90:8] = 10
    seen = 0
    for index in range(40):
        result = shipped(name)(image, 5, 0, index).astype(int)
        ink = np.abs(result - np.median(result)) > 110
        columns = np.flatnonzero(ink[14:34].any(axis=0))
        seen += len(columns) > 0
        assert len(columns) == 0 or columns.mean() < 130
    assert seen > 30, "of 40 the writing is dark enough to say where it is"


def test_transforms_come_up_and_draw_independently_of_each_other():
    told: list = []
    augmentation = Augmentation([Told(number, told, p) for number, p in enumerate((0.5, 0.5, 0.1, 1.0, 1.0))])
    applied, drawn = [], []
    for index in range(600):
        told.clear()
        augmentation(line(), 1, 0, index)
        applied.append([number in dict(told) for number in range(3)])
        drawn.append([value for number, value in told if number >= 3])
    shares, together = np.mean(applied, axis=0), np.mean(np.all(np.array(applied)[:, :2], axis=1))
    assert np.allclose(shares, (0.5, 0.5, 0.1), atol=0.08)
    assert abs(together - 0.25) < 0.08
    assert abs(np.corrcoef(np.transpose(drawn))[0, 1]) < 0.2


def test_no_more_than_the_wanted_number_of_transforms_is_applied():
    told: list = []
    augmentation = Augmentation([AtMost(2, [Told(number, told, 0.5) for number in range(6)], p=0.5)])
    counts, seen = [], np.zeros(6)
    for index in range(600):
        told.clear()
        augmentation(line(), 1, 0, index)
        numbers = [number for number, _ in told]
        assert numbers == sorted(numbers)
        counts.append(len(numbers))
        seen[numbers] += 1
    assert set(counts) == {0, 1, 2}
    assert abs(np.mean(np.array(counts) > 0) - 0.5 * (1 - 0.5**6)) < 0.08
    assert seen.max() / seen.min() < 1.6


def test_the_transforms_of_a_config_one_by_one():
    blur = {"_target_": "albumentations.GaussianBlur", "blur_limit": 0, "sigma_limit": [1.0, 2.0], "p": 0.01}
    never = {"_target_": "albumentations.InvertImg", "p": 0}
    tone = {"_target_": "uncial.data.augmentation.strokes.InkTone"}
    several = {"_target_": "albumentations.OneOf", "transforms": [never, tone], "p": 0.01}
    singles = list(list_single_transforms(chain(blur, never, several)))
    assert [(single.place, single.label) for single in singles] == [
        ("augmentation.transforms.0", "GaussianBlur blur_limit sigma_limit"),
        ("augmentation.transforms.2.transforms.1", "InkTone"),
    ]
    assert all(not np.array_equal(single.augmentation(line(), 1, 0, 0), line()) for single in singles)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**63), st.integers(0, 10**6), st.integers(0, 10**9))
def test_any_seed_epoch_and_row_will_do(seed, epoch, index):
    first, again = (shipped("default")(line(16, 40), seed, epoch, index) for _ in range(2))
    assert (first.shape, first.dtype) == ((16, 40), np.uint8)
    assert np.array_equal(first, again)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"_target_": "albumentations.NoSuchTransform"}, "NoSuchTransform"),
        ({"_target_": "nowhere.Blur"}, "nowhere"),
        ({"_target_": "albumentations.GaussianBlur", "sigma": 3}, "sigma"),
        ({"_target_": "albumentations.GaussianBlur", "p": 2}, "p: Input should be less"),
        ({"_target_": "uncial.data.augmentation.distortion.LineWarp", "slannt": 3}, "slannt"),
        ({"_target_": "uncial.data.augmentation.distortion.LineWarp", "slant": 90}, r"LineWarp\.slant"),
        ({"_target_": "uncial.data.augmentation.distortion.LineWarp", "size": [1.2, 0.8]}, "the least first"),
        ({"_target_": "uncial.data.augmentation.distortion.LineWarp", "size": "big"}, r"LineWarp\.size is 'big'"),
        ({"_target_": "uncial.data.augmentation.distortion.LineWarp", "p": 1.5}, r"LineWarp\.p"),
        ({"_target_": "uncial.data.augmentation.chain.AtMost", "count": 0, "transforms": []}, "count"),
        ({"slant": 3}, "_target_"),
        (
            {"_target_": "albumentations.Resize", "height": 48, "width": 100},
            r"augmentation\.transforms\.0.*\(48, 100\)",
        ),
        ({"_target_": "albumentations.ISONoise"}, r"augmentation\.transforms\.0 \(ISONoise\).*1 channel"),
        ({"_target_": "albumentations.ToFloat"}, "float32"),
        ({"_target_": "builtins.dict", "a": 1}, "no transform"),
    ],
)
def test_what_cannot_be_is_said_before_the_training(wrong, told):
    with pytest.raises(UserError, match=told) as error:
        build_augmentation(chain(wrong))
    assert "http" not in str(error.value)


def test_what_needs_colours_can_be_had_with_colours():
    build_augmentation(chain({"_target_": "albumentations.ISONoise"}), channels=3)


@pytest.mark.parametrize("transforms", ["LineWarp", {"slant": 3}, 3])
def test_something_else_than_a_list_of_transforms_is_refused(transforms):
    with pytest.raises(UserError, match="transforms"):
        build_augmentation({**chain(), "transforms": transforms})


def test_something_else_than_a_chain_is_refused():
    with pytest.raises(UserError, match="dict"):
        build_augmentation({"_target_": "builtins.dict"})
