"""The paper behind the writing, and the values of samples at the ends of their scales."""

import cv2
import numpy as np
import pytest
from PIL import Image

from uncial.document import ImageSource
from uncial.errors import UnusableInput
from uncial.imaging.background import estimate_background
from uncial.imaging.images import read_image
from uncial.imaging.pixels import fit_to_stated_size, to_eight_bits, turn


@pytest.mark.parametrize("rows", range(1, 8))
@pytest.mark.parametrize("columns", [1, 2, 4, 9])
def test_a_mirrored_line_has_the_mirrored_paper(rows, columns):
    """In squares of eight pixels, however few there are: no side of the paper is drawn over to the other."""
    random = np.random.default_rng(rows * 10 + columns)
    pixels = cv2.blur(random.integers(120, 240, (8 * rows, 8 * columns)).astype(np.uint8), (9, 9))
    inside = np.full(pixels.shape, 255, np.uint8)
    found = estimate_background(pixels, inside)
    for axes in ((0,), (1,), (0, 1)):
        other = estimate_background(np.ascontiguousarray(np.flip(pixels, axes)), inside)
        assert np.abs(np.flip(other, axes).astype(int) - found).max() <= 1


@pytest.mark.parametrize("shape", [(13, 70), (40, 203), (7, 3)])
def test_paper_of_any_size_is_as_large_as_the_line(shape):
    pixels = np.full(shape, 180, np.uint8)
    assert np.array_equal(estimate_background(pixels, np.full(shape, 255, np.uint8)), pixels)


@pytest.mark.parametrize("kind", ["f4", "f8"])
@pytest.mark.parametrize("white", [1.0, 255.0, 65535.0])
def test_the_highest_value_of_each_scale_is_white(white, kind):
    levels = np.array([[0.0, white / 2, white]], dtype=kind)
    assert to_eight_bits(levels)[0].tolist() == pytest.approx([0, 127.5, 255], abs=1)


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_the_highest_value_of_each_depth_is_white(bits):
    levels = np.array([[0, (1 << bits) - 1]], dtype=np.uint16)
    assert to_eight_bits(levels)[0].tolist() == [0, 255]


@pytest.mark.parametrize("high", [65536.0, -1.0, np.nan])
def test_values_beyond_every_scale_are_no_grey_levels(high):
    with pytest.raises(ValueError, match="no grey levels"):
        to_eight_bits(np.array([[0.0, high]]))


def oriented(pixels, orientation):
    """As the Exif standard has it: which of the scene's edges the first row and the first column of the file are."""
    edges = {1: "tl", 2: "tr", 3: "br", 4: "bl", 5: "lt", 6: "rt", 7: "rb", 8: "lb"}[orientation]
    stored = pixels.T if edges[0] in "lr" else pixels
    rows_back, columns_back = edges[0] in "br", edges[1] in "rb"
    return stored[:: -1 if rows_back else 1, :: -1 if columns_back else 1]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_turned_upright_and_back(orientation):
    scene = np.arange(12).reshape(3, 4)
    stored = oriented(scene, orientation)
    assert np.array_equal(turn(stored, orientation), scene)
    assert np.array_equal(turn(scene, orientation, back=True), stored)


def test_an_image_of_another_size_says_both_and_whether_it_is_turned(tmp_path):
    path = tmp_path / "p.png"
    with pytest.raises(
        UnusableInput, match=r"has 600 x 400 pixels, but the ground truth states 400 x 600; it seems to"
    ):
        fit_to_stated_size((600, 400), 1, (400, 600), path)
    with pytest.raises(UnusableInput, match=r"600 x 400 pixels, but the ground truth states 500 x 500; put the"):
        fit_to_stated_size((600, 400), 1, (500, 500), path)
    fit = fit_to_stated_size((600, 400), 1, (300, 200), path)
    assert fit.scale == (2.0, 2.0)
    assert "has 600 x 400 pixels, but the ground truth states 300 x 200" in fit.notes[0].reason
    nearly = fit_to_stated_size((1001, 500), 1, (2000, 1000), path)
    assert nearly.notes[0].reason.endswith("scaled by 0.5005"), "along the lines"


def test_what_follows_the_end_of_a_jpeg_costs_nothing_and_a_missing_half_is_told(tmp_path):
    """Some cameras fill their files up with zeros behind the image's end."""
    path = tmp_path / "p.jpg"
    pixels = np.random.default_rng(1).integers(0, 255, (200, 300)).astype(np.uint8)
    Image.fromarray(pixels).save(path, quality=90)
    whole = path.read_bytes()
    told = read_image(ImageSource(path)).pixels
    path.write_bytes(whole + bytes(64))
    assert np.array_equal(read_image(ImageSource(path)).pixels, told)
    path.write_bytes(whole.removesuffix(b"\xff\xd9"))
    with pytest.raises(UnusableInput, match="damaged or truncated"):
        read_image(ImageSource(path))
    path.write_bytes(whole[: len(whole) // 2] + bytes(len(whole) // 2))
    with pytest.raises(UnusableInput, match="its end is filled with zeros"):
        read_image(ImageSource(path))
