"""A layout model as a pipeline: lazily, in order, whatever is wrong with a page."""

from dataclasses import replace
from itertools import islice
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from bar_pages import BARS, SIZE, see_bars, write_bars
from hypothesis import given
from hypothesis import strategies as st

from uncial.document import ImageSource, Page, Region, TextLine
from uncial.imaging.line_geometry import resolve_geometry
from uncial.pipelines import layout
from uncial.pipelines.layout import FindingSettings, LayoutPipeline, set_line_direction


class BarModel(SimpleNamespace):
    """In place of a `Segmenter`."""

    channels = 1
    find = see_bars

    def eval(self):
        return self

    def parameters(self):
        return iter([torch.zeros(1)])


def page(path: Path, **more) -> Page:
    return Page(path.stem, path, ImageSource(path), **more)


def find(pages, **settings):
    return list(LayoutPipeline(BarModel(), FindingSettings(**settings))(pages))


def test_pages_come_in_order_with_what_was_found(tmp_path):
    paths = [write_bars(tmp_path / f"{n}.png", *BARS[: n + 1]) for n in range(3)]
    found = find(map(page, paths))
    assert [(one.id, len(one.lines), one.width, one.height) for one in found] == [
        (str(n), n + 1, *SIZE) for n in range(3)
    ]
    assert found[2].lines[0].baseline == ((40.0, 120.0), (300.0, 120.0))
    assert found[2].lines[0].confidence == 0.875


def test_a_bad_page_is_an_issue_and_the_others_are_found(tmp_path):
    good, bad, tiny = write_bars(tmp_path / "good.png"), tmp_path / "bad.jpg", tmp_path / "tiny.png"
    bad.write_bytes(b"no image")
    write_bars(tiny, (1, 1, 3, 3), size=(9, 200))
    found = find([page(bad), page(good), page(tmp_path / "gone.png"), page(tiny), page(good)])
    assert [len(one.lines) for one in found] == [0, 3, 0, 0, 3]
    assert [[issue.kind for issue in one.issues] for one in found] == [
        ["unreadable_image"],
        [],
        ["missing_image"],
        ["unreadable_image"],
        [],
    ]


def test_no_more_pages_are_taken_than_are_in_flight(tmp_path):
    path, taken = write_bars(tmp_path / "a.png"), []

    def pages():
        for number in range(50):
            taken.append(number)
            yield page(path)

    stream = LayoutPipeline(BarModel(), FindingSettings())(pages())
    assert taken == []
    assert len(list(islice(stream, 3))) == 3
    assert len(taken) <= 3 + layout.MAX_PAGES_IN_FLIGHT
    stream.close()


def test_a_page_that_has_lines_is_not_even_decoded(tmp_path):
    kept = page(tmp_path / "gone.png", lines=(TextLine("x", "p"),))
    assert find([kept]) == [kept]
    [anew] = find([kept], lines="find")
    assert [issue.kind for issue in anew.issues] == ["missing_image"]


def test_coordinates_are_those_of_the_file_where_its_image_has_another_resolution(tmp_path):
    path = write_bars(tmp_path / "a.png")
    [found] = find([page(path, width=2 * SIZE[0], height=2 * SIZE[1])])
    assert found.lines[0].baseline == ((80.0, 240.0), (600.0, 240.0))


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_coordinates_are_those_of_the_page_as_viewers_show_it(tmp_path, orientation):
    """The pixels are turned such that the EXIF orientation turns them back."""
    from PIL import Image

    shown = Image.open(write_bars(tmp_path / "shown.png"))
    degrees = {1: 0, 3: 180, 6: 90, 8: 270}[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    shown.rotate(degrees, expand=True).save(tmp_path / "a.jpg", quality=98, exif=exif)
    [found] = find([page(tmp_path / "a.jpg")])
    assert (found.width, found.height) == SIZE
    assert found.issues == ()
    assert np.abs(np.array(found.lines[0].baseline) - [[40, 120], [300, 120]]).max() <= 2


def test_regions_that_a_page_has_are_kept_with_lines_cut_at_their_borders(tmp_path):
    path = write_bars(tmp_path / "a.png", (40, 100, 360, 120), (40, 180, 150, 200))
    left, right = (
        Region(name, name, _box(*x, 60, 500), n) for n, (name, x) in enumerate((("b", (20, 199)), ("a", (200, 380))))
    )
    [found] = find([page(path, width=SIZE[0], height=SIZE[1], regions=(left, right))], regions="keep")
    assert found.regions == (left, right)
    assert [(one.region_id, one.baseline[0][0], one.baseline[-1][0]) for one in found.lines] == [
        ("b", 40.0, pytest.approx(199, abs=6)),
        ("b", 40.0, 150.0),
        ("a", pytest.approx(200, abs=6), 360.0),
    ]
    assert all(len(one.polygon) > 3 for one in found.lines)
    [without] = find([page(path)], regions="keep")
    assert [one.type for one in without.regions] == ["MainZone"]


def _box(left, right, top, bottom):
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def test_what_stands_out_of_all_regions_is_left_out(tmp_path):
    path = write_bars(tmp_path / "a.png", (40, 100, 360, 120), (40, 180, 390, 200), (40, 400, 200, 420))
    region = Region("r", "", _box(50, 300, 60, 300))
    [found] = find([page(path, width=SIZE[0], height=SIZE[1], regions=(region,))], regions="keep")
    ends = [(one.baseline[0][0], one.baseline[-1][0]) for one in found.lines]
    assert ends == [(40.0, pytest.approx(300, abs=5))] * 2


@given(st.floats(0, 359), st.sampled_from([None, "ltr", "rtl", "ttb", "btt"]), st.floats(0.5, 0.9))
def test_whatever_way_a_line_runs_its_direction_is_such_that_readers_see_it_so(degrees, direction, up):
    along = np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])
    across = np.array([-along[1], along[0]])
    ends = np.array([500 - 150 * along, 500 + 150 * along])
    corners = [*(ends - 40 * up * across), *(ends + 40 * (1 - up) * across)[::-1]]
    line = TextLine("l", "p", tuple(map(tuple, np.array(corners).tolist())), tuple(map(tuple, ends.tolist())))
    told = set_line_direction(line, direction)
    seen = resolve_geometry(told, 1e4).baseline
    if up > 0.6 or abs(along[1]) > abs(along[0]) or along[0] > 0:
        assert (seen[-1] - seen[0]) @ along > 0
    assert replace(told, direction=None) == line
    if abs(along[1]) < abs(along[0]) and along[0] > 0 and direction in ("ltr", "rtl"):
        assert told.direction == direction
