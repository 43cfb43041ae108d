"""Filters choose lines by what the file says of them, and say what they left out."""

from pathlib import Path

import pytest

from uncial.data.filters import Filters, apply_filters
from uncial.document import Page, Region, SourceContents, TextLine, TextSpan
from uncial.errors import UserError


@pytest.fixture
def reading() -> SourceContents:
    regions = (Region("r1", "MainZone"), Region("r2", "MarginTextZone"), Region("r3"))
    lines = (
        TextLine("l1", "p", text="eins", region_id="r1", language="de", confidence=0.9, direction="rtl"),
        TextLine("l2", "p", text="zwei", region_id="r2", tags=("DefaultLine",), confidence=0.4),
        TextLine("l3", "p", text="drei", region_id="r1", spans=(TextSpan("unclear", 0, 2),)),
        TextLine("l4", "p", text="4te", region_id="r3", spans=(TextSpan("superscript", 1, 2),)),
        TextLine("l5", "p", text="ohne"),
    )
    other = Page("q", Path("q.xml"), lines=(TextLine("l6", "q", text="six", tags=("Interlinear",), confidence=0.5),))
    blank = Page("blank", Path("blank.xml"), regions=regions)
    return SourceContents((Page("p", Path("p.xml"), regions=regions, lines=lines), other, blank))


def kept(reading: SourceContents, filters: Filters) -> set[str]:
    return {line.id for page in apply_filters(reading, filters).reading.pages for line in page.lines}


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(), {"l1", "l2", "l3", "l4", "l5", "l6"}),
        (Filters(region_types=("MainZone",)), {"l1", "l3"}),
        (Filters(line_tags=("DefaultLine", "Interlinear")), {"l2", "l6"}),
        (Filters(languages=("de",)), {"l1"}),
        (Filters(min_confidence=0.5), {"l1", "l3", "l4", "l5", "l6"}),
        (Filters(min_confidence=0.5, keep_unscored=False), {"l1", "l6"}),
        (Filters(skip_unclear=True), {"l1", "l2", "l4", "l5", "l6"}),
        (Filters(text_styles="skip"), {"l1", "l2", "l3", "l5", "l6"}),
        (Filters(directions=("rtl",)), {"l1"}),
        (Filters(directions=("ltr",), direction="ltr"), {"l2", "l3", "l4", "l5", "l6"}),
    ],
)
def test_lines_that_are_kept(reading, filters, expected):
    assert kept(reading, filters) == expected


def test_what_was_left_out_is_counted_by_key(reading):
    filters = Filters(region_types=("MainZone",), skip_unclear=True)
    assert apply_filters(reading, filters).left_out == {"data.region_types": 4, "data.skip_unclear": 1}


def test_pages_without_lines_stay_and_emptied_pages_go(reading):
    filtered = apply_filters(reading, Filters(region_types=("MainZone",)))
    assert [page.id for page in filtered.reading.pages] == ["p", "blank"]


def test_styles_are_dropped_or_marked_as_loghi_does(reading):
    def text(styles):
        pages = apply_filters(reading, Filters(text_styles=styles)).reading.pages
        return pages[0].lines[3].text

    assert text("drop") == "4te"
    assert text("mark") == "4␆t␆e"


def test_the_direction_is_for_lines_that_state_none(reading):
    lines = apply_filters(reading, Filters(direction="ltr")).reading.pages[0].lines
    assert [line.direction for line in lines] == ["rtl", "ltr", "ltr", "ltr", "ltr"]


def test_an_unknown_region_type_names_those_that_exist_and_the_nearest(reading):
    with pytest.raises(UserError, match=r"mainzone.*MainZone \(2 lines\).*did you mean MainZone"):
        apply_filters(reading, Filters(region_types=("mainzone",)))


@pytest.mark.parametrize(
    ("filters", "words"),
    [
        (Filters(text_styles="keep"), "drop, mark or skip"),
        (Filters(min_confidence=50), "fraction"),
        (Filters(direction="left"), "ltr, rtl"),
        (Filters(line_tags=("None",)), "data.line_tags: no line has None"),
        (Filters(min_confidence=0.99, keep_unscored=False), "3 by data.keep_unscored"),
    ],
)
def test_wrong_filters_are_explained(reading, filters, words):
    with pytest.raises(UserError, match=words):
        apply_filters(reading, filters)
