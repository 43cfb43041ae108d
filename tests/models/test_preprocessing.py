"""Strips to what the model sees."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uncial.errors import UserError
from uncial.models.preprocessing import Preprocessing


def strip(height: int = 90, width: int = 400, paper: int = 180, ink: int = 90) -> np.ndarray:
    """Upright strokes on uneven paper."""
    generator = np.random.default_rng(3)
    image = paper + generator.normal(0, 3, (height, width))
    for x in range(20, width - 20, 25):
        image[height // 4 : -height // 4, x : x + 5] = ink
    return image.clip(0, 255).astype(np.uint8)


@settings(deadline=None)
@given(st.integers(1, 200), st.integers(1, 600), st.sampled_from([16, 48, 120]), st.sampled_from([1, 3]))
def test_the_width_is_known_without_the_pixels(height, width, target, channels):
    preprocessing = Preprocessing(height=target, channels=channels)
    image = preprocessing(np.full((height, width), 200, np.uint8))
    wide = preprocessing.width_of(height, width)
    assert image.shape == ((target, wide) if channels == 1 else (target, wide, 3))
    assert image.dtype == np.uint8
    padded = preprocessing.padded_width(wide)
    assert wide <= padded < wide + preprocessing.width_multiple
    assert padded % preprocessing.width_multiple == 0


def test_paper_becomes_white_and_ink_black_whatever_the_exposure():
    for paper, ink in [(180, 90), (250, 20), (120, 50)]:
        image = Preprocessing()(strip(paper=paper, ink=ink))
        assert np.median(image) > 235
        assert np.percentile(image, 1) < 20


def test_an_empty_line_stays_empty():
    image = Preprocessing()(np.random.default_rng(1).normal(200, 2, (60, 300)).clip(0, 255).astype(np.uint8))
    assert image.min() > 180


def test_light_ink_is_turned_dark():
    dark, light = strip(), 255 - strip()
    expected = Preprocessing()(dark)
    for polarity in ("light", "auto"):
        turned = Preprocessing(polarity=polarity)(light)
        assert np.abs(turned.astype(int) - expected).max() <= 4  # scaling rounds
    assert np.array_equal(Preprocessing(polarity="auto")(dark), expected)


def test_without_contrast_a_strip_of_the_right_height_is_left_alone():
    image = strip(height=48)
    assert np.array_equal(Preprocessing(height=48, contrast="none")(image), image)


def test_the_same_strip_gives_the_same_image_and_is_not_changed():
    image = strip()
    before = image.copy()
    preprocessing = Preprocessing()
    assert np.array_equal(preprocessing(image), preprocessing(image))
    assert np.array_equal(image, before)


def test_colour_and_grey_strips_serve_either_kind_of_model():
    grey = strip()
    colour = np.repeat(grey[:, :, None], 3, axis=2)
    assert np.abs(Preprocessing()(colour).astype(int) - Preprocessing()(grey)).max() <= 2
    assert Preprocessing(channels=3)(grey).shape[2] == 3


@pytest.mark.parametrize("wrong", [np.zeros((0, 5), np.uint8), np.zeros((5, 5), np.float32), np.zeros(5, np.uint8)])
def test_what_is_no_strip_is_refused(wrong):
    with pytest.raises(ValueError, match="strip"):
        Preprocessing()(wrong)


@pytest.mark.parametrize(
    "wrong", [{"height": 8}, {"channels": 2}, {"contrast": "much"}, {"ink": 70.0}, {"width_multiple": 0}]
)
def test_a_setting_that_cannot_be_names_its_key(wrong):
    with pytest.raises(UserError, match=f"model.preprocessing.{next(iter(wrong))}"):
        Preprocessing(**wrong)
