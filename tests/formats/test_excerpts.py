"""Pages of which only some lines are handed on, as PAGE that reads back."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from uncial.document import ImageSource, Page, Region, TextLine
from uncial.errors import UnusableInput
from uncial.formats.page_xml.new_document import write_excerpt
from uncial.formats.page_xml.reading import read_page
from uncial.formats.xml.parsing import parse

SQUARE = ((0.0, 0.0), (60.0, 0.0), (60.0, 40.4), (0.0, 40.0))


@pytest.fixture
def page(tmp_path):
    path = tmp_path / "scan.png"
    Image.fromarray(np.full((80, 120), 200, np.uint8)).save(path)
    regions = (Region("r", "heading", SQUARE), Region("odd", "MainZone", SQUARE), Region("bare", None, ()))
    lines = (
        TextLine("a", "p", SQUARE, ((0.0, 30.0), (60.0, 30.0)), text="one", region_id="r"),
        TextLine("b 2", "p", (), (), (10.0, 0.0, 50.0, 20.0), text="two\x07", region_id="odd"),
        TextLine("c", "p", (), ((-5.0, 70.0), (130.0, 72.0)), text=None, region_id="bare"),
        TextLine("d", "p", text="nowhere"),
        TextLine("e", "p", SQUARE, ((1.0, 1.0),), text="left out", region_id="r"),
    )
    return Page("p", tmp_path / "p.xml", ImageSource(path), width=120, height=80, regions=regions, lines=lines)


def read(path):
    contents = read_page(parse(path).getroot(), path, "p")
    assert contents.problems == ()
    return contents.pages[0]


def test_the_lines_come_back_with_their_outlines_regions_and_texts(page, tmp_path):
    target = write_excerpt(page, ["a", "b 2", "c", "d"], tmp_path / "out", with_image=True)
    found = read(target)
    assert target == tmp_path / "out" / "p.xml"
    assert (found.width, found.height, found.metadata["image"]) == (120, 80, "scan.png")
    assert (target.parent / "scan.png").read_bytes() == page.image.path.read_bytes()
    lines = {line.text: line for line in found.lines}
    assert lines.keys() == {"one", "two", "", "nowhere"}
    assert lines["one"].polygon == ((0, 0), (60, 0), (60, 40), (0, 40)), "the edge of the page is at 0"
    assert lines["one"].baseline == ((0, 30), (60, 30))
    assert lines["two"].polygon == ((10, 0), (50, 0), (50, 20), (10, 20)), "its box"
    assert lines[""].polygon == ((0, 70), (120, 72)), "its baseline, within the page"
    assert lines["nowhere"].polygon == ((0, 0), (120, 0), (120, 80), (0, 80)), "all of the page"
    types = {line.text: next(one.type for one in found.regions if one.id == line.region_id) for line in found.lines}
    assert types == {"one": "heading", "two": "other", "": "paragraph", "nowhere": "paragraph"}
    assert len({line.id for line in found.lines}) == 4
    assert lines["one"].id == "a"


def test_without_a_size_it_is_that_of_the_image(page, tmp_path):
    found = read(write_excerpt(replace(page, width=0, height=0), ["d"], tmp_path / "out", with_image=False))
    assert (found.width, found.height) == (120, 80)
    assert not (tmp_path / "out" / "scan.png").exists()
    page.image.path.write_bytes(b"torn")
    with pytest.raises(UnusableInput, match=r"scan\.png"):
        write_excerpt(replace(page, width=0, height=0), ["d"], tmp_path / "out", with_image=False)
    with pytest.raises(UnusableInput, match="no image"):
        write_excerpt(replace(page, image=None), ["d"], tmp_path / "out", with_image=False)


def test_a_frame_of_several_is_written_as_an_image_of_its_own(page, tmp_path):
    path = tmp_path / "many.tif"
    frames = [Image.fromarray(np.full((80, 120), grey, np.uint8)) for grey in (10, 90, 170)]
    frames[0].save(path, save_all=True, append_images=frames[1:])
    target = write_excerpt(replace(page, image=ImageSource(path, 1)), ["a"], tmp_path / "out", with_image=True)
    assert read(target).metadata["image"] == "many_1.png"
    assert (np.asarray(Image.open(target.parent / "many_1.png")) == 90).all()


def test_beside_the_image_itself_nothing_is_copied(page, tmp_path):
    before = page.image.path.read_bytes()
    write_excerpt(page, ["a"], Path(tmp_path), with_image=True)
    assert page.image.path.read_bytes() == before
