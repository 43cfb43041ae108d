"""How much of a line's ink a found polygon loses, and how much of its neighbours' it takes in."""

import math
from pathlib import Path

import numpy as np
import pytest

from uncial.document import Page, TextLine
from uncial.metrics.layout.ink import LineInk, measure_ink, measure_page_ink, summarise_ink
from uncial.metrics.layout.layout_metric import compare_lines


def box(left, top, right, bottom):
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


@pytest.fixture
def ink():
    """Two lines of writing, 100 by 10 pixels each."""
    page = np.zeros((60, 120), dtype=bool)
    page[10:20, 10:110] = page[30:40, 10:110] = True
    return page


TRUTH = [box(5, 5, 115, 25), box(5, 25, 115, 45)]


def test_a_polygon_of_another_shape_that_holds_all_ink_loses_nothing(ink):
    assert measure_ink(ink, TRUTH, [box(10, 10, 110, 20)], {0: 0}) == {0: LineInk(0, 0)}


def test_what_is_cut_off_and_what_is_taken_in(ink):
    # The upper half of the first line is lost, and three of ten rows of the second are taken in.
    found = [box(0, 15, 120, 33), box(0, 28, 120, 45)]
    assert measure_ink(ink, TRUTH, found, {0: 0, 1: 1}) == {
        0: LineInk(pytest.approx(0.5), pytest.approx(0.3)),
        1: LineInk(0, 0),
    }
    assert summarise_ink([measure_ink(ink, TRUTH, found, {0: 0, 1: 1})]) == {"ink_lost": 0.5, "ink_taken": 0.5}


def test_what_polygons_of_the_truth_share_is_not_taken_in(ink):
    truth = [box(5, 5, 115, 33), box(5, 25, 115, 45)]
    assert measure_ink(ink, truth, [box(0, 0, 120, 33)], {0: 0})[0].taken == 0


def test_a_found_polygon_elsewhere_off_the_page_or_broken_loses_all(ink):
    for polygon in (box(0, 50, 120, 59), box(-90, -90, -50, -50), box(500, 500, 900, 900), [], [(math.nan, 1)] * 4):
        assert measure_ink(ink, TRUTH, [polygon], {0: 0}) == {0: LineInk(1, 0)}


def test_lines_without_ink_are_left_out(ink):
    assert measure_ink(ink, [box(0, 50, 120, 59), []], [box(0, 50, 120, 59)], {0: 0, 1: 0}) == {}
    assert summarise_ink([{}]) == {"ink_lost": 0, "ink_taken": 0}


def test_only_lines_found_one_by_one_are_judged():
    """The first line is found, the second and third are merged, the fourth is missed."""
    ink = np.zeros((100, 220), dtype=bool)
    for top in (10, 30, 50, 70):
        ink[top : top + 8, 10:210] = True

    def line(number, left, right, row):
        bottom = 20 * row + 18
        return TextLine(
            str(number), "p", tuple(box(left, bottom - 10, right, bottom + 2)), ((left, bottom), (right, bottom))
        )

    truth = [line(0, 10, 210, 0), line(1, 10, 100, 1), line(2, 120, 210, 1), line(3, 10, 210, 3)]
    found = [line(0, 10, 190, 0), line(1, 10, 210, 1)]
    pages = [Page("p", Path("p.xml"), width=220, height=100, lines=tuple(lines)) for lines in (truth, found)]
    matches = compare_lines(*pages)
    assert matches.fates == ("intact", "merged", "merged", "missed")
    assert matches.one_to_one == {0: 0}
    assert measure_page_ink(ink, (1.0, 1.0), *pages, matches) == {0: LineInk(pytest.approx(0.1), 0)}
    twice = ink.repeat(2, axis=0).repeat(2, axis=1)
    assert measure_page_ink(twice, (2.0, 2.0), *pages, matches)[0].lost == pytest.approx(0.1)
