"""PAGE and ALTO of what was found: valid by their schemas, and read back as it was."""

import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from uncial.document import ImageSource, Page, Region, TextLine, Transcription
from uncial.formats.alto.layout_document import build_layout_alto
from uncial.formats.alto.reading import read_alto
from uncial.formats.alto.update import update_alto
from uncial.formats.page_xml.layout_document import KINDS, VERSIONS, build_layout_page
from uncial.formats.page_xml.reading import read_page
from uncial.formats.provenance import Reader
from uncial.formats.xml.provenance import record_step
from uncial.formats.xml.whole_pixels import compute_area, fit_to_file
from uncial.imaging.line_geometry import resolve_geometry

FINDER = Reader("best.safetensors", "0123456789abcdef", "9.9")
TIME = "2025-01-31T12:00:00Z"
SQUARE = ((10.0, 10.0), (190.0, 10.0), (190.0, 290.0), (10.0, 290.0))


def line(identity="l1", baseline=((20, 50), (150, 52)), polygon=((18, 30), (155, 30), (155, 60), (18, 60)), **more):
    more = {"region_id": "r1", "confidence": 0.75, **more}
    return TextLine(identity, "p", polygon, baseline, **more)


MAIN = Region("r1", "MainZone", SQUARE)


def page(*lines: TextLine, regions=(MAIN,), size=(200, 300)) -> Page:
    return Page("p", Path("p.jpg"), ImageSource(Path("p.jpg")), *size, tuple(regions), tuple(lines))


def build(page: Page, form: str) -> bytes:
    if form == "alto":
        return build_layout_alto(page, FINDER, TIME)
    return build_layout_page(page, FINDER, TIME, form)


def read(content: bytes, form: str) -> Page:
    reader = read_alto if form == "alto" else read_page
    found = reader(etree.fromstring(content), Path("p.xml"), "p")
    assert not found.problems
    return found.pages[0]


FORMS = ("alto", *VERSIONS)
form = pytest.mark.parametrize("form", FORMS)


@form
def test_what_is_written_is_read_back(form):
    regions = (
        Region("r1", "MainZone:column#1", SQUARE),
        Region("r2", "page-number", ((1.0, 1.0), (9.0, 1.0), (9.0, 9.0)), 1),
        Region("r3", None, ((150.0, 200.0), (190.0, 200.0), (190.0, 240.0)), 2),
        Region("r4", "a {b}; c\\d é", ((100.0, 200.0), (130.0, 200.0), (130.0, 240.0)), 3),
    )
    lines = (line(), line("l2", direction="rtl"), line("l3", region_id="r2"), line("l4", region_id="r4"))
    written = page(*lines, regions=regions)
    back = read(build(written, form), form)
    assert (back.width, back.height, back.metadata["image"]) == (200, 300, "p.jpg")
    assert [(one.id, one.type, one.polygon) for one in back.regions] == [
        (one.id, one.type, one.polygon) for one in regions
    ]
    confidence = None if form == "2013-07-15" else 0.75
    for one, other in zip(back.lines, lines, strict=True):
        assert (one.id, one.region_id, one.direction) == (other.id, other.region_id, other.direction)
        assert (one.polygon, one.baseline) == (other.polygon, other.baseline)
        assert (one.text, one.confidence) == (None, confidence)
    assert back.reading_order == ("l1", "l2", "l3", "l4")


@form
@pytest.mark.parametrize(
    ("baseline", "polygon", "direction"),
    [
        (((50, 200), (50, 40)), ((25, 200), (25, 40), (60, 40), (60, 200)), None),
        (((50, 40), (50, 200)), ((25, 40), (60, 40), (60, 200), (25, 200)), "ttb"),
        (((150, 80), (30, 80)), ((150, 70), (150, 110), (30, 110), (30, 70)), None),
        (((30, 80), (150, 80)), ((30, 50), (150, 50), (150, 90), (30, 90)), "rtl"),
    ],
    ids=["upwards", "column", "upside down", "right to left"],
)
def test_readers_see_a_line_run_as_it_was_found(form, baseline, polygon, direction):
    found = line(baseline=baseline, polygon=polygon, direction=direction)
    back = read(build(page(found), form), form).lines[0]
    assert back.direction == direction
    geometry = resolve_geometry(back, 1e4)
    assert geometry.baseline[[0, -1]].tolist() == [list(baseline[0]), list(baseline[-1])]


def test_regions_of_pages_own_kinds_are_elements_of_their_own_and_hold_text_in_a_text_region():
    regions = [Region(kind, kind, SQUARE, place) for place, kind in enumerate(KINDS)]
    content = build_layout_page(page(line(region_id="TableRegion"), regions=regions), FINDER, TIME)
    root = etree.fromstring(content)
    assert [root.find(f".//{{*}}{kind}") is not None for kind in KINDS] == [True] * len(KINDS)
    assert root.find(".//{*}TableRegion/{*}TextRegion/{*}TextLine") is not None
    types = [region.type for region in read(content, "2019-07-15").regions]
    assert set(KINDS) <= set(types)


def test_regions_within_regions_stay_there():
    inner = Region("in", "heading", ((20.0, 20.0), (90.0, 20.0), (90.0, 60.0)), 1, parent="r1")
    written = page(line(region_id="in"), regions=(Region("r1", "MainZone", SQUARE), inner))
    back = read(build(written, "2019-07-15"), "2019-07-15")
    assert {one.id: one.parent for one in back.regions} == {"r1": None, "in": "r1"}


