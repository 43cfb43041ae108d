"""What a training shows of a page: image and coordinates go the same way, and a view is the same anywhere."""

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from program import ROOT

from uncial.data.augmentation.page import PageAugmentation, PageWarp, build_page_augmentation
from uncial.data.lines.sampler import SampleIndex
from uncial.data.pages.dataset import TrainingPages, View, choose_window
from uncial.data.pages.maps import LINE_MAPS, MapPlan
from uncial.data.pages.shapes import LineShape, PageShapes, RegionShape
from uncial.data.pages.store import PageStore, PageStoreWriter, StoredPage
from uncial.data.pages.warp import Warp
from uncial.document import Page
from uncial.errors import UserError

SIZE = (300.0, 420.0)
STRONG = PageWarp(
    scale=[0.7, 1.4],
    rotation=8,
    shear=5,
    stretch=[0.9, 1.1],
    perspective=0.03,
    elastic=0.1,
    quarter_turns=0.3,
    flip=0.5,
)
PLAN = MapPlan(("MainZone",))


def draw_warp(seed: int, how: PageWarp = STRONG, factor: float = 1.0) -> Warp:
    return how.draw(SIZE, 20.0, factor, np.random.default_rng(seed))


@given(st.integers(0, 10_000), st.floats(0.4, 2.0))
@settings(max_examples=60, deadline=None)
def test_the_way_back_leads_to_where_a_point_came_from(seed, factor):
    warp = draw_warp(seed, factor=factor)
    points = np.random.default_rng(seed).uniform((0, 0), SIZE, (50, 2))
    back = warp.move_back(warp.move(points))
    assert np.abs(back - points).max() < 0.5


@given(st.integers(0, 10_000), st.floats(0.5, 1.6))
@settings(max_examples=40, deadline=None)
def test_a_mark_on_the_page_is_where_its_point_was_moved_to(seed, factor):
    warp = draw_warp(seed, factor=factor)
    point = np.random.default_rng(seed).uniform((60, 60), (240, 360))
    pixels = np.full((420, 300), 255, np.uint8)
    x, y = np.rint(point).astype(int)
    pixels[y - 6 : y + 7, x - 6 : x + 7] = 0
    wanted = warp.move(np.array([[x, y]], np.float64))[0]
    left, top = (int(v) for v in wanted - 40)
    seen = 255.0 - warp.sample(pixels, (left, top, 80, 80), 255)
    rows, columns = np.indices(seen.shape)
    centre = np.array([(columns * seen).sum(), (rows * seen).sum()]) / seen.sum()
    assert np.abs(centre + np.array([left, top]) - wanted).max() < 1.0


def test_what_lies_beside_the_page_is_filled():
    warp = draw_warp(1, PageWarp())
    seen = warp.sample(np.zeros((420, 300), np.uint8), (-300, -300, 640, 640), 200)
    assert seen[0, 0] == 200
    assert seen[300, 300] == 0


def test_writing_in_a_mirror_still_runs_to_the_right():
    shapes = PageShapes(SIZE, 20.0, (LineShape(np.array([[50.0, 100.0], [150.0, 104.0]]), 14.0, 6.0),))
    warp = draw_warp(3, PageWarp(flip=1.0))
    assert warp.mirrored
    (moved,) = warp.move_shapes(shapes, (-200, -300, 400, 600)).lines
    assert moved.baseline[0, 0] < moved.baseline[-1, 0]
    assert (moved.up, moved.down) == (14.0, 6.0)
    # What stood left stands right.
    assert moved.baseline[:, 0].mean() > 200


def make_store(path, pages, annotated=None) -> PageStore:
    writer = PageStoreWriter(path / "pages.arrow", 1, "digest")
    for number, (pixels, shapes) in enumerate(pages):
        page = Page(f"p{number}", path / f"p{number}.xml", annotated=annotated)
        writer.add(StoredPage(page, f"hash{number}", pixels, (1.0, 1.0), shapes))
    writer.close()
    return PageStore(path / "pages.arrow")


