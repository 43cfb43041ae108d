"""The metric of line recognition: error rates of what the model read against the batch's ground truth."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from uncial.data.lines.batch import Batch
from uncial.document import Transcription
from uncial.metrics.error_rates import Counts, ErrorRates, scores


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
        self.results: list[LineResult] = []

    def update(self, batch: Batch, predictions: list[Transcription]) -> None:
        for row, truth, prediction in zip(batch.indices, batch.texts, predictions, strict=True):
            edits = self._rates.update(truth or "", prediction.text).edits
            self.results.append(LineResult(row, truth or "", prediction, edits))

    def unread(self) -> float:
        """The share of the lines with text that were read as empty; 0 where there are none."""
        blank = [not result.prediction.text.strip() for result in self.results if result.truth]
        return sum(blank) / max(1, len(blank))

    def not_finite(self) -> int:
        """How many lines the model's outputs are NaN or Inf for, as their confidence tells."""
        return sum(not math.isfinite(result.prediction.confidence) for result in self.results)

    def counts(self) -> list[int]:
        return list(self._rates.counts().vector())

    def scores(self, counts: list[int]) -> dict[str, float]:
        result = scores(Counts.from_vector(counts), self.profile)
        return {"cer": result.cer, "wer": result.wer, "cer_macro": result.cer_macro, "lines": float(result.lines)}

    def gather(self, at_first: Callable[[list[LineResult]], list[LineResult]]) -> None:
        """Brings the results of all processes to the first one, in the order of the store."""
        self.results = sorted(at_first(self.results), key=lambda result: result.row)

    def samples(self) -> list[tuple[str, str]]:
        """A few lines, always the same ones: (truth, prediction)."""
        ordered = sorted(self.results, key=lambda result: result.row)
        step = max(1, len(ordered) // 4)
        return [(result.truth, result.prediction.text) for result in ordered[step // 2 :: step][:4]]
