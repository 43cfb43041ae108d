"""The metrics of layout: pages as the truth has them against the same pages as they were found.

All of them take pages in batches and keep what each page counts, so that the figures of a set, and of every resample of
its pages, are computed from the same details. `LayoutMetric` gives all figures of lines and regions at once; the others
give a part of them each.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from math import fsum
from operator import add
from typing import Generic, TypeVar

from uncial.document import Page
from uncial.metrics.contract import MetricResult, ProcessGroup
from uncial.metrics.layout.areas import PixelCounts, count_line_pixels, count_region_pixels, score_pixels
from uncial.metrics.layout.baselines import (
    BaselineDistances,
    BaselineScores,
    harmonic_mean,
    list_baselines,
    measure_distances,
    summarise_distances,
)
from uncial.metrics.layout.detections import (
    Detections,
    LineDetections,
    detect_lines,
    detect_regions,
    score_detections,
)
from uncial.metrics.layout.ink import LineInk, summarise_ink
from uncial.metrics.layout.line_matches import LineMatches, match_distances, summarise_matches
from uncial.metrics.layout.text_alignment import TextCounts, count_page_text, score_text
from uncial.text.normalization import DEFAULT_PROFILE

Detail = TypeVar("Detail")

Values = dict[str, float]

FREQUENT = 5
"""Areas of a type from which on it counts for `region_iou_frequent`."""


@dataclass(frozen=True, slots=True)
class PageResult(Generic[Detail]):
    """What a page counts. `document` is what the page belongs to, the page itself where nothing says so."""

    page: str
    document: str
    scores: Detail


@dataclass(frozen=True, slots=True)
class PageLayout:
    """All that is told of the layout of a page. `ink` is what became of the ink of its lines, by their position in the
    truth (see `ink.measure_page_ink`); None where it was not measured, which takes the image of the page."""

    baselines: BaselineScores
    lines: LineMatches
    line_areas: LineDetections
    line_pixels: PixelCounts
    regions: Mapping[str, Detections]
    region_pixels: PixelCounts
    ink: Mapping[int, LineInk] | None = None


class PageMetric(Generic[Detail]):
    """A metric whose batches are pages: `update` takes those of the truth, and the same pages as they were found.

    `score_page` compares two pages, and `summarise` turns what the pages of a set count into its figures. The details
    of the result are a `PageResult` of each page, in the order of their ids.
    """

    def __init__(self, score_page: Callable[[Page, Page], Detail], summarise: Callable[[Sequence[Detail]], Values]):
        self._score_page = score_page
        self._summarise = summarise
        self.reset()

    def reset(self) -> None:
        self.results: list[PageResult[Detail]] = []
        self._num_invalid = 0

    def update(self, batch: Sequence[Page], predictions: Sequence[Page], /) -> None:
        for truth, found in zip(batch, predictions, strict=True):
            scores = self._score_page(truth, found)
            self.results.append(PageResult(truth.id, truth.document or truth.id, scores))
            self._num_invalid += not _is_finite(found)

    def aggregate(self, processes: ProcessGroup, /) -> None:
        """Bring the results of all processes to each of them: figures such as average precision need all pages."""
        self.results = [result for results in processes.all_gather(self.results) for result in results]
        self._num_invalid = sum(processes.all_gather(self._num_invalid))

    def compute(self) -> MetricResult:
        """Return the figures of all pages, and a `PageResult` of each as details."""
        ordered = sorted(self.results, key=lambda result: result.page)
        values = {**self._summarise([result.scores for result in ordered]), "pages": float(len(ordered))}
        return MetricResult(values, ordered, num_invalid=self._num_invalid)


class BaselineMetric(PageMetric[BaselineScores]):
    """`precision`, `recall` and `f_measure` of baselines as cBAD has them."""

    def __init__(self, tolerances: Sequence[float] | None = None) -> None:
        """`tolerances` in pixels are fixed ones, of which the mean is taken, instead of each line's own."""
        super().__init__(partial(compare_baselines, tolerances=tolerances), summarise_baselines)


class LineMatchMetric(PageMetric[LineMatches]):
    """How many lines are intact, split, merged, partial, missed and false (see `line_matches`)."""

    def __init__(self) -> None:
        super().__init__(compare_lines, summarise_matches)


class RegionMetric(PageMetric[PixelCounts]):
    """IoU of the regions' pixels by type, and pixel accuracy."""

    def __init__(self) -> None:
        super().__init__(count_region_pixels, summarise_regions)


class LineAreaMetric(PageMetric[LineDetections]):
    """Precision, recall, F1 and average precision of the lines' polygons."""

    def __init__(self) -> None:
        super().__init__(detect_lines, summarise_line_areas)


class RegionDetectionMetric(PageMetric[Mapping[str, Detections]]):
    """Precision, recall, F1 and average precision of the regions' polygons, over types."""

    def __init__(self) -> None:
        super().__init__(detect_regions, summarise_region_detections)


class PageTextMetric(PageMetric[TextCounts]):
    """hCER, Delta-CER and the error rates of whole pages (see `text_alignment`)."""

    def __init__(self, profile: str = DEFAULT_PROFILE) -> None:
        super().__init__(partial(count_page_text, profile=profile), summarise_text)
        self.profile = profile


class LayoutMetric(PageMetric[PageLayout]):
    """All figures of lines and regions."""

    def __init__(self) -> None:
        super().__init__(compare_layouts, summarise_layouts)


