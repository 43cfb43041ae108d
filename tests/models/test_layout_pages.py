"""The pages on which finders of lines are known to fail: from maps of their truth every line comes back once and whole,
with its heights and direction, and with a polygon."""

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import pytest
from layout_pages import GAP, PAGES

from uncial.data.pages.maps import NOMINAL, MapPlan, draw_maps
from uncial.data.pages.shapes import LineShape, PageShapes, read_shapes
from uncial.data.synthetic.page import DrawnPage
from uncial.metrics.layout.areas import compute_iou
from uncial.metrics.layout.baselines import score_baselines
from uncial.metrics.layout.line_matches import LineMatches, match_lines
from uncial.models.layout.fragments import LineMaps
from uncial.models.layout.lines import FindSettings, find_lines
from uncial.models.layout.outlines import outline_lines
from uncial.models.layout.region_cuts import cut_lines

PLAN = MapPlan()


@dataclass(frozen=True, eq=False)
class Finding:
    """A page, its lines and those that were found, in pixels of maps, and which of them belong to each other."""

    drawn: DrawnPage
    shapes: PageShapes
    found: list[LineShape]

    @cached_property
    def matches(self) -> LineMatches:
        return match_lines(*self.baselines)

    @property
    def baselines(self):
        return [line.baseline for line in self.shapes.lines], [line.baseline for line in self.found]

    @property
    def pairs(self):
        return [(self.shapes.lines[truth], self.found[found]) for truth, found in self.matches.pairs]


def draw(shapes: PageShapes) -> np.ndarray:
    return np.nan_to_num(draw_maps(shapes, PLAN).values)


@cache
def find(name: str) -> Finding:
    drawn = PAGES[name]()
    shapes = read_shapes(drawn.page)
    shapes = shapes.scaled(NOMINAL / shapes.interline)
    return Finding(drawn, shapes, find_lines(LineMaps(*draw(shapes)[:7], interline=NOMINAL), FindSettings()))


def assert_intact(finding: Finding):
    matches = finding.matches
    assert set(matches.fates) == {"intact"}
    assert matches.false == ()
    assert len(finding.found) == len(finding.shapes.lines) == len(finding.drawn.page.lines)
    scores = score_baselines(*finding.baselines)
    assert scores.precision > 0.995
    assert scores.recall > 0.995


@pytest.mark.parametrize("name", PAGES)
def test_every_line_is_found_once_and_whole(name):
    assert_intact(find(name))


@pytest.mark.parametrize("name", PAGES)
def test_every_line_runs_as_it_is_written(name):
    for truth, found in find(name).pairs:
        chords = [line.baseline[-1] - line.baseline[0] for line in (truth, found)]
        assert chords[0] @ chords[1] > 0.9 * np.prod([np.hypot(*chord) for chord in chords])


@pytest.mark.parametrize("name", sorted(set(PAGES) - {"degenerate_polygons"}))
def test_every_line_gets_the_polygon_that_it_has(name):
    """Not too high at the first and last lines of a page, nor anywhere else."""
    finding = find(name)
    polygons = outline_lines(finding.found, NOMINAL)
    factor = finding.drawn.page.width / finding.shapes.size[0]
    for truth, found in finding.matches.pairs[:: max(1, len(finding.found) // 60)]:
        stated = np.array(finding.drawn.page.lines[truth].polygon)
        polygon = polygons[found] * factor
        assert np.ptp(polygon, axis=0).min() <= np.ptp(stated, axis=0).min() + 0.15 * NOMINAL * factor
        # Neighbours share the ground between them, on which their stated polygons lie upon each other.
        assert compute_iou(stated, polygon) > 0.6
    for truth, found in finding.pairs:
        assert found.up == pytest.approx(truth.up, rel=0.05, abs=0.5)
        assert found.down == pytest.approx(truth.down, rel=0.05, abs=0.5)


def test_a_line_whose_polygon_is_none_is_found_and_gets_one():
    finding = find("degenerate_polygons")
    polygons = outline_lines(finding.found, NOMINAL)
    assert len(polygons) == len(finding.drawn.page.lines)
    for polygon in polygons:
        assert np.isfinite(polygon).all()
        assert np.ptp(polygon, axis=0).min() > 0.3 * NOMINAL


@pytest.mark.parametrize(("longest", "lines"), [(GAP + 1.5, 0), (GAP - 1.5, 1)])
def test_a_setting_joins_or_parts_pieces_of_a_line_at_a_wide_gap(longest, lines):
    """A network sees a ridge on writing alone: the gap within a line is bare, and no bar stands there."""
    drawn = PAGES["wide_gaps"]()
    shapes = read_shapes(drawn.page)
    shapes = shapes.scaled(NOMINAL / shapes.interline)
    maps = draw(shapes)
    bare = shapes.lines[1].baseline[-1][0], shapes.lines[2].baseline[0][0]
    height = round(shapes.lines[0].baseline[:, 1].mean())
    maps[PLAN.place("ridge"), height - 5 : height + 6, round(bare[0]) + 1 : round(bare[1])] = 0
    found = find_lines(LineMaps(*maps[:7], interline=NOMINAL), FindSettings(max_gap=longest))
    assert len(found) == len(shapes.lines) + lines


def test_lines_that_run_over_the_border_of_given_regions_are_cut_there():
    finding = find("over_regions")
    half = len(finding.shapes.lines) // 2
    found = []
    for left, right in zip(finding.shapes.lines[:half], finding.shapes.lines[half:], strict=True):
        one = LineShape(np.concatenate([left.baseline, right.baseline]), left.up, left.down)
        touches = right.baseline[0][0] - left.baseline[-1][0] < NOMINAL
        found += [one] if touches else [left, right]
    assert len(found) < 2 * half - 4
    regions = [region.polygon for region in finding.shapes.regions]
    parts = cut_lines(found, regions, NOMINAL)
    assert_intact(Finding(finding.drawn, finding.shapes, [part.line for part in parts]))
    matches = match_lines([line.baseline for line in finding.shapes.lines], [part.line.baseline for part in parts])
    names = [region.id for region in finding.drawn.page.regions]
    for truth, found in matches.pairs:
        region = parts[found].region
        assert region is not None
        assert names[region] == finding.drawn.page.lines[truth].region_id


def test_what_lies_in_no_region_is_kept_and_known():
    line = LineShape(np.array([[0.0, 50.0], [300.0, 50.0]]), 7.0, 3.0)
    left, inner = (np.array([[a, 20.0], [b, 20.0], [b, 70.0], [a, 70.0]]) for a, b in ((10, 120), (40, 80)))
    parts = cut_lines([line, LineShape(line.baseline + np.array([0.0, 100.0]))], [left, inner], 10.0)
    assert [part.region for part in parts] == [None, 0, 1, 0, None, None]
    ends = [part.line.baseline[[0, -1], 0].tolist() for part in parts[:5]]
    assert np.allclose(ends, [[0, 10], [10, 40], [40, 80], [80, 120], [120, 300]], atol=1)
    assert all((part.line.up, part.line.down) == (7.0, 3.0) for part in parts[:5])


def test_what_sticks_out_of_a_region_a_little_is_not_cut_off():
    line = LineShape(np.array([[7.0, 50.0], [123.0, 50.0]]), 7.0, 3.0)
    region = np.array([[10.0, 20.0], [120.0, 20.0], [120.0, 70.0], [10.0, 70.0]])
    [part] = cut_lines([line], [region], 10.0)
    assert part.region == 0
    assert part.line is line
