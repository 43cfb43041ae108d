"""What each transform does to the pixels of a line."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uncial.data.augmentation.capture import BlackAndWhite, Defocus, Microfilm, WithoutColours
from uncial.data.augmentation.distortion import Bend, CutHeight, LineWarp, Perspective, Proportions
from uncial.data.augmentation.paper import NeighbouringLines, PaperPatches, PaperSpans, Ruling, Shading, ShowThrough
from uncial.data.augmentation.strokes import InkTone, PenWidth, StrokeWidth
from uncial.data.augmentation.transform import estimate_local_paper

GEOMETRIC = [
    LineWarp(slant=30, rotation=3, size=(0.6, 0.9), squeeze=0.3, shift=0.1, slide=0.05, stretch=0.2, elastic=0.02),
    Perspective(0.4),
    Proportions((0.5, 2.0)),
    Bend(0.05),
]
INKY = [StrokeWidth(3, 1.0), PenWidth((0.02, 0.06)), InkTone(), PaperSpans(), PaperPatches(), ShowThrough(), Ruling()]
INKY += [NeighbouringLines(), Microfilm(), BlackAndWhite(), Defocus((0.0, 0.05)), WithoutColours(), CutHeight()]
ALL = [*GEOMETRIC, *INKY, Shading()]


def named(transform) -> str:
    return type(transform).__name__


def applied(transform, image: np.ndarray, seed: int = 0) -> np.ndarray:
    transform.set_random_seed(seed)
    return transform(image=image)["image"]


def blank(height: int = 48, width: int = 400) -> np.ndarray:
    return np.full((height, width), 255, np.uint8)


def line(height: int = 48, width: int = 400) -> np.ndarray:
    """Upright strokes on white paper."""
    image = blank(height, width)
    for x in range(20, width - 20, 20):
        image[height // 4 : -height // 4, x : x + 4] = 10
    return image


def asymmetric(height: int = 48, width: int = 400) -> np.ndarray:
    """Bars that lean to one side, at irregular distances: unlike their mirror image."""
    image = blank(height, width)
    for x in (20, 34, 60, 110, 124, 190, 270, 284, 298, 350):
        for y in range(12, 36):
            image[y, x + y // 3 : x + y // 3 + 4] = 0
    return image


def ink(image: np.ndarray) -> float:
    return float((255 - image.astype(float)).sum())


def centre_by_row(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rows that have ink, and the mean column of the ink in each."""
    dark = 255.0 - image
    rows = np.flatnonzero(dark.sum(axis=1) > 100)
    return rows, dark[rows] @ np.arange(image.shape[1]) / dark[rows].sum(axis=1)


