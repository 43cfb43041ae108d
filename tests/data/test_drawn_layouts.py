"""Drawn pages with layouts: their truth is exact, and pages without a layout are those that there were."""

import hashlib
from dataclasses import replace
from functools import cache
from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from uncial.data.pages.shapes import read_shapes
from uncial.data.settings import SourceSettings
from uncial.data.sources import synthetic
from uncial.data.synthetic.layouts.page import draw_layout_page
from uncial.data.synthetic.options import LAYOUTS, DrawingOptions, parse_drawing_options
from uncial.data.synthetic.page import draw_page
from uncial.data.synthetic.writer import collect_inputs, name_collection
from uncial.errors import UserError
from uncial.formats.page_xml.new_document import build_page_xml

SMALL = DrawingOptions(
    layouts=LAYOUTS, lines=(10, 24), characters=(24, 50), size=(18, 26), spacing=(1.0, 1.3), hands=4, seed=3
)
INK = 20

WITHOUT_LAYOUT = "b9344588c71b65cbcfc19532aff6a2564674b33ca62dc07323800b7fd542bc53"


@cache
def draw(number):
    return draw_layout_page(number, SMALL)


def fill(polygon, shape):
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.array(polygon, np.int32)], 1)
    return mask.astype(bool)


def only(*names, **changes):
    return replace(SMALL, layouts=names, **changes)


def types(page):
    return {region.type for region in page.regions}


@pytest.mark.parametrize("number", range(12))
def test_the_ink_of_each_line_lies_inside_its_polygon_and_around_its_baseline(number):
    drawn = draw(number)
    for line, ink in zip(drawn.page.lines, drawn.inks, strict=True):
        rows, columns = np.nonzero(ink.coverage > INK)
        assert len(rows) > 3
        mask = fill(line.polygon, drawn.image.shape[:2])
        assert mask[rows + ink.top, columns + ink.left].all(), line.id
        baseline = np.array(line.baseline)
        chord = baseline[-1] - baseline[0]
        length = np.hypot(*chord)
        points = np.stack([columns + ink.left, rows + ink.top], axis=1) + 0.5 - baseline[0]
        along, across = points @ chord / length, points @ [chord[1], -chord[0]] / length
        assert along.min() > -0.6 * np.ptp(across) - 3
        assert along.max() < length + 0.6 * np.ptp(across) + 3
        assert across.max() > 0


@pytest.mark.parametrize("number", range(12))
def test_the_truth_is_no_larger_than_the_ink_asks(number):
    drawn = draw(number)
    for line, ink in zip(drawn.page.lines, drawn.inks, strict=True):
        polygon = np.array(line.polygon)
        box = np.array([ink.left, ink.top]), np.array([ink.left, ink.top]) + ink.coverage.shape[::-1]
        # Constant heights along the baseline: as high as the line is anywhere, and its ends as long as its baseline.
        baseline = np.array(line.baseline)
        thickness = 0.75 * max(np.ptp(baseline, axis=0).max(), 30)
        assert (polygon.min(axis=0) > box[0] - thickness).all()
        assert (polygon.max(axis=0) < box[1] + thickness).all()


@pytest.mark.parametrize("number", range(12))
def test_readers_keep_every_baseline_as_it_was_drawn(number):
    """Also of lines that are turned, upside down, vertical or right to left."""
    page = draw(number).page
    shapes = read_shapes(page)
    assert len(shapes.lines) == len(page.lines)
    for line, shape in zip(page.lines, shapes.lines, strict=True):
        assert np.abs(shape.baseline[[0, -1]] - np.array(line.baseline)[[0, -1]]).max() < 0.01, line.id
        assert shape.up > 0
        assert shape.down > 0


def test_the_same_seed_draws_the_same_page_and_another_seed_another():
    first, same, other = (draw_layout_page(2, replace(SMALL, seed=seed)) for seed in (1, 1, 2))
    assert np.array_equal(first.image, same.image)
    assert build_page_xml(first.page) == build_page_xml(same.page) != build_page_xml(other.page)


def test_a_page_does_not_depend_on_what_was_drawn_before_it():
    alone = draw_layout_page(5, SMALL).image
    for number in (1, 3):
        draw_layout_page(number, SMALL)
    assert np.array_equal(draw_layout_page(5, SMALL).image, alone)


