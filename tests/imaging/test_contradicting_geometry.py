"""Polygons beside their baselines and points far off, from the files to what the program cuts and says."""

import json
from dataclasses import replace

import numpy as np
import pytest
from contradicting_pages import draw_sheets, interline, likeness, moved, with_lines, write_sheets

from uncial.data.store.store import Store
from uncial.document import Page


@pytest.fixture(scope="module")
def sheets():
    return draw_sheets(2)


def one_line_too_high(page: Page) -> Page:
    return with_lines(
        page, lambda line: replace(line, polygon=moved(line.polygon, 0, -interline(page))), slice(1, None)
    )


def without_polygons(page: Page) -> Page:
    return with_lines(page, lambda line: replace(line, polygon=()), slice(1, None))


def one_point_far_off(page: Page) -> Page:
    return with_lines(
        page, lambda line: replace(line, polygon=((5000.0, line.polygon[0][1]), *line.polygon[1:])), slice(2, 3)
    )


def strips(folder):
    (path,) = folder.glob("*.arrow")
    store = Store(path)
    rows = zip(store.column("page"), store.column("line"), range(len(store)), strict=True)
    return {(page, line): store.strip(row) for page, line, row in rows}


def found(ended, kind):
    findings = json.loads(ended.read("findings.json"))["findings"]
    return [finding for finding in findings if finding["kind"] == kind]


@pytest.mark.parametrize("kind", ["page", "alto"])
def test_polygons_one_line_too_high_are_left_out_and_told_by_page(run, tmp_path, sheets, kind):
    bare = write_sheets(tmp_path / "bare", sheets, "page", without_polygons)
    shifted = write_sheets(tmp_path / "shifted", sheets, kind, one_line_too_high)
    for name, root in (("bare", bare), ("shifted", shifted)):
        store = f"paths.store={tmp_path / name}_store"
        ended = run(
            "task=inspect", f"data={kind if name == 'shifted' else 'page'}", f"data.root={root}", store, into=name
        )
        assert ended.code == 0, ended
    assert "10 lines on 2 pages have baselines outside their polygons" in " ".join(ended.output.split())
    told = found(ended, "baseline_outside_polygon")
    assert [finding["severity"] for finding in told] == ["warning", "warning"]
    assert all("5 of 6 lines" in finding["message"] for finding in told)
    right, cut = strips(tmp_path / "bare_store"), strips(tmp_path / "shifted_store")
    assert right.keys() == cut.keys()
    for key, strip in cut.items():
        assert np.array_equal(strip, right[key])


@pytest.mark.parametrize("kind", ["page", "alto"])
def test_one_point_far_off_costs_nothing_and_is_told_with_its_line(run, tmp_path, sheets, kind):
    sound = write_sheets(tmp_path / "sound", sheets, kind, lambda page: page)
    harmed = write_sheets(tmp_path / "harmed", sheets, kind, one_point_far_off)
    for name, root in (("sound", sound), ("harmed", harmed)):
        ended = run(
            "task=inspect", f"data={kind}", f"data.root={root}", f"paths.store={tmp_path / name}_store", into=name
        )
        assert ended.code == 0, ended
    told = found(ended, "far_vertex")
    assert len(told) == 2
    assert {finding["line"] for finding in told} == {sheets[0].page.lines[2].id}
    assert all("point 1 of" in finding["message"] and "(5000, " in finding["message"] for finding in told)
    assert found(ended, "outside_image") == []
    right, cut = strips(tmp_path / "sound_store"), strips(tmp_path / "harmed_store")
    for key, strip in cut.items():
        assert strip.shape == pytest.approx(right[key].shape, abs=6)
        assert likeness(right[key], strip) > 0.9


def test_sound_pages_tell_nothing(run, tmp_path, sheets):
    root = write_sheets(tmp_path / "sound", sheets, "page", lambda page: page)
    ended = run("task=inspect", "data=page", f"data.root={root}")
    assert found(ended, "baseline_outside_polygon") == found(ended, "far_vertex") == []