def written_page(seed: int) -> tuple[np.ndarray, PageShapes]:
    """Dark strokes on every baseline, and shapes that say so."""
    random = np.random.default_rng(seed)
    pixels = np.full((420, 300), 230, np.uint8)
    lines = []
    for y in range(60, 380, 30):
        left, right = sorted(random.integers(20, 280, 2).tolist())
        right = max(right, left + 60)
        pixels[y - 14 : y, left : min(right, 290)] = 40
        lines.append(LineShape(np.array([[left, y], [min(right, 290), y]], np.float64), 15.0, 6.0))
    region = RegionShape("MainZone", np.array([[15, 40], [292, 40], [292, 390], [15, 390]], np.float64))
    return pixels, PageShapes(SIZE, 30.0, tuple(lines), (region,))


@pytest.fixture
def store(tmp_path):
    return make_store(tmp_path, [written_page(seed) for seed in range(4)])


def views(store, epoch=0, augmentation=None, rows=4, **how):
    how = {"crop": 128, "overview": 160, "overviews": 0.3, **how}
    pages = TrainingPages(
        store, np.arange(rows), PLAN, augmentation or PageAugmentation(STRONG), View(**how), 7, "page"
    )
    return [pages[SampleIndex(place, epoch)] for place in range(rows)]


def test_a_view_depends_on_seed_epoch_and_page_alone(store):
    first, again, later = views(store), views(store), views(store, epoch=1)
    for one, other, another in zip(first, again, later, strict=True):
        assert one.images.equal(other.images)
        assert one.maps.nan_to_num(-9.0).equal(other.maps.nan_to_num(-9.0))
        assert one.images.shape != another.images.shape or not one.images.equal(another.images)


def test_ridges_run_along_the_foot_of_the_ink(store):
    """Of what is shown, however it was turned: just above a ridge there is ink, below it there is paper."""
    ink, paper = [], []
    for epoch in range(6):
        for batch in views(store, epoch, PageAugmentation(PageWarp(scale=[0.8, 1.2], rotation=5)), overviews=0.0):
            image, maps = batch.images[0, 0].numpy(), batch.maps[0].numpy()
            rows, columns = np.nonzero(maps[PLAN.place("ridge")] > 0.95)
            along = maps[[PLAN.place("along_x"), PLAN.place("along_y")]][:, rows, columns]
            up = np.stack([along[1], -along[0]])
            for side, values in ((4.0, ink), (-3.0, paper)):
                x = np.rint(2 * columns + side * up[0] + 0.5).astype(int)
                y = np.rint(2 * rows + side * up[1] + 0.5).astype(int)
                inside = (x >= 0) & (y >= 0) & (x < image.shape[1]) & (y < image.shape[0])
                values += image[y[inside], x[inside]].tolist()
    assert np.median(ink) < 80
    assert np.median(paper) > 180


