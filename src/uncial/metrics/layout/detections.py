"""Lines and regions as detections: precision, recall and F1 at an IoU of 0.5, and average precision as COCO has it.

Detections are taken in the order of their confidence, the surest first; each is right if it overlaps a polygon of the
truth that none before it was matched with by the IoU asked for, and takes that of the largest. The average precision is
the mean, over 101 recalls from 0 to 1, of the largest precision at that recall or a greater one. It is what pycocotools
and torchmetrics compute, but for their limit of 100 detections a page.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from uncial.document import Page
from uncial.metrics.layout.areas import Polygon, match_ious, region_type
from uncial.metrics.layout.baselines import harmonic_mean

THRESHOLDS = np.linspace(0.5, 0.95, 10)
"""The IoUs of AP[.5:.95]."""
RECALLS = np.linspace(0.0, 1.0, 101)
SURE = 1.0
"""The confidence of a detection that states none."""


@dataclass(frozen=True, slots=True)
class Detections:
    """What was detected of one class on one page: `confidences` (D,), whether each is right by each threshold,
    `is_right` (10, D), and how many polygons the truth has.
    """

    confidences: np.ndarray
    is_right: np.ndarray
    num_truth: int


@dataclass(frozen=True, slots=True)
class DetectionScores:
    """Of several classes, `ap50`, `ap75` and `ap` (the mean from 0.5 to 0.95) are means over those in the truth; NaN
    where there is none. `precision` and `recall` are at an IoU of 0.5, over all detections and all of the truth, and 1
    where there are none.
    """

    precision: float
    recall: float
    ap50: float
    ap75: float
    ap: float

    @property
    def f1(self) -> float:
        return harmonic_mean(self.precision, self.recall)


def match_detections(ious: np.ndarray, confidences: Sequence[float] | np.ndarray) -> Detections:
    """Tell which detections are right, by their IoUs with the truth (D, truth) and confidences (D,). A confidence that
    is NaN is taken for the least.
    """
    sure = np.nan_to_num(np.asarray(confidences, dtype=np.float64), nan=-np.inf, posinf=np.inf, neginf=-np.inf)
    is_right = np.zeros((len(THRESHOLDS), len(sure)), dtype=bool)
    num_truth = ious.shape[1]
    for number, threshold in enumerate(THRESHOLDS):
        left = ious.copy()
        for place in np.argsort(-sure, kind="stable"):
            # Of equals the last, as in COCO.
            best = num_truth - 1 - int(np.argmax(left[place, ::-1])) if num_truth else -1
            if best >= 0 and left[place, best] >= threshold:
                is_right[number, place] = True
                left[:, best] = -1.0
    return Detections(sure, is_right, num_truth)


def compute_average_precision(pages: Sequence[Detections]) -> np.ndarray:
    """Return the average precision of one class over pages for each threshold, (10,); NaN where the truth has none."""
    num_truth = sum(page.num_truth for page in pages)
    if not num_truth:
        return np.full(len(THRESHOLDS), np.nan)
    confidences = np.concatenate([page.confidences for page in pages])
    order = np.argsort(-confidences, kind="stable")
    is_right = np.concatenate([page.is_right for page in pages], axis=1)[:, order]
    right = np.cumsum(is_right, axis=1)
    recall = right / num_truth
    precision = right / np.arange(1, len(order) + 1)
    precision = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    padded = np.concatenate([precision, np.zeros((len(THRESHOLDS), 1))], axis=1)
    return np.array(
        [
            row[np.searchsorted(reached, RECALLS, side="left")].mean()
            for row, reached in zip(padded, recall, strict=True)
        ]
    )


def score_detections(classes: Mapping[str, Sequence[Detections]]) -> DetectionScores:
    """Score what was detected on pages, by class."""
    curves = [compute_average_precision(pages) for pages in classes.values()]
    averages = np.array([curve for curve in curves if not np.isnan(curve).any()])
    everything = [page for pages in classes.values() for page in pages]
    right = sum(int(page.is_right[0].sum()) for page in everything)
    found = sum(len(page.confidences) for page in everything)
    truth = sum(page.num_truth for page in everything)
    by_threshold = averages.mean(axis=0) if len(averages) else np.full(len(THRESHOLDS), np.nan)
    return DetectionScores(
        precision=right / found if found else 1.0,
        recall=right / truth if truth else 1.0,
        ap50=float(by_threshold[0]),
        ap75=float(by_threshold[5]),
        ap=float(by_threshold.mean()),
    )


@dataclass(frozen=True, slots=True)
class LineDetections:
    """The detected line polygons of a page, and the largest IoU of each one of the truth with any of them, which is 0
    where it is below a tenth.
    """

    detections: Detections
    ious: tuple[float, ...]


def detect_lines(truth: Page, found: Page) -> LineDetections:
    """Compare the lines of a page that have a polygon, all as one class."""
    shown = [line for line in found.lines if len(line.polygon) > 2]
    ious = match_ious([line.polygon for line in shown], [line.polygon for line in truth.lines if len(line.polygon) > 2])
    confidences = [SURE if line.confidence is None else line.confidence for line in shown]
    return LineDetections(match_detections(ious, confidences), tuple(ious.max(axis=0, initial=0.0).tolist()))


def detect_regions(truth: Page, found: Page) -> dict[str, Detections]:
    """Compare the regions of a page that have a polygon, by type. Regions state no confidence: all are equally sure."""
    sides: tuple[dict[str, list[Polygon]], ...] = ({}, {})
    for side, page in zip(sides, (found, truth), strict=True):
        for region in page.regions:
            if len(region.polygon) > 2:
                side.setdefault(region_type(region.type), []).append(region.polygon)
    return {
        name: match_detections(
            match_ious(sides[0].get(name, []), sides[1].get(name, [])), [SURE] * len(sides[0].get(name, []))
        )
        for name in sorted({*sides[0], *sides[1]})
    }