def test_pages_are_read_back_as_they_were_drawn(tmp_path):
    drawn = replace(SMALL, pages=4)
    options = {key: getattr(drawn, key) for key in ("lines", "characters", "size", "spacing", "hands", "seed", "pages")}
    options = {key: list(value) if isinstance(value, tuple) else value for key, value in options.items()}
    source = SourceSettings("synthetic", (str(tmp_path),), options={**options, "layouts": "all", "workers": 1})
    reading = synthetic.read(source)
    assert not reading.problems
    assert len(reading.pages) == 4
    for number, page in enumerate(reading.pages):
        truth = draw_layout_page(number, drawn).page
        assert [(r.id, r.type, r.polygon) for r in page.regions] == [(r.id, r.type, r.polygon) for r in truth.regions]
        fields = [(ln.id, ln.text, ln.polygon, ln.region_id, ln.direction, ln.tags) for ln in truth.lines]
        assert [(ln.id, ln.text, ln.polygon, ln.region_id, ln.direction, ln.tags) for ln in page.lines] == fields
        for line, true in zip(page.lines, truth.lines, strict=True):
            assert np.abs(np.array(line.baseline) - np.array(true.baseline)).max() <= 0.5


def test_a_reading_of_all_files_and_lines_takes_drawn_pages_too(tmp_path):
    options = {"pages": 1, "lines": 4, "workers": 1, "layouts": ["columns"], "unlabelled": True, "every_file": True}
    assert len(synthetic.read(SourceSettings("synthetic", (str(tmp_path),), options=options)).pages) == 1


def test_pages_without_a_layout_are_those_that_there_were():
    """Drawn, named and described to the byte as before there were layouts."""
    digest = hashlib.sha256()
    for number in range(2):
        drawn = draw_page(number, DrawingOptions(lines=(4, 6), characters=(10, 14), furniture=1.0))
        digest.update(build_page_xml(drawn.page) + build_page_xml(drawn.page, "2019-07-15"))
    assert digest.hexdigest() == WITHOUT_LAYOUT
    assert name_collection(collect_inputs(DrawingOptions())) == "seed1-c3cd24981b"
    inputs = collect_inputs(parse_drawing_options({"seed": 4, "languages": "latin", "layouts": []}))
    assert name_collection(inputs) == "seed4-0febd93554"


def test_pages_with_layouts_have_a_folder_of_their_own():
    names = [
        name_collection(collect_inputs(parse_drawing_options({"layouts": layouts})))
        for layouts in ([], "all", ["columns"])
    ]
    assert len(set(names)) == 3


@pytest.mark.parametrize(
    ("name", "has"),
    [
        ("margins", "MarginTextZone"),
        ("titles", "RunningTitleZone"),
        ("initials", "DropCapitalZone"),
        ("tables", "TableZone"),
        ("graphics", "GraphicZone"),
    ],
)
def test_a_layout_brings_its_regions(name, has):
    drawn = [types(draw_layout_page(number, only(name)).page) for number in range(4)]
    assert all(has in found for found in drawn)
    assert all(found <= {"MainZone", has} for found in drawn)


def test_numbers_are_lines_of_a_few_characters():
    pages = [draw_layout_page(number, only("numbers")).page for number in range(4)]
    for page in pages:
        [text] = [line.text for line in page.lines if region_type(page, line) == "NumberingZone"]
        assert text is not None
        assert text.isalnum()


def test_columns_stand_beside_each_other_with_a_gutter():
    for number in range(4):
        page = draw_layout_page(number, only("columns", skew=(0, 0))).page
        spans = [(min(x), max(x)) for x in ([p[0] for p in r.polygon] for r in page.regions)]
        assert len(spans) in (2, 3)
        assert all(before[1] < after[0] for before, after in pairwise(spans))


def test_small_notes_stand_between_the_lines():
    page = draw_layout_page(0, only("interlinear")).page
    notes = [line for line in page.lines if line.tags == ("InterlinearLine",)]
    others = [line for line in page.lines if not line.tags]
    assert 0 < len(notes) < len(others)

    def height(line):
        return np.ptp(np.array(line.polygon)[:, 1])

    assert max(map(height, notes)) < np.median(list(map(height, others)))


