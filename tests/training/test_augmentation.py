"""Augmentation as a function of the seed, the epoch and the line."""

from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf

from uncial.errors import UserError
from uncial.training.augmentation import Augmentation, build_augmentation
from uncial.training.strokes import InkTone, PaperSpans, StrokeWidth
from uncial.training.warp import LineWarp

CONF = Path(__file__).parents[2] / "conf" / "augmentation"
NAMES = sorted(file.stem for file in CONF.glob("*.yaml"))
VARYING = [name for name in NAMES if name != "none"]


def shipped(name: str) -> Augmentation:
    return build_augmentation(OmegaConf.load(CONF / f"{name}.yaml"))


def line(height: int = 48, width: int = 300) -> np.ndarray:
    """Upright strokes on white paper, well inside the line."""
    image = np.full((height, width), 255, np.uint8)
    for x in range(20, width - 20, 20):
        image[height // 4 : -height // 4, x : x + 4] = 10
    return image


def test_the_shipped_choices():
    assert set(NAMES) >= {"none", "light", "default", "strong"}


def test_none_changes_nothing():
    assert np.array_equal(shipped("none")(line(), 1, 0, 0), line())


@pytest.mark.parametrize("name", VARYING)
def test_the_same_seed_epoch_and_line_give_the_same_image_in_any_order(name):
    first, second = shipped(name), shipped(name)
    keys = [(1, 0, index) for index in range(8)]
    forwards = [first(line(), *key) for key in keys]
    backwards = [second(line(), *key) for key in reversed(keys)][::-1]
    assert all(np.array_equal(one, other) for one, other in zip(forwards, backwards, strict=True))


@pytest.mark.parametrize("name", VARYING)
def test_another_seed_epoch_or_line_gives_another_image(name):
    augmentation = shipped(name)
    keys = [(1, 0, 0), (1, 0, 1), (1, 1, 0), (2, 0, 0), *((1, 7, index) for index in range(20))]
    different = {augmentation(line(), *key).tobytes() for key in keys}
    assert len(different) > len(keys) // 2


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(48, 300), (48, 1), (16, 5), (120, 900), (48, 200, 3)])
def test_shape_and_type_stay(name, shape):
    image = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    before = image.copy()
    for index in range(12):
        result = shipped(name)(image, 1, 0, index)
        assert (result.shape, result.dtype) == (image.shape, np.uint8)
        assert result.flags.c_contiguous
    assert np.array_equal(image, before)


@pytest.mark.parametrize("name", VARYING)
def test_paper_stays_light_and_the_writing_is_still_there(name):
    augmentation = shipped(name)
    for index in range(30):
        result = augmentation(line(), 3, 0, index)
        assert np.median(result) > 230
        assert 0.15 < (255 - result.astype(int)).sum() / (255 - line().astype(int)).sum() < 2.5
        assert result.min() < 200


def test_slanted_writing_is_not_pushed_out_at_the_ends():
    image = np.full((48, 200), 255, np.uint8)
    image[4:44, 2:8] = 0
    image[4:44, -8:-2] = 0
    warp = LineWarp(slant=30.0)
    for seed in range(10):
        warp.set_random_seed(seed)
        result = warp(image=image)["image"] < 128
        assert result.sum() > 0.6 * (image < 128).sum()
        assert result[24, :60].any()
        assert result[24, -60:].any()


def test_a_warp_of_nothing_leaves_the_image():
    assert np.array_equal(LineWarp()(image=line())["image"], line())


def test_a_warp_moves_within_its_bounds():
    warp = LineWarp(size=(0.8, 1.2), shift=0.1, stretch=0.2, elastic=0.02, rotation=1.0, slant=10.0, squeeze=0.1)
    x, y = np.meshgrid(np.arange(400), np.arange(48))
    for seed in range(20):
        map_x, map_y = warp.maps(48, 400, np.random.default_rng(seed))
        assert map_x.dtype == map_y.dtype == np.float32
        assert np.abs(map_y - y).max() < 48 * (0.15 + 0.1 + 0.1 + 0.1) + 1
        assert np.abs(map_x - x).max() < 400 * 0.07 + 48 * (0.2 * 1.3 + 0.1 + 0.2)
        assert (np.diff(map_x, axis=1) > 0).mean() > 0.99


def test_strokes_become_thicker_and_thinner():
    transform = StrokeWidth(size=3, strength=1.0)
    darkness = []
    for seed in range(20):
        transform.set_random_seed(seed)
        darkness.append(255 - transform(image=line())["image"].mean())
    plain = 255 - line().mean()
    assert min(darkness) < 0.9 * plain
    assert max(darkness) > 1.1 * plain


def test_the_tone_of_ink_changes_and_paper_stays():
    transform = InkTone(strength=(0.5, 1.2), gamma=(0.7, 1.4))
    tones = []
    for seed in range(20):
        transform.set_random_seed(seed)
        result = transform(image=line())["image"]
        assert (result[line() == 255] == 255).all()
        tones.append(int(result[24, 20]))
    assert min(tones) < 20
    assert max(tones) > 80


def test_spans_of_paper_hide_part_of_the_writing():
    transform = PaperSpans(count=3, width=0.5)
    transform.set_random_seed(1)
    result = transform(image=line())["image"]
    hidden = (result == 255).all(axis=0) & ~(line() == 255).all(axis=0)
    assert 0 < hidden.sum() <= 3 * 24


def test_a_transform_that_changes_the_width_is_refused():
    import albumentations

    with pytest.raises(UserError, match=r"augmentation\.transforms"):
        Augmentation([albumentations.Resize(48, 100)])(line(), 1, 0, 0)


@pytest.mark.parametrize("wrong", [{"_target_": "albumentations.NoSuchTransform"}, {"_target_": "nowhere.Blur"}])
def test_a_transform_that_does_not_exist_is_named(wrong):
    config = {"_target_": "uncial.training.augmentation.Augmentation", "transforms": [wrong]}
    with pytest.raises(UserError, match=wrong["_target_"].rpartition(".")[2]):
        build_augmentation(config)
