"""The metric of a layout training: all figures of lines and regions, of the pages of a batch."""

from collections.abc import Sequence

from uncial.data.pages.dataset import PageBatch
from uncial.document import Page
from uncial.metrics.contract import MetricResult, ProcessGroup
from uncial.metrics.layout.layout_metric import LayoutMetric, PageLayout, PageResult
from uncial.problems.layout.told import keep_told

BETTER_ENDS = {
    "f_measure": "max",
    "precision": "max",
    "recall": "max",
    "intact": "max",
    "line_iou": "max",
    "region_iou": "max",
    "region_iou_frequent": "max",
    "loss": "min",
}
"""The scores of a validation by which a model may be chosen, each with its better end."""


class LayoutBatchMetric:
    """`LayoutMetric` on batches of pages, those of the truth in the batch itself. Keeps `found`, the pages as they were
    found, in the order of their ids, in the first process those of all; of pages that are annotated in part only
    what can be scored."""

    def __init__(self) -> None:
        self._metric = LayoutMetric()
        self.found: list[Page] = []

    @property
    def results(self) -> list[PageResult[PageLayout]]:
        """What each page counts, in the order of their ids."""
        return sorted(self._metric.results, key=lambda result: result.page)

    def reset(self) -> None:
        self._metric.reset()
        self.found = []

    def update(self, batch: PageBatch, predictions: Sequence[Page], /) -> None:
        told = [keep_told(truth, found) for truth, found in zip(batch.pages, predictions, strict=True)]
        self._metric.update([truth for truth, _ in told], [found for _, found in told])
        self.found += [found for _, found in told]

    def aggregate(self, processes: ProcessGroup, /) -> None:
        self._metric.aggregate(processes)
        self.found = sorted(processes.gather_to_rank_zero(self.found), key=lambda page: page.id)

    def compute(self) -> MetricResult:
        return self._metric.compute()
