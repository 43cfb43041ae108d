"""Lines and regions as detections: a curve computed by hand, and COCO's own figures where pycocotools is installed."""

import contextlib
import io
import math
from pathlib import Path

import numpy as np
import pytest

from uncial.document import Page, Region, TextLine
from uncial.metrics.layout.areas import match_ious
from uncial.metrics.layout.detections import (
    compute_average_precision,
    detect_lines,
    detect_regions,
    match_detections,
    score_detections,
)


def box(left, top, right, bottom):
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def test_a_curve_by_hand():
    """Right, wrong, right, of three: precision 1 up to a recall of 1/3, 2/3 up to 2/3, and nothing beyond."""
    ious = np.array([[0.9, 0, 0], [0.4, 0, 0], [0, 0.6, 0]])
    page = match_detections(ious, [0.9, 0.8, 0.7])
    assert page.is_right[0].tolist() == [True, False, True]
    average = compute_average_precision([page])
    assert average[0] == pytest.approx((34 * 1 + 33 * 2 / 3) / 101)
    assert average[5] == pytest.approx(34 / 101)
    scores = score_detections({"line": [page]})
    assert (scores.precision, scores.recall, scores.f1) == pytest.approx((2 / 3, 2 / 3, 2 / 3))
    assert scores.ap == pytest.approx(average.mean())


def test_the_surest_takes_the_truth_and_each_only_one():
    page = match_detections(np.array([[0.9], [0.7]]), [0.3, 0.8])
    assert page.is_right[0].tolist() == [False, True]
    page = match_detections(np.array([[0.9, 0.8], [0.7, 0.0]]), [0.8, 0.3])
    assert page.is_right[0].tolist() == [True, False]


def test_detections_of_all_pages_stand_in_one_order():
    sure = match_detections(np.zeros((1, 1)), [0.9])
    unsure = match_detections(np.ones((1, 1)), [0.1])
    assert compute_average_precision([sure, unsure])[0] == pytest.approx(51 * 0.5 / 101)


def test_classes_are_averaged_but_for_those_without_truth():
    right, missed = match_detections(np.ones((1, 1)), [1.0]), match_detections(np.zeros((0, 1)), [])
    false = match_detections(np.zeros((1, 0)), [1.0])
    scores = score_detections({"a": [right], "b": [missed], "c": [false]})
    assert scores.ap == pytest.approx(0.5)
    assert (scores.precision, scores.recall) == (0.5, 0.5)


def test_nothing_detected_and_nothing_to_detect():
    scores = score_detections({})
    assert (scores.precision, scores.recall, scores.f1) == (1, 1, 1)
    assert math.isnan(scores.ap)
    nothing = match_detections(np.zeros((0, 2)), [])
    assert score_detections({"line": [nothing]}).ap == 0


def test_a_confidence_that_is_no_number_comes_last():
    page = match_detections(np.array([[0.6], [0.9]]), [math.nan, 0.1])
    assert page.is_right[0].tolist() == [False, True]


def test_lines_of_a_page_are_detected_by_their_polygons():
    def page(*lines):
        made = [TextLine(str(n), "p", polygon=polygon, confidence=sure) for n, (polygon, sure) in enumerate(lines)]
        return Page("p", Path("p.xml"), lines=tuple(made))

    truth = page((box(0, 0, 10, 10), None), (box(0, 50, 10, 60), None), ((), None))
    found = page((box(0, 0, 10, 5), 0.5), (box(0, 0, 10, 10), 0.9), ((), 0.9), (box(0, 90, 9, 99), None))
    result = detect_lines(truth, found)
    assert result.detections.confidences.tolist() == [0.5, 0.9, 1.0]
    assert result.detections.is_right[0].tolist() == [False, True, False]
    assert result.ious == (1, 0)


def test_regions_are_detected_by_type():
    def page(*regions):
        return Page("p", Path("p.xml"), regions=tuple(Region(str(n), *region) for n, region in enumerate(regions)))

    found = detect_regions(
        page(("Main#1", box(0, 0, 9, 9))), page(("Main#7", box(0, 0, 9, 9)), ("Note", box(0, 0, 9, 9)))
    )
    assert {name: (one.is_right[0].tolist(), one.num_truth) for name, one in found.items()} == {
        "Main": ([True], 1),
        "Note": ([False], 0),
    }


def test_average_precision_is_coco_s():
    pytest.importorskip("pycocotools")
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    random = np.random.default_rng(5)

    def boxes(count):
        corners = random.integers(0, 200, (count, 2))
        return np.concatenate([corners, corners + random.integers(5, 120, (count, 2))], axis=1)

    pages = []
    for _ in range(12):
        truth = boxes(int(random.integers(0, 15)))
        near = truth[random.random(len(truth)) < 0.8]
        found = np.concatenate([near + random.integers(0, 6, near.shape), boxes(int(random.integers(0, 6)))])
        pages.append((truth, found, random.integers(1, 20, len(found)) / 20))
    annotations, results = [], []
    for image, (truth, found, sure) in enumerate(pages, 1):
        for left, top, right, bottom in truth.tolist():
            where = {"bbox": [left, top, right - left, bottom - top], "area": (right - left) * (bottom - top)}
            annotations.append({"id": len(annotations) + 1, "image_id": image, "category_id": 1, "iscrowd": 0, **where})
        for (left, top, right, bottom), score in zip(found.tolist(), sure.tolist(), strict=True):
            where = {"bbox": [left, top, right - left, bottom - top], "score": score}
            results.append({"image_id": image, "category_id": 1, **where})
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        images = [{"id": number + 1} for number in range(len(pages))]
        coco.dataset = {"images": images, "annotations": annotations, "categories": [{"id": 1}]}
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes(results), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    own = [
        match_detections(match_ious([box(*one) for one in found.tolist()], [box(*one) for one in truth.tolist()]), sure)
        for truth, found, sure in pages
    ]
    scores = score_detections({"line": own})
    assert [scores.ap, scores.ap50, scores.ap75] == pytest.approx(evaluation.stats[:3].tolist(), abs=1e-12)
