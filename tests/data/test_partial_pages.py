"""Pages that are perhaps transcribed in part: lines that a model finds where the file has none, and regions that lines
leave free."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from uncial.data.checks.partial_pages import (
    compare_found_lines,
    find_free_regions,
    report_partial_page,
    select_partial_pages,
)
from uncial.document import Page, Region, TextLine

PITCH, WIDTH = 40.0, 600.0


def make_line(number: int, row: float, left: float = 100.0, width: float = WIDTH, confidence: float = 0.9) -> TextLine:
    y = 100 + PITCH * row
    box = ((left, y - 30), (left + width, y - 30), (left + width, y + 8), (left, y + 8))
    return TextLine(f"l{number}", "p", box, ((left, y), (left + width, y)), region_id="r", confidence=confidence)


def make_page(*lines: TextLine, regions: tuple[Region, ...] = (), name: str = "p") -> Page:
    return Page(name, Path(f"{name}.xml"), width=1000, height=1200, lines=lines, regions=regions)


def make_region(top: float, bottom: float) -> Region:
    return Region("r", "MainZone", ((90, top), (710, top), (710, bottom), (90, bottom)))


WHOLE = make_page(*(make_line(number, number) for number in range(24)))


def suspect(marked: Page, found: Page = WHOLE, known: int = 0):
    """What is suspected of a page, beside `known` whole ones."""
    pairs = [(marked, found), *[(WHOLE, WHOLE)] * known]
    return select_partial_pages([compare_found_lines(*pair) for pair in pairs])


@given(missing=st.sets(st.integers(0, 23)), shift=st.floats(-14, 14), scale=st.sampled_from([0.3, 1.0, 7.0]))
def test_lines_that_the_file_lacks_are_counted_however_others_draw_baselines(missing, shift, scale):
    def move(line, by):
        polygon = tuple((x * scale, y * scale) for x, y in line.polygon)
        return replace(line, polygon=polygon, baseline=tuple((x * scale, (y + by) * scale) for x, y in line.baseline))

    kept = [move(line, shift) for number, line in enumerate(WHOLE.lines) if number not in missing]
    found = replace(WHOLE, lines=tuple(move(line, 0) for line in WHOLE.lines))
    pages = suspect(make_page(*kept), found)
    if not missing:
        assert not pages
        return
    (page,) = pages
    assert {line.id for line in page.missing} == {f"l{number}" for number in missing}
    assert page.counted == 24
    assert page.share == pytest.approx(len(missing) / 24)


def test_the_finding_says_how_many_lines_and_which_share_and_the_key_that_helps():
    half = make_page(*WHOLE.lines[:15])
    (page,) = suspect(half)
    finding = report_partial_page(page)
    assert (finding.severity, finding.kind, finding.file) == ("warning", "transcribed_in_part", "p.xml")
    assert "9 of 24 found lines (38%)" in finding.message
    assert "data.annotated=lines" in finding.remedy
    (outside,) = suspect(replace(half, regions=(make_region(60, 60 + 15 * PITCH),)))
    assert "data.annotated=regions" in report_partial_page(outside).remedy
    (inside,) = suspect(replace(half, regions=(make_region(60, 1100),)))
    assert "data.annotated=lines" in report_partial_page(inside).remedy


def test_one_line_is_worth_no_warning():
    (page,) = suspect(make_page(*WHOLE.lines[1:]))
    assert report_partial_page(page).severity == "information"
    assert "1 of 24 found lines (4%) lies" in report_partial_page(page).message


def test_short_lines_and_those_that_the_model_is_less_sure_of_than_of_nearly_all_others_do_not_count():
    extra = [make_line(90, 25, width=2.5 * PITCH), make_line(91, 26, confidence=0.6)]
    assert not suspect(WHOLE, make_page(*WHOLE.lines, *extra))
    # A model that is never very sure is measured by itself.
    modest = [replace(line, confidence=0.5 + 0.01 * number) for number, line in enumerate(WHOLE.lines)]
    (page,) = suspect(WHOLE, make_page(*modest, make_line(91, 26, confidence=0.6)))
    assert [line.id for line in page.missing] == ["l91"]


def test_the_most_incomplete_page_comes_first():
    pairs = [(make_page(*WHOLE.lines[:kept], name=str(kept)), WHOLE) for kept in (20, 0, 24, 11)]
    pages = select_partial_pages([compare_found_lines(*pair) for pair in pairs])
    assert [(page.marked.id, page.row) for page in pages] == [("0", 1), ("11", 3), ("20", 0)]


def test_a_page_on_which_nothing_is_found_is_no_fault():
    assert not suspect(WHOLE, make_page())
    assert not suspect(make_page(), make_page())


def test_lines_without_a_baseline_or_a_polygon_are_lines():
    bare = [
        replace(line, baseline=()) if number % 2 else replace(line, polygon=())
        for number, line in enumerate(WHOLE.lines)
    ]
    assert not suspect(make_page(*bare))


@pytest.mark.parametrize(
    ("rows", "free"),
    [
        (range(24), None),
        (range(10), 14),
        (range(12, 24), 12),
        ([*range(8), *range(16, 24)], 8),
        ([row for row in range(24) if row not in (5, 6, 7)], None),
        ([0, 1], None),
    ],
)
def test_a_region_that_its_lines_leave_free_is_told(rows, free):
    page = make_page(*(make_line(row, row) for row in rows), regions=(make_region(70, 1030),))
    findings = list(find_free_regions(page, PITCH))
    assert len(findings) == (free is not None)
    if free is not None:
        (finding,) = findings
        assert (finding.severity, finding.kind) == ("information", "free_region")
        room = int(finding.message.rpartition("about ")[2].split()[0])
        assert abs(room - free) <= 1


def test_columns_of_one_region_are_no_gap_and_turned_lines_are_not_looked_at():
    columns = [make_line(row + 100 * (left > 0), row, 100.0 + left, 250) for left in (0, 300) for row in range(24)]
    assert not list(find_free_regions(make_page(*columns, regions=(make_region(70, 1030),)), PITCH))
    upright = [replace(line, baseline=tuple((y, x) for x, y in line.baseline), polygon=()) for line in WHOLE.lines[:10]]
    assert not list(find_free_regions(make_page(*upright, regions=(make_region(70, 1030),)), PITCH))


def test_found_lines_may_curve_and_turn():
    x = np.linspace(0, 700, 30)
    arcs = [
        TextLine(
            f"a{row}",
            "p",
            baseline=tuple((float(a), float(200 + 45 * row + 60 * np.sin(a / 230))) for a in x),
            confidence=0.9,
        )
        for row in range(10)
    ]
    assert not suspect(make_page(*arcs), make_page(*arcs))
    (page,) = suspect(make_page(*arcs[:4]), make_page(*arcs))
    assert [line.id for line in page.missing] == [line.id for line in arcs[4:]]