def directions(page):
    """Degrees in which the lines of a page run, by quarters."""
    chords = [np.array(line.baseline[-1]) - np.array(line.baseline[0]) for line in page.lines]
    return {round(np.degrees(np.arctan2(chord[1], chord[0])) / 90) % 4 for chord in chords}


def test_blocks_are_turned_all_ways():
    options = only("turned", skew=(0, 0), lines=(10, 10), characters=(20, 20))
    pages = [draw_layout_page(number, options).page for number in range(20)]
    assert set().union(*map(directions, pages)) == {0, 1, 2, 3}


def test_vertical_blocks_run_down_their_columns_from_the_right():
    page = draw_layout_page(0, only("vertical", skew=(0, 0))).page
    columns = [line for line in page.lines if line.direction == "ttb"]
    assert len(columns) > 1
    for line in columns:
        assert line.baseline[0][1] < line.baseline[-1][1]
        assert all("\u4e00" <= character <= "\u9fff" for character in line.text)
    x = [line.baseline[0][0] for line in columns]
    assert x == sorted(x, reverse=True)


def test_right_to_left_pages_are_hebrew_from_the_right_margin():
    page = draw_layout_page(0, only("right_to_left")).page
    assert {line.direction for line in page.lines} == {"rtl"}
    assert all("\u05d0" <= line.text[0] <= "\u05ea" for line in page.lines)
    assert all(line.baseline[0][0] < line.baseline[-1][0] for line in page.lines)


def test_blank_pages_come_now_and_then():
    pages = [draw_layout_page(number, only("blank", lines=(2, 3), texture=0.0)).page for number in range(60)]
    blank = [page for page in pages if not page.lines]
    assert 0 < len(blank) < 12
    assert all(page.width > 100 and page.height > 60 and not page.regions for page in blank)


def test_given_texts_are_the_running_text_in_their_order():
    texts = [f"linje nummer {number} av tolv" for number in "abcdefghijkl"]
    for number in range(6):
        page = draw_layout_page(
            number, replace(SMALL, layouts=("columns", "margins", "tables", "initials")), texts
        ).page
        assert [line.text for line in page.lines if region_type(page, line) == "MainZone"] == texts


@settings(max_examples=12, deadline=None)
@given(
    lines=st.tuples(st.integers(1, 4), st.integers(4, 20)),
    characters=st.tuples(st.integers(1, 10), st.integers(10, 60)),
    size=st.floats(4, 40),
    spacing=st.floats(0.4, 2.0),
    skew=st.floats(-20, 20),
    number=st.integers(0, 50),
)
def test_pages_of_any_size_and_density_are_drawn(lines, characters, size, spacing, skew, number):
    options = replace(
        SMALL, lines=lines, characters=characters, size=(size, size), spacing=(spacing,) * 2, skew=(skew,) * 2
    )
    drawn = draw_layout_page(number, options)
    assert drawn.image.shape[:2] == (drawn.page.height, drawn.page.width)
    assert len(read_shapes(drawn.page).lines) == len(drawn.page.lines) == len(drawn.inks)
    for line in drawn.page.lines:
        assert line.text
        assert np.isfinite(line.baseline).all()
        assert (np.array(line.baseline) >= 0).all()
        assert (np.array(line.baseline) <= [drawn.page.width, drawn.page.height]).all()


@pytest.mark.real_data
def test_the_xml_is_valid_page(real_data):
    schema = etree.XMLSchema(etree.parse(real_data / "kraken-resources/tests/resources/pagecontent.xsd"))
    for number in range(8):
        page = draw(number).page
        schema.assertValid(etree.fromstring(build_page_xml(page, "2019-07-15")))
        older = build_page_xml(page, "2013-07-15").replace(b"2013-07-15", b"2019-07-15")
        schema.assertValid(etree.fromstring(older))


@pytest.mark.parametrize("layouts", [["colums"], "everything", 3, [["columns"]]])
def test_an_unknown_layout_is_named(layouts):
    with pytest.raises(UserError, match=r"data\.options\.layouts"):
        parse_drawing_options({"layouts": layouts})


def region_type(page, line):
    return next(region.type for region in page.regions if region.id == line.region_id)
