"""The metric of line recognition: error rates of what the model read against the batch's ground truth."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from uncial.data.lines.dataset import Batch
from uncial.document import Transcription
from uncial.metrics.contract import MetricResult, ProcessGroup
from uncial.metrics.error_rates import Counts, ErrorRates, scores

BETTER_ENDS = {
    "cer": "min",
    "wer": "min",
    "cer_macro": "min",
    "loss": "min",
    "line_accuracy": "max",
    "word_accuracy": "max",
}
"""The scores of a validation by which a model may be chosen, each with its better end."""


@dataclass(frozen=True, slots=True)
class LineResult:
    """What was read in the store's line `row`, against its ground truth."""

    row: int
    truth: str
    prediction: Transcription
    edits: int


class RecognitionMetric:
    """Counts edits line by line, and keeps each line's result for the tables of samples and predictions."""

    def __init__(self, profile: str = "nfc_strip") -> None:
        self.profile = profile
        self.reset()

    def reset(self) -> None:
        self._rates = ErrorRates(self.profile)
        self._total: Counts | None = None
        self._num_invalid = 0
        self.results: list[LineResult] = []

    def update(self, batch: Batch, predictions: Sequence[Transcription], /) -> None:
        for row, truth, prediction in zip(batch.indices, batch.texts, predictions, strict=True):
            edits = self._rates.update(truth or "", prediction.text).edits
            self.results.append(LineResult(row, truth or "", prediction, edits))
            # A line's confidence is NaN or Inf where the model's outputs are.
            self._num_invalid += not math.isfinite(prediction.confidence)

    def aggregate(self, processes: ProcessGroup, /) -> None:
        """Add up the counts of all processes, and bring their results to the first, in the order of the store."""
        counts = processes.all_gather(list(self._rates.counts().vector()))
        self._total = Counts.from_vector([sum(column) for column in zip(*counts, strict=True)])
        self._num_invalid = sum(processes.all_gather(self._num_invalid))
        self.results = sorted(processes.gather_to_rank_zero(self.results), key=lambda result: result.row)

    def compute(self) -> MetricResult:
        """Return the error rates, with a `LineResult` of each line as details."""
        total = scores(self._rates.counts() if self._total is None else self._total, self.profile)
        values = {"cer": total.cer, "wer": total.wer, "cer_macro": total.cer_macro, "lines": float(total.lines)}
        values |= {"line_accuracy": total.line_accuracy, "word_accuracy": total.word_accuracy}
        return MetricResult(values, self.results, self._examples(), self._num_invalid)

    def empty_prediction_rate(self) -> float:
        """Return the share of the lines with text that were read as empty; 0 where there are none."""
        is_empty = [not result.prediction.text.strip() for result in self.results if result.truth]
        return sum(is_empty) / max(1, len(is_empty))

    def _examples(self) -> list[tuple[str, str]]:
        """Return a few lines, always the same ones: (truth, prediction)."""
        ordered = sorted(self.results, key=lambda result: result.row)
        step = max(1, len(ordered) // 4)
        return [(result.truth, result.prediction.text) for result in ordered[step // 2 :: step][:4]]