def compare_baselines(truth: Page, found: Page, tolerances: Sequence[float] | None = None) -> BaselineScores:
    """Score the baselines of a page against the same page as it was found."""
    return summarise_distances(_measure(truth, found, tolerances))


def compare_lines(truth: Page, found: Page) -> LineMatches:
    """Tell what became of the lines of a page."""
    return match_distances(_measure(truth, found))


def compare_layouts(truth: Page, found: Page) -> PageLayout:
    """Compare a page with the same page as it was found."""
    distances = _measure(truth, found)
    return PageLayout(
        baselines=summarise_distances(distances),
        lines=match_distances(distances),
        line_areas=detect_lines(truth, found),
        line_pixels=count_line_pixels(truth, found),
        regions=detect_regions(truth, found),
        region_pixels=count_region_pixels(truth, found),
    )


def _measure(truth: Page, found: Page, tolerances: Sequence[float] | None = None) -> BaselineDistances:
    return measure_distances(list_baselines(truth), list_baselines(found), tolerances)


def summarise_layouts(pages: Sequence[PageLayout]) -> Values:
    """Return all figures of a set of pages. Those of polygons and regions are left out where no page has any, those of
    ink (`ink_lost`, `ink_taken`, and `lines_ink`, of how many lines these are shares) where none was measured."""
    values = {
        **summarise_baselines([page.baselines for page in pages]),
        **summarise_matches([page.lines for page in pages]),
    }
    if any(page.line_areas.ious or len(page.line_areas.detections.confidences) for page in pages):
        pixels = score_pixels(reduce(add, (page.line_pixels for page in pages), PixelCounts()))
        values |= {"line_pixel_iou": pixels.mean_iou, **summarise_line_areas([page.line_areas for page in pages])}
    if any(page.regions for page in pages):
        values |= summarise_regions([page.region_pixels for page in pages])
        values |= summarise_region_detections([page.regions for page in pages])
    return values | summarise_page_inks(pages)


def summarise_page_inks(pages: Sequence[PageLayout]) -> Values:
    """Return the figures of ink of a set of pages; none where none was measured."""
    inks = [page.ink for page in pages if page.ink]
    return {**summarise_ink(inks), "lines_ink": float(sum(map(len, inks)))} if inks else {}


def summarise_baselines(pages: Sequence[BaselineScores]) -> Values:
    """Return the mean precision and recall of pages, and F of these two; 0 without any page."""
    count = max(1, len(pages))
    precision, recall = fsum(page.precision for page in pages) / count, fsum(page.recall for page in pages) / count
    return {"precision": precision, "recall": recall, "f_measure": harmonic_mean(precision, recall)}


def summarise_regions(pages: Sequence[PixelCounts]) -> Values:
    """Return `region_iou` (the mean over types), `region_iou_frequent` (over types with five areas or more in the
    truth), `region_weighted_iou` and `pixel_accuracy`; and `region_iou/TYPE` of each type.
    """
    counts = reduce(add, pages, PixelCounts())
    scores, frequent = score_pixels(counts), score_pixels(counts, FREQUENT)
    values = {
        "region_iou": scores.mean_iou,
        "region_weighted_iou": scores.weighted_iou,
        "pixel_accuracy": scores.accuracy,
        **{f"region_iou/{name}": value for name, value in scores.iou.items()},
    }
    return values | ({"region_iou_frequent": frequent.mean_iou} if frequent.iou else {})


def summarise_line_areas(pages: Sequence[LineDetections]) -> Values:
    """Return `line_iou` (the mean over the truth's lines of the largest IoU with a found one), and the scores of the
    lines as detections: `line_precision`, `line_recall`, `line_f1`, `line_ap50`, `line_ap75`, `line_ap`.
    """
    ious = [iou for page in pages for iou in page.ious]
    values = {"line_iou": fsum(ious) / len(ious)} if ious else {}
    return values | _score("line", {"line": [page.detections for page in pages]})


def summarise_region_detections(pages: Sequence[Mapping[str, Detections]]) -> Values:
    """Return the scores of regions as detections: `region_precision`, `region_recall`, `region_f1`, `region_ap50`,
    `region_ap75`, `region_ap`; those of average precision are means over types."""
    names = sorted({name for page in pages for name in page})
    return _score("region", {name: [page[name] for page in pages if name in page] for name in names})


def summarise_text(pages: Sequence[TextCounts]) -> Values:
    """Return the error rates of a set of pages (see `score_text`)."""
    return score_text(reduce(add, pages, TextCounts()))


def _score(kind: str, classes: Mapping[str, Sequence[Detections]]) -> Values:
    scores = score_detections(classes)
    names = ("precision", "recall", "f1", "ap50", "ap75", "ap")
    values = {f"{kind}_{name}": float(getattr(scores, name)) for name in names}
    return {name: value for name, value in values.items() if not math.isnan(value)}


def _is_finite(page: Page) -> bool:
    """Return whether all points and confidences of a page are numbers."""
    points = [point for line in page.lines for point in (*line.polygon, *line.baseline)]
    points += [point for region in page.regions for point in region.polygon]
    sure = all(line.confidence is None or math.isfinite(line.confidence) for line in page.lines)
    return sure and all(math.isfinite(x) and math.isfinite(y) for x, y in points)
