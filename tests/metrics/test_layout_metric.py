"""The metrics of layout over pages, batches and processes."""

import math
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from uncial.document import Page, Region, TextLine, Transcription
from uncial.formats.alto.reading import read_alto
from uncial.formats.xml.parsing import parse
from uncial.metrics.layout.layout_metric import (
    BaselineMetric,
    LayoutMetric,
    LineAreaMetric,
    LineMatchMetric,
    PageTextMetric,
    RegionDetectionMetric,
    RegionMetric,
)

METRICS = (
    BaselineMetric,
    LayoutMetric,
    LineAreaMetric,
    LineMatchMetric,
    PageTextMetric,
    RegionDetectionMetric,
    RegionMetric,
)


def box(left, top, right, bottom):
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def line(number, y, text="abc", right=300.0, **more):
    where = {"polygon": box(0.0, y - 20, right, y + 5), "baseline": ((0.0, y), (right, y))}
    return TextLine(f"l{number}", "p", text=text, **{**where, **more})


def move_down(own, distance):
    return replace(own, baseline=tuple((x, y + distance) for x, y in own.baseline))


def page(name, rows, document="", **more):
    lines = tuple(line(number, float(y)) for number, y in enumerate(rows))
    regions = (Region("r", "MainZone", box(0, 0, 300, 400)),)
    made = Page(name, Path(f"{name}.xml"), width=400, height=500, lines=lines, regions=regions, document=document)
    return replace(made, **more)


TRUTH = [page("a", [100, 140, 180]), page("b", [100, 140]), page("c", []), page("d", [60, 100, 140, 180])]
FOUND = [page("a", [100, 140]), page("b", [104, 140, 300]), page("c", []), page("d", [60, 110, 140, 180])]


class Processes:
    """Several processes in one: each part of the pages has its metric."""

    def __init__(self, metrics):
        self.metrics = metrics
        self.results = [list(metric.results) for metric in metrics]

    def all_gather(self, value):
        return self.results if isinstance(value, list) else [value] + [0] * (len(self.metrics) - 1)

    def gather_to_rank_zero(self, values):
        return values


class Alone:
    def all_gather(self, value):
        return [value]

    def gather_to_rank_zero(self, values):
        return values


def score(metric, truth, found):
    metric.update(truth, found)
    metric.aggregate(Alone())
    return metric.compute()


def test_f_is_that_of_the_mean_precision_and_the_mean_recall():
    found = [page("a", [100, 140, 180]), page("b", [100])]
    values = score(BaselineMetric(), [page("a", [100]), page("b", [100, 140])], found).values
    # Page a: 1 of 3 found lines is right. Page b: 1 of 2 lines is found.
    precision, recall = (1 / 3 + 1) / 2, (1 + 1 / 2) / 2
    assert values["precision"] == pytest.approx(precision)
    assert values["recall"] == pytest.approx(recall)
    assert values["f_measure"] == pytest.approx(2 * precision * recall / (precision + recall))


@pytest.mark.parametrize("kind", METRICS)
def test_figures_are_the_same_however_the_pages_are_spread(kind):
    whole = score(kind(), TRUTH, FOUND)
    batches = kind()
    for number in (3, 1, 0, 2):
        batches.update(TRUTH[number : number + 1], FOUND[number : number + 1])
    assert batches.compute().values == whole.values
    parts = [kind(), kind()]
    parts[0].update(TRUTH[2:], FOUND[2:])
    parts[1].update(TRUTH[:2], FOUND[:2])
    processes = Processes(parts)
    for part in parts:
        part.aggregate(processes)
        assert part.compute().values == whole.values
        assert [result.page for result in part.compute().details] == ["a", "b", "c", "d"]


@pytest.mark.parametrize("kind", METRICS)
def test_a_metric_forgets_and_can_be_sent_to_another_process(kind):
    metric = kind()
    first = score(metric, TRUTH, FOUND).values
    metric.reset()
    assert metric.compute().details == []
    assert score(pickle.loads(pickle.dumps(metric)), TRUTH, FOUND).values == first


def test_layout_has_the_figures_of_all_its_parts():
    values = score(LayoutMetric(), TRUTH, FOUND).values
    for kind in (BaselineMetric, LineAreaMetric, LineMatchMetric, RegionDetectionMetric, RegionMetric):
        assert score(kind(), TRUTH, FOUND).values.items() <= values.items()
    assert values["pages"] == 4