@form
def test_lines_in_no_region_share_one(form):
    back = read(build(page(line(region_id=None), line("l2"), line("l3", region_id="gone")), form), form)
    assert [one.id for one in back.lines] == ["l2", "l1", "l3"]
    assert [one.region_id for one in back.lines] == ["r1", "lines", "lines"]


@form
def test_a_page_without_lines_is_a_file_without_lines(form):
    back = read(build(page(regions=()), form), form)
    assert (back.lines, back.regions, back.width) == ((), (), 200)


def test_a_line_that_nobody_read_is_unread_and_one_that_is_blank_is_blank():
    root = etree.fromstring(build_layout_alto(page(line(), line("l2")), FINDER, TIME))
    [string] = root.findall(".//{*}TextLine[@ID='l1']/{*}String")
    assert (string.get("CONTENT"), string.get("WC")) == ("", "0.7500")
    update_alto(root, {"l1": Transcription("", 0.9)})
    record_step(root, FINDER, TIME, ["l1"])
    found = read_alto(root, Path("p.xml"), "p").pages[0]
    assert [(one.id, one.text, one.confidence) for one in found.lines] == [("l1", "", 0.9), ("l2", None, 0.75)]


@pytest.mark.parametrize(
    ("strings", "text"),
    [
        ('<String CONTENT="" WC="0.5"/>', None),
        ('<String CONTENT=""/>', ""),
        ('<String CONTENT="" WC="0.5"/><String CONTENT="" WC="0.5"/>', " "),
        ('<String CONTENT=" " WC="0.5"/>', " "),
        ('<String CONTENT="a" WC="0.5"/>', "a"),
        ("", None),
    ],
)
def test_only_a_single_empty_string_with_a_confidence_is_unread(strings, text):
    block = f'<TextBlock ID="b"><TextLine ID="l">{strings}</TextLine></TextBlock>'
    sheet = f'<Page ID="p" WIDTH="9" HEIGHT="9"><PrintSpace>{block}</PrintSpace></Page>'
    content = f'<alto xmlns="http://www.loc.gov/standards/alto/ns-v4#"><Layout>{sheet}</Layout></alto>'
    assert read_alto(etree.fromstring(content), Path("p.xml"), "p").pages[0].lines[0].text == text


@form
def test_text_that_a_line_has_is_written(form):
    back = read(build(page(line(text="ἐν ἀρχῇ"), line("l2", text="")), form), form)
    assert [one.text for one in back.lines] == ["ἐν ἀρχῇ", ""]


points = st.tuples(st.floats(-500, 900), st.floats(-500, 900))


@st.composite
def pages(draw):
    """Whatever a model may come to find, also beyond the page and of no extent."""
    regions = [
        Region(name, draw(st.sampled_from([None, "MainZone", "heading", "TableRegion", ""])), tuple(outline), place)
        for place, (name, outline) in enumerate(
            draw(
                st.lists(
                    st.tuples(st.sampled_from(["r1", "1 a", "é", "l1"]), st.lists(points, max_size=5)),
                    max_size=3,
                    unique_by=lambda one: one[0],
                )
            )
        )
    ]
    lines = [
        TextLine(
            f"l{number}",
            "p",
            tuple(draw(st.lists(points, max_size=6))),
            tuple(draw(st.lists(points, min_size=1, max_size=4))),
            region_id=draw(st.sampled_from([None, *(region.id for region in regions)])),
            confidence=draw(st.floats(0, 1)),
            direction=draw(st.sampled_from([None, "ltr", "rtl", "ttb", "btt"])),
        )
        for number in range(draw(st.integers(0, 4)))
    ]
    return page(*lines, regions=regions, size=draw(st.sampled_from([(200, 300), (16, 16), (400, 17)])))


@settings(max_examples=60, deadline=None)
@given(pages())
def test_no_line_is_lost_and_none_is_without_an_inside(written):
    fitted = fit_to_file(written)
    assert len(fitted.lines) == len(written.lines)
    for one in (*fitted.lines, *fitted.regions):
        assert abs(compute_area(one.polygon)) >= 16
        array = np.array(one.polygon)
        assert (array == np.rint(array)).all()
        assert (array >= 0).all()
        assert (array <= [written.width, written.height]).all()
        assert re.fullmatch(r"[A-Za-z_][\w.\-]*", one.id, re.ASCII)
    names = [one.id for one in (*fitted.lines, *fitted.regions)]
    assert len(set(names)) == len(names)
    assert {one.region_id for one in fitted.lines} <= {region.id for region in fitted.regions}
    for one in fitted.lines:
        assert len(set(one.baseline)) > 1
    for form in FORMS:
        assert len(read(build(written, form), form).lines) == len(written.lines)


@cache
def load_schema(folder: Path, form: str) -> etree.XMLSchema:
    resources = folder / "kraken-resources/tests/resources"
    return etree.XMLSchema(etree.parse(resources / ("alto-4-3.xsd" if form == "alto" else "pagecontent.xsd")))


@pytest.mark.real_data
@pytest.mark.parametrize("form", ["alto", "2019-07-15"])
@settings(max_examples=60, deadline=None)
@given(written=pages())
def test_files_are_valid_by_their_schema(real_data, form, written):
    texts = tuple(replace(one, text="a b", tags=("x {y}",), language="Latin") for one in written.lines[:1])
    for each in (written, replace(written, lines=(*texts, *written.lines[1:]))):
        schema = load_schema(real_data, form)
        assert schema.validate(etree.fromstring(build(each, form))), schema.error_log