def test_windows_are_no_larger_than_asked_and_fit_the_network(store):
    for epoch in range(4):
        for batch in views(store, epoch, overviews=0.0):
            height, width = batch.images.shape[2:]
            assert height <= 128
            assert width <= 128
            assert height % 32 == width % 32 == 0
            assert batch.maps.shape[2:] == (height // 2, width // 2)


def test_an_overview_shows_the_whole_page(store):
    for batch in views(store, augmentation=PageAugmentation(), overviews=1.0):
        assert max(batch.images.shape[2:]) == 160


def test_pages_of_several_sizes_share_a_batch(store):
    pages = TrainingPages(store, np.arange(4), PLAN, PageAugmentation(STRONG), View(crop=128, overview=160), 7)
    batch = pages.__getitems__([SampleIndex(place, 2) for place in range(4)])
    alone = [pages[SampleIndex(place, 2)] for place in range(4)]
    assert batch.images.shape[0] == 4
    for place, one in enumerate(alone):
        height, width = one.images.shape[2:]
        assert batch.images[place, :, :height, :width].equal(one.images[0])


@pytest.mark.parametrize("name", ["page_light", "page", "page_strong"])
def test_the_ways_of_varying_pages_that_come_with_the_program(store, name):
    group = yaml.safe_load((ROOT / "conf" / "augmentation" / f"{name}.yaml").read_text(encoding="utf-8"))
    augmentation = build_page_augmentation(group)
    shown = [batch for epoch in range(5) for batch in views(store, epoch, augmentation)]
    assert all(float(batch.maps[0, 0].nan_to_num().max()) <= 1 for batch in shown)
    assert len({batch.images.numpy().tobytes() for batch in shown}) == len(shown)


@pytest.mark.parametrize("annotated", ["page", "regions", "lines"])
def test_what_the_files_do_not_say_is_ignored(store, annotated):
    pages = TrainingPages(store, np.arange(4), PLAN, PageAugmentation(), View(overviews=1.0), 7, annotated)
    maps = pages[SampleIndex(0, 0)].maps[0].numpy()
    binary = maps[[PLAN.place(name) for name in ("ridge", "start", "end")]]
    outside = np.isnan(binary).all(axis=0)
    if annotated == "page":
        assert not outside.any()
    else:
        assert 0.02 < outside.mean() < 0.9
        assert outside[0].all()  # The page's upper edge lies in no region, and far from any line.
    assert np.isnan(maps[len(LINE_MAPS) :]).all() == (annotated == "lines")


def test_what_the_store_says_of_a_page_goes_before_what_holds_for_all(tmp_path):
    seen = {}
    for own in (None, "lines"):
        (tmp_path / str(own)).mkdir()
        store = make_store(tmp_path / str(own), [written_page(0)], own)
        pages = TrainingPages(store, np.arange(1), PLAN, PageAugmentation(), View(overviews=1.0), 7, "page")
        seen[own] = np.isnan(pages[SampleIndex(0, 0)].maps[0, PLAN.place("ridge")].numpy()).mean()
    assert seen[None] == 0 < seen["lines"]


def test_a_page_without_regions_says_nothing_of_them(tmp_path):
    pixels, shapes = written_page(1)
    store = make_store(tmp_path, [(pixels, PageShapes(shapes.size, shapes.interline, shapes.lines))])
    pages = TrainingPages(store, np.arange(1), PLAN, PageAugmentation(), View(overviews=1.0), 7)
    maps = pages[SampleIndex(0, 0)].maps[0].numpy()
    assert np.isnan(maps[len(LINE_MAPS) :]).all()
    assert not np.isnan(maps[0]).any()


def test_a_blank_page_says_that_there_is_nothing(tmp_path):
    store = make_store(tmp_path, [(np.full((420, 300), 230, np.uint8), PageShapes(SIZE, 30.0))])
    pages = TrainingPages(store, np.arange(1), PLAN, PageAugmentation(), View(overviews=1.0), 7)
    batch = pages[SampleIndex(0, 0)]
    assert float(batch.maps[0, PLAN.place("ridge")].max()) == 0
    assert float(batch.maps[0, PLAN.place("region MainZone")].max()) == 0
    assert not bool(batch.near_line.any())


def test_most_windows_hold_text():
    """One line on a large page: a window laid anywhere would rarely hold it."""
    shapes = PageShapes((4000.0, 4000.0), 20.0, (LineShape(np.array([[3000.0, 3500.0], [3200.0, 3500.0]]), 14.0, 6.0),))
    warp = PageWarp().draw(shapes.size, 20.0, 1.0, np.random.default_rng(0))
    random = np.random.default_rng(1)
    held = 0
    for _ in range(100):
        left, top, width, height = choose_window(warp, shapes, 400, random)
        x, y = warp.move(np.array([[3100.0, 3500.0]]))[0]
        held += left <= x <= left + width and top <= y <= top + height
    assert 55 < held < 95


@pytest.mark.parametrize(
    ("group", "told"),
    [
        ({"_target_": "uncial.data.augmentation.chain.Augmentation", "transforms": [
            {"_target_": "uncial.data.augmentation.capture.GaussNoise"}]}, "for lines"),
        ({"_target_": "uncial.data.augmentation.page.PageAugmentation", "warp": {
            "_target_": "uncial.data.augmentation.page.PageWarp", "rotation": 400}}, "PageWarp.rotation is 400"),
        ({"_target_": "uncial.data.augmentation.page.PageAugmentation", "transforms": 3}, "a list of transforms"),
    ],
)  # fmt: skip
def test_what_varies_no_pages_ends_in_a_sentence(group, told):
    with pytest.raises(UserError, match=told):
        build_page_augmentation(group)