def test_what_equals_the_truth_is_perfect():
    values = score(LayoutMetric(), TRUTH, TRUTH).values
    names = ["precision", "recall", "f_measure", "intact", "intact_length", "covered_length", "line_iou", "line_ap"]
    names += ["line_f1", "line_pixel_iou", "region_iou", "region_ap", "region_weighted_iou", "pixel_accuracy"]
    assert {name: values[name] for name in names} == dict.fromkeys(names, 1)
    assert values["region_iou/MainZone"] == 1
    assert values["lines_false"] == values["missed"] == 0
    # Four areas in all are too few for it.
    assert "region_iou_frequent" not in values


def test_pages_of_which_nothing_is_found_and_no_pages():
    empty = [page(name, [], regions=()) for name in "abcd"]
    values = score(LayoutMetric(), TRUTH, empty).values
    assert (values["precision"], values["recall"]) == (1, 0.25)
    assert values["missed"] == 1
    assert (values["line_recall"], values["region_iou"]) == (0, 0)
    nothing = score(LayoutMetric(), [], []).values
    assert nothing["pages"] == 0
    assert not any(math.isnan(value) for value in nothing.values())


def test_pages_without_polygons_and_regions_have_no_figures_of_them():
    bare = [replace(one, regions=(), lines=tuple(replace(own, polygon=()) for own in one.lines)) for one in TRUTH]
    values = score(LayoutMetric(), bare, bare).values
    assert values["f_measure"] == 1
    assert not [name for name in values if name.startswith(("line_", "region_"))]


def test_a_line_without_baseline_is_scored_by_that_of_its_polygon():
    bare = page("a", [100, 140])
    bare = replace(bare, lines=tuple(replace(own, baseline=()) for own in bare.lines))
    assert score(BaselineMetric(), [page("a", [100, 140])], [bare]).values["f_measure"] == pytest.approx(1, abs=0.02)


def test_broken_geometry_is_counted_and_breaks_nothing():
    nan = float("nan")
    lines = (
        line(0, 100.0),
        line(1, nan),
        line(2, 140.0, polygon=((1e300, 2.0), (3.0, -1e300), (nan, 1.0)), baseline=((5.0, 140.0),)),
        line(3, 180.0, confidence=nan),
        TextLine("l4", "p"),
    )
    broken = page("a", [], lines=lines, regions=(Region("r", "MainZone", ((0.0, 0.0), (nan, 4.0), (9.0, 9.0))),))
    for kind in METRICS:
        result = score(kind(), TRUTH[:1], [broken])
        assert result.num_invalid == 1
        assert np.isfinite(list(result.values.values())).all()
        assert np.isfinite(list(score(kind(), [broken], TRUTH[:1]).values.values())).all()


def test_details_name_the_page_and_its_document():
    details = score(BaselineMetric(), [page("x/1", [100], document="x")], [page("x/1", [100])]).details
    assert (details[0].page, details[0].document, details[0].scores.recall) == ("x/1", "x", 1)
    assert score(BaselineMetric(), [page("y", [1])], [page("y", [1])]).details[0].document == "y"


def test_batches_of_unlike_length_are_refused():
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        LayoutMetric().update(TRUTH, FOUND[:1])


def test_texts_of_found_lines():
    read = replace(page("a", [100]), lines=(line(0, 100.0, text=None, transcription=Transcription("abx", 1.0)),))
    assert score(PageTextMetric(), [page("a", [100])], [read]).values["hcer"] == pytest.approx(1 / 3)


@pytest.mark.real_data
def test_pages_of_manuscripts_and_books(real_data):
    """Against themselves they are perfect but for lines that their files state twice or one over another; moved by a
    third of a line they are not."""
    names = (real_data / "splits" / "layout.val.txt").read_text(encoding="utf-8").split("\n")
    pages = []
    for name in [one for one in names if one][::3]:
        pages += read_alto(parse(real_data / name).getroot(), real_data / name, name).pages
    values = score(LayoutMetric(), pages, pages).values
    assert values["f_measure"] == pytest.approx(1, abs=1e-9)
    assert values["intact"] > 0.97
    assert values["line_iou"] > 0.99
    assert values["region_iou"] == pytest.approx(1)
    moved = [replace(one, lines=tuple(move_down(own, 25) for own in one.lines)) for one in pages]
    worse = score(BaselineMetric(), pages, moved).values
    assert 0.2 < worse["f_measure"] < 0.95
