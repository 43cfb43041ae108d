"""The store of pages: decoded once, at one distance of lines, found again by what it was made of."""

import pickle
from dataclasses import replace

import cv2
import numpy as np
import pytest

from uncial.data.pages.compile import open_or_compile_pages
from uncial.data.pages.region_types import RegionTypes, parse_region_types
from uncial.data.pages.store import PageStore
from uncial.data.settings import show_no_progress
from uncial.data.store.compile import CompileSettings, hash_images
from uncial.document import ImageSource, Page, Region, TextLine
from uncial.errors import UserError


def make_page(folder, name="a", interline=60, scale=1, lines=6) -> Page:
    """A page whose lines are so many pixels apart, ink above each baseline; `scale` times larger in its image than the
    file says."""
    height, width = (lines + 2) * interline, 12 * interline
    pixels = np.full((height * scale, width * scale), 240, np.uint8)
    found = []
    for number in range(lines):
        y = (number + 1) * interline
        pixels[(y - interline // 2) * scale : y * scale, interline * scale : (width - interline) * scale] = 20
        left, right, top = interline, width - interline, y - interline // 2
        box = ((left, top), (right, top), (right, y + 9), (left, y + 9))
        found.append(TextLine(f"l{number}", name, polygon=box, baseline=((left, y), (right, y))))
    cv2.imwrite(str(folder / f"{name}.png"), pixels)
    region = Region("r", "MainZone#1", ((5, 5), (width - 5, 5), (width - 5, height - 5), (5, height - 5)))
    image = ImageSource(folder / f"{name}.png")
    return Page(name, folder / f"{name}.xml", image, width, height, (region,), tuple(found), document="d")


def compiled(pages, folder, **how) -> PageStore:
    settings = CompileSettings(folder / "store", **how)
    return open_or_compile_pages(pages, hash_images(pages), settings, show_no_progress)


@pytest.mark.parametrize(("interline", "scale", "stored"), [(60, 1, 30), (120, 1, 30), (60, 2, 30), (20, 1, 20)])
def test_lines_of_every_page_are_as_far_apart_and_none_is_enlarged(tmp_path, interline, scale, stored):
    page = make_page(tmp_path, interline=interline, scale=scale)
    store = compiled([page], tmp_path)
    shapes = store.shapes(0)
    assert shapes.interline == pytest.approx(stored, rel=0.05)
    ys = sorted(line.baseline[0, 1] for line in shapes.lines)
    assert np.diff(ys) == pytest.approx(stored, rel=0.05)
    pixels = store.pixels(0)
    y, x = int(ys[2]), pixels.shape[1] // 2
    assert pixels[y - 3, x] < 60
    assert pixels[y + 4, x] > 200
    assert store.frame(0) == pytest.approx((page.width, page.height))


def test_the_page_comes_back_as_its_file_has_it(tmp_path):
    page = make_page(tmp_path)
    kept = compiled([page], tmp_path).page(0)
    assert [line.baseline for line in kept.lines] == [line.baseline for line in page.lines]
    assert [line.polygon for line in kept.lines] == [line.polygon for line in page.lines]
    assert [(region.type, region.polygon) for region in kept.regions] == [
        (region.type, region.polygon) for region in page.regions
    ]
    assert (kept.id, kept.document, kept.width, kept.height) == (page.id, "d", page.width, page.height)


def test_it_is_found_again_until_a_line_moves(tmp_path):
    page = make_page(tmp_path)
    first = compiled([page], tmp_path)
    written = first.path.stat().st_mtime_ns
    assert compiled([page], tmp_path).path == first.path
    assert first.path.stat().st_mtime_ns == written
    moved = replace(page, lines=(replace(page.lines[0], baseline=((60, 61), (660, 60))), *page.lines[1:]))
    assert compiled([moved], tmp_path).path != first.path


def test_the_number_of_processes_changes_nothing(tmp_path):
    pages = [make_page(tmp_path, name) for name in "abc"]
    one, two = compiled(pages, tmp_path / "1", workers=1), compiled(pages, tmp_path / "2", workers=2)
    assert one.path.read_bytes() == two.path.read_bytes()


def test_a_page_that_cannot_be_decoded_is_left_out_and_told(tmp_path):
    pages = [make_page(tmp_path, name) for name in "ab"]
    (tmp_path / "a.png").write_bytes(b"no image")
    store = compiled(pages, tmp_path)
    assert store.column("page") == ["b"]
    assert "a.png" in store.problems[0].reason
    with pytest.raises(UserError, match=r"data\.strict"):
        compiled(pages, tmp_path / "strict", strict=True)


def test_a_page_without_lines_has_the_scale_of_the_others(tmp_path):
    pages = [make_page(tmp_path, "a"), replace(make_page(tmp_path, "b"), lines=())]
    store = compiled(pages, tmp_path)
    assert store.pixels(0).shape == store.pixels(1).shape


def test_a_store_that_has_changed_is_told_by_its_page(tmp_path):
    store = compiled([make_page(tmp_path)], tmp_path)
    content = bytearray(store.path.read_bytes())
    content[len(content) // 2] ^= 255
    store.path.write_bytes(bytes(content))
    with pytest.raises(UserError, match="page a is not as it was written"):
        PageStore(store.path).pixels(0)


def test_it_pickles_as_its_path(tmp_path):
    store = compiled([make_page(tmp_path)], tmp_path)
    assert len(pickle.dumps(store)) < 1000
    assert np.array_equal(pickle.loads(pickle.dumps(store)).pixels(0), store.pixels(0))


def test_a_cut_off_store_is_made_again(tmp_path):
    page = make_page(tmp_path)
    store = compiled([page], tmp_path)
    whole = store.path.read_bytes()
    store.path.write_bytes(whole[: len(whole) // 2])
    assert compiled([page], tmp_path).path.read_bytes() == whole


@pytest.mark.parametrize(
    ("table", "named"),
    [
        (None, {"MainZone": "MainZone", "MainZone#2": "MainZone", None: "text", "": "text", "a": "a"}),
        ({"MainZone": ["a", "text"]}, {"a": "MainZone", None: "MainZone", "b": "b"}),
        ({"StampZone": None}, {"StampZone": None, "StampZone#1": None, "b": "b"}),
        (["MainZone:a,b", "x:y"], {"a": "MainZone", "b": "MainZone", "y": "x"}),
        ("MainZone:a", {"a": "MainZone"}),
        ({"First": ["MainZone#1"]}, {"MainZone#1": "First", "MainZone#2": "MainZone"}),
    ],
)
def test_types_of_regions_are_the_files_words_or_what_a_table_makes_of_them(table, named):
    types = parse_region_types(table)
    assert {word: types.find_name(word) for word in named} == named


@pytest.mark.parametrize("table", [3, "MainZone", [":a"], {"a": 4}, {"a": ["x"], "b": ["x"]}])
def test_what_is_no_table_of_types_ends_in_a_sentence(table):
    with pytest.raises(UserError, match=r"model\.regions"):
        parse_region_types(table)


def test_a_type_that_is_taken_out_is_on_no_page():
    page = Page("p", __file__, regions=(Region("a", "MainZone"), Region("b", "StampZone")))
    assert [region.type for region in RegionTypes({"StampZone": None}).rename_page(page).regions] == ["MainZone"]