def centre_by_column(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return centre_by_row(np.ascontiguousarray(image.T))


@pytest.mark.parametrize("degrees", [-30, -10, 10, 45])
def test_slant_turns_an_upright_stroke_by_its_angle(degrees):
    image = blank(width=3000)
    image[4:44, 1498:1503] = 0
    rows, columns = centre_by_row(applied(LineWarp(slant=(degrees, degrees)), image))
    leans = np.degrees(np.arctan(-np.polyfit(rows, columns, 1)[0]))
    assert leans == pytest.approx(degrees, abs=1)


def test_a_number_for_the_slant_is_the_farthest_to_either_side():
    image = blank(width=3000)
    image[4:44, 1498:1503] = 0
    found = []
    for seed in range(40):
        rows, columns = centre_by_row(applied(LineWarp(slant=20.0), image, seed))
        found.append(np.degrees(np.arctan(-np.polyfit(rows, columns, 1)[0])))
    assert -20.5 < min(found) < -14
    assert 14 < max(found) < 20.5


def test_rotation_turns_a_level_stroke_clockwise():
    image = blank(width=300)
    image[22:26, 4:-4] = 0
    columns, rows = centre_by_column(applied(LineWarp(rotation=(2, 2)), image))
    assert np.degrees(np.arctan(np.polyfit(columns, rows, 1)[0])) == pytest.approx(2, abs=0.1)


def test_a_long_line_is_rotated_less_so_that_it_stays_inside():
    image = blank(width=4000)
    image[22:26, 4:-4] = 0
    result = applied(LineWarp(rotation=(5, 5)), image)
    _, rows = centre_by_column(result)
    assert rows[-1] - rows[0] == pytest.approx(48 / 4, abs=1)
    assert ink(result) > 0.97 * ink(image)


@pytest.mark.parametrize("size", [0.7, 1.2])
def test_size_changes_the_height_of_the_writing_alone(size):
    image = blank()
    image[14:34, 100:300] = 0
    result = applied(LineWarp(size=size), image) < 128
    assert result.any(axis=1).sum() == pytest.approx(20 * size, abs=1)
    assert result.any(axis=0).sum() == pytest.approx(200, abs=1)


def test_squeeze_and_slide_change_the_places_along_the_line():
    image = blank()
    image[10:38, 100:104] = image[10:38, 300:304] = 0
    narrower = np.flatnonzero((applied(LineWarp(squeeze=(0.25, 0.25)), image) < 128).any(axis=0))
    assert narrower[-1] - narrower[0] == pytest.approx(0.75 * 203, abs=2)
    to_the_right = np.flatnonzero((applied(LineWarp(slide=(0.1, 0.1)), image) < 128).any(axis=0))
    assert to_the_right.mean() - 201.5 == pytest.approx(0.1 * 400 / 1.2, abs=2)


def test_shift_lowers_the_writing():
    image = blank()
    image[20:24, 50:350] = 0
    assert centre_by_row(applied(LineWarp(shift=(0.25, 0.25)), image))[0].mean() == pytest.approx(21.5 + 12, abs=0.6)


@pytest.mark.parametrize("warp", [LineWarp(slant=(45, 45)), LineWarp(slide=(-0.2, -0.2)), LineWarp(slide=(0.2, 0.2))])
def test_writing_at_the_ends_is_not_pushed_out(warp):
    image = blank(width=200)
    image[8:40, 2:8] = image[8:40, -8:-2] = 0
    result = applied(warp, image) < 128
    assert result.sum() > 0.5 * (image < 128).sum()
    assert result[24, :100].any()
    assert result[24, 100:].any()


def test_elastic_makes_a_straight_stroke_wave_by_its_deviation():
    image = blank(height=96, width=4000)
    image[46:50] = 0
    deviations = [centre_by_column(applied(LineWarp(elastic=0.03), image, seed))[1].std() for seed in range(16)]
    assert np.mean(deviations) == pytest.approx(0.03 * 96, rel=0.2)


def test_a_warp_of_nothing_leaves_the_image():
    for image in (line(), np.random.default_rng(1).integers(90, 200, (48, 300), dtype=np.uint8)):
        assert np.array_equal(applied(LineWarp(), image), image)


def test_perspective_moves_the_corners_inwards_and_loses_nothing():
    image = blank()
    for rows in (slice(0, 6), slice(-6, None)):
        for columns in (slice(0, 6), slice(-6, None)):
            image[rows, columns] = 0
    moved = []
    for seed in range(20):
        result = applied(Perspective(0.3), image, seed) < 128
        for corner in (result[:24, :200], result[:24, 200:], result[24:, :200], result[24:, 200:]):
            assert 8 < corner.sum() < 60
        rows, columns = np.nonzero(result)
        moved.append((columns.min(), rows.min()))
    assert 0.3 * 200 / 2 < np.max(moved, axis=0)[0] <= 0.3 * 200 + 1
    assert np.max(moved, axis=0)[1] <= 0.3 * 24 + 1


@pytest.mark.parametrize("factor", [0.75, 1.0, 1.25])
def test_proportions_become_what_is_asked(factor):
    image = blank()
    image[9:39, 100:300] = 0
    result = applied(Proportions(factor), image) < 128
    wide, high = result.any(axis=0).sum(), result.any(axis=1).sum()
    assert wide / high == pytest.approx(factor * 200 / 30, rel=0.05)
    assert wide <= 201
    assert high <= 31


def test_a_cut_line_is_brought_to_its_height():
    image = blank()
    image[19:29] = 0
    heights = [(applied(CutHeight(0.6), image, seed) < 128).any(axis=1).sum() for seed in range(10)]
    assert np.allclose(heights, 10 / 0.6, atol=1.5)


def test_bending_moves_whole_words_by_its_deviation():
    image = blank(height=96, width=2000)
    image[46:50] = 0
    rows = [centre_by_column(applied(Bend(0.05), image, seed))[1] for seed in range(120)]
    assert np.std([row[len(row) // 2] for row in rows]) == pytest.approx(0.05 * 96, rel=0.2)
    assert max(np.abs(np.diff(row[20:-20])).max() for row in rows) < 0.2


@pytest.mark.parametrize("pixels", [0.5, 1.0, 2.0, 3.4])
@pytest.mark.parametrize("height", [48, 120])
def test_pens_become_wider_or_narrower_by_what_is_asked(pixels, height):
    image = blank(height)
    image[:, 100:108] = 0
    widths = set()
    for seed in range(12):
        result = applied(PenWidth((pixels / height, pixels / height)), image, seed)
        widths.add(round((255.0 - result[height // 2]).sum() / 255, 1))
    assert sorted(widths) == pytest.approx([8 - pixels, 8 + pixels], abs=0.1)


@pytest.mark.parametrize("transform", [StrokeWidth(3, (1.0, 1.0)), PenWidth((0.1, 0.1))], ids=named)
def test_the_finest_strokes_are_not_lost(transform):
    image = blank()
    image[10:38, 20:380:10] = 0
    left = [ink(applied(transform, image, seed)) / ink(image) for seed in range(20)]
    assert 0.25 < min(left) < 0.7
    assert max(left) > 1.5


def test_strokes_become_thicker_and_thinner():
    darkness = [ink(applied(StrokeWidth(3, 1.0), line(), seed)) for seed in range(20)]
    assert min(darkness) < 0.9 * ink(line())
    assert max(darkness) > 1.1 * ink(line())


def test_the_tone_of_ink_changes_and_paper_stays():
    tones = []
    for seed in range(20):
        result = applied(InkTone((0.5, 1.2), (0.7, 1.4)), line(), seed)
        assert (result[line() == 255] == 255).all()
        tones.append(int(result[24, 20]))
    assert min(tones) < 20
    assert max(tones) > 80


def test_spans_of_paper_hide_part_of_the_writing():
    result = applied(PaperSpans(3, 0.5), line(), 1)
    hidden = (result == 255).all(axis=0) & ~(line() == 255).all(axis=0)
    assert 0 < hidden.sum() <= 3 * 24


def test_spans_never_hide_more_than_half_of_a_short_line():
    image = blank(width=60)
    image[:, ::2] = 0
    assert min(ink(applied(PaperSpans(6, 4.0), image, seed)) / ink(image) for seed in range(30)) > 0.4


@pytest.mark.parametrize("share", [0.02, 0.1, 0.3])
def test_a_patch_covers_the_asked_share(share):
    image = blank()
    image[:, ::2] = 0
    for seed in range(20):
        result = applied(PaperPatches((share, share), (0.1, 10)), image, seed)
        assert 1 - ink(result) / ink(image) == pytest.approx(share, rel=0.2, abs=0.003)
        rows, columns = np.nonzero((result == 255) & (image == 0))
        assert ((result == 255)[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]).all()


def test_what_shows_through_is_mirrored_and_fainter_than_the_ink():
    image = asymmetric()
    likeness = {False: 0.0, True: 0.0}
    for seed in range(10):
        result = applied(ShowThrough((0.3, 0.3)), image, seed)
        assert np.array_equal(result[image == 0], image[image == 0])
        through = image.astype(float) - result
        assert 20 < through.max() <= 0.31 * 255
        for mirrored, original in ((False, image), (True, image[:, ::-1])):
            spectrum = np.fft.fft2(through) * np.conj(np.fft.fft2(255.0 - original))
            likeness[mirrored] += float(np.fft.ifft2(spectrum).real.max())
    assert likeness[True] > 1.15 * likeness[False]


def test_neighbours_reach_in_from_above_or_below_and_no_farther():
    image = blank(height=100)
    image[30:70, 50:350:9] = 0
    edges = {"above": 0, "below": 0}
    for seed in range(20):
        changed = (applied(NeighbouringLines((0.2, 0.2)), image, seed) != image).any(axis=1)
        assert not changed[20:80].any()
        edges["above"] += bool(changed[:20].any())
        edges["below"] += bool(changed[80:].any())
    assert min(edges.values()) > 4
    assert sum(edges.values()) < 40


def test_rules_are_level_faint_and_as_wide_as_asked():
    seen = 0
    for seed in range(20):
        result = applied(Ruling(1, (0.2, 0.2), (0.05, 0.05)), blank(height=100), seed)
        assert result.min() == pytest.approx(255 * 0.8, abs=2)
        assert ink(result) / (0.2 * 255 * 400) == pytest.approx(5, abs=2.6), "a rule may lie on the edge"
        columns, rows = centre_by_column(result)
        seen += len(columns) == 400
        assert len(columns) == 0 or np.ptp(rows) < 3
    assert seen > 15, "of 20 the rule is seen from one side to the other"


def test_shadows_are_soft_and_no_darker_than_asked():
    darkest = []
    for seed in range(20):
        result = applied(Shading((0.0, 0.3)), blank(), seed).astype(int)
        assert np.abs(np.diff(result, axis=1)).max() <= 3
        darkest.append(result.min())
    assert 255 * 0.69 <= min(darkest) < 255 * 0.85
    assert np.median(applied(Shading((0.3, 0.3)), line())[line() == 10]) < 10


def test_microfilm_is_hard_and_grainy_and_has_no_colours():
    image = np.repeat(line()[:, :, None], 3, axis=2)
    image[:, 100:140] = (160, 120, 90)
    result = applied(Microfilm((0.5, 0.5), (14, 14), (0.0, 0.0)), image)
    assert (result == result[:, :, :1]).all()
    greys = blank(width=2000)
    greys[:, :100], greys[:, 1000:1256] = 0, np.arange(256)
    curve = applied(Microfilm((0.5, 0.5), (14, 14), 0.0), greys)[0, 1000:1256].astype(int)
    assert (np.diff(curve) >= 0).all()
    assert (curve[0], curve[-1]) == (0, 255)
    assert curve[64] < 20
    assert curve[192] > 235
    greys[:, 1000:1020] = 128  # neither end of the curve, where what is beyond black and white is cut off
    grain = applied(Microfilm((0.5, 0.5), (6, 6), (0.04, 0.04)), greys)[:, 1000:1020].std()
    assert grain == pytest.approx(0.04 * 255, rel=0.15)


@pytest.mark.parametrize("group", [Microfilm((0.45, 0.7), (6, 14), 0.0), BlackAndWhite()], ids=named)
def test_faint_ink_is_not_lost_in_hard_contrast(group):
    image = np.full((48, 400), 225, np.uint8)
    image[line() == 10] = 165
    for seed in range(10):
        result = applied(group, image, seed).astype(int)
        assert result[line() == 255].mean() - result[line() == 10].mean() > 100


@pytest.mark.parametrize("transform", [ShowThrough((0.5, 0.5)), NeighbouringLines((0.2, 0.2))], ids=named)
def test_other_writing_has_the_colour_of_the_ink(transform):
    image = np.full((48, 400, 3), (240, 230, 200), np.uint8)
    image[8:40, 20:380:12] = (120, 60, 30)
    seen = 0
    for seed in range(6):
        result = applied(transform, image, seed)
        darker = image.astype(int) - result
        places = darker.sum(axis=2) > 90
        seen += int(places.sum())
        shares = darker[places] / darker[places].sum(axis=1, keepdims=True)
        assert np.allclose(shares, np.array((120, 170, 170)) / 460, atol=0.05)
    assert seen > 100


def test_black_and_white_has_two_values_and_leaves_empty_lines():
    image = (line() * 0.6 + np.random.default_rng(1).integers(0, 40, line().shape)).astype(np.uint8)
    result = applied(BlackAndWhite(), image)
    assert set(np.unique(result)) == {0, 255}
    assert np.array_equal(result == 0, line() == 10)
    paper = np.random.default_rng(1).integers(200, 230, (48, 100), dtype=np.uint8)
    assert np.array_equal(applied(BlackAndWhite(), paper), paper)


def test_defocus_is_a_part_of_the_height():
    found = []
    for height in (40, 120):
        image = blank(height)
        image[:, 200:] = 0
        edge = -np.diff(applied(Defocus((0.05, 0.05)), image)[height // 2].astype(float))
        places = np.arange(len(edge))
        middle = edge @ places / edge.sum()
        found.append(np.sqrt(edge @ (places - middle) ** 2 / edge.sum()) / height)
    assert found == pytest.approx([0.05, 0.05], rel=0.1)


def test_colours_go_and_grey_lines_stay():
    image = np.random.default_rng(1).integers(0, 256, (48, 60, 3), dtype=np.uint8)
    result = applied(WithoutColours(), image)
    assert (result == result[:, :, :1]).all()
    assert np.array_equal(applied(WithoutColours(), line()), line())


@pytest.mark.parametrize("transform", INKY + GEOMETRIC, ids=named)
def test_light_writing_on_dark_ground_is_treated_alike(transform):
    for seed in range(6):
        straight = applied(transform, line(), seed).astype(int)
        inverted = 255 - applied(transform, 255 - line(), seed).astype(int)
        assert np.abs(straight - inverted).max() <= 1


@pytest.mark.parametrize("transform", [*GEOMETRIC, PaperSpans(5, 2.0), PaperPatches(0.4, count=3)], ids=named)
@pytest.mark.parametrize("shape", [(48, 600), (48, 600, 3)], ids=["grey", "colour"])
def test_new_places_have_the_colour_of_the_paper_around_them(transform, shape):
    paper = np.broadcast_to(np.linspace(120, 210, 600)[None, :].reshape((1, 600) + (1,) * (len(shape) - 2)), shape)
    image = paper.astype(np.uint8)
    written = image.copy()
    written[12:36, 30:-30:12] = 20
    for seed in range(6):
        assert np.abs(applied(transform, image, seed).astype(int) - image).max() < 40, "paper stays paper, where it was"
        edges = applied(transform, written, seed)[[0, -1]]
        assert edges.min() > 90, "nothing dark comes in from outside"


def test_local_paper_follows_the_light_along_the_line_and_not_the_ink():
    light = np.linspace(120, 250, 600)
    image = np.broadcast_to(light, (48, 600)).astype(np.uint8)
    written = image.copy()
    written[8:40, 30:-30:9] = 20
    written[:, 300:320] = 20
    assert np.abs(estimate_local_paper(written) - light).max() < 14
    assert np.abs(estimate_local_paper(255 - written) - (255 - light)).max() < 14


@pytest.mark.parametrize("transform", ALL, ids=named)
@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (48, 1), (16, 1, 3), (1, 7, 3), (2, 2), (24, 40000), (256, 30)])
def test_tiny_and_huge_lines(transform, shape):
    image = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    for seed in range(3):
        result = applied(transform, image, seed)
        assert (result.shape, result.dtype) == (image.shape, np.uint8)


def test_a_line_too_wide_for_opencv_is_warped_like_any_other():
    warp = LineWarp(shift=(0.25, 0.25), elastic=0.02)
    image = blank(24, 40000)
    image[6:18, 20:-20:20] = 0
    result = applied(warp, image)
    assert ink(result) == pytest.approx(ink(image), rel=0.1)
    by_column = (255.0 - result).sum(axis=0).reshape(-1, 1000).sum(axis=1)
    assert by_column[1:-1].min() > 0.7 * by_column.mean(), "nothing is missing where pieces meet"


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, len(ALL) - 1),
    st.integers(1, 64),
    st.integers(1, 200),
    st.sampled_from([(), (3,)]),
    st.integers(0, 2**32 - 1),
)
def test_any_line_keeps_its_shape_and_gives_the_same_again(number, height, width, channels, seed):
    image = np.random.default_rng(seed).integers(0, 256, (height, width, *channels), dtype=np.uint8)
    before = image.copy()
    result = applied(ALL[number], image, seed)
    assert (result.shape, result.dtype) == (image.shape, np.uint8)
    assert np.array_equal(image, before)
    assert np.array_equal(result, applied(ALL[number], image, seed))
