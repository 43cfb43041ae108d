"""What train, test and compare share: lines as a model read them, with everything that scores are told apart by."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from uncial.data.checks.image_quality import measure_quality
from uncial.data.ground_truth import GroundTruth
from uncial.data.store.store import Store
from uncial.metrics.calibration import Temperatures, apply_calibration, apply_temperature
from uncial.metrics.evaluation import Overview
from uncial.metrics.intervals import Interval, warn_about_few_lines
from uncial.metrics.lines import EvaluatedLine, LineOrigin, evaluate_line
from uncial.problems.recognition.metric import LineResult
from uncial.reports.terminal.progress_bar import show_progress
from uncial.reports.terminal.summary import SplitScores
from uncial.runs.tables import PredictionRow
from uncial.text.rules import TextRules


def evaluate_lines(
    store: Store, results: Iterable[LineResult], profile: str, rules: TextRules | None = None
) -> list[EvaluatedLine]:
    """Return the lines of the store that were read, in the order of `results`.

    Their ground truth is the store's, with the replacements that `rules` make in it. It is in no other form yet than
    in the files, so that models which learned other forms of text can be compared on the same.
    """
    return [
        evaluate_line(
            find_origin(store, result.row),
            _replace(store.value(result.row, "text"), rules),
            result.prediction.text,
            profile,
            result.prediction.confidence,
            result.prediction.character_confidences,
        )
        for result in results
    ]


def _replace(text: str, rules: TextRules | None) -> str:
    return rules.prepare(text) if rules is not None and rules.replacements else text


def find_origin(store: Store, row: int) -> LineOrigin:
    """Return where the line of a row comes from."""
    names = ("page", "line", "group", "document", "hand", "region_type")
    page, line, group, document, hand, region_type = (store.value(row, name) or "" for name in names)
    return LineOrigin(page, line, group, document, hand, region_type, row)


def measure_images(truth: GroundTruth, origins: Iterable[LineOrigin]) -> dict[str, np.ndarray]:
    """Return what the images of lines of its store are like, (n,) for each measure by its name."""
    rows = np.array([origin.row for origin in origins], dtype=np.int64)
    with show_progress("measuring", len(rows), "lines") as advance:
        return asdict(measure_quality(truth.store, rows, truth.pages, advance))


def calibrate_results(results: Iterable[LineResult], temperatures: Temperatures) -> list[LineResult]:
    """Return the results in the order of the store, with confidences at the temperatures."""
    ordered = sorted(results, key=lambda result: result.row)
    return [replace(result, prediction=apply_calibration(result.prediction, temperatures)) for result in ordered]


def calibrate_lines(lines: Iterable[EvaluatedLine], temperatures: Temperatures) -> list[EvaluatedLine]:
    """Return the same for lines that were scored already, in their order."""
    return [
        replace(
            line,
            confidence=None if line.confidence is None else apply_temperature(line.confidence, temperatures.lines),
            character_confidences=tuple(
                apply_temperature(one, temperatures.characters) for one in line.character_confidences
            ),
        )
        for line in lines
    ]


def build_prediction_rows(results: Sequence[LineResult], lines: Sequence[EvaluatedLine]) -> Iterator[PredictionRow]:
    """Yield the rows of predictions.csv: readings as the model gives them, truth and edits as they are scored."""
    for result, line in zip(results, lines, strict=True):
        yield PredictionRow(
            page=line.origin.page,
            line=line.origin.line,
            truth=line.truth,
            prediction=result.prediction.text,
            confidence=result.prediction.confidence,
            edits=line.counts.edits,
        )


def score_part(figures: Mapping[str, Any]) -> SplitScores:
    """Return what the summary at the end of a run tells of a part, from its figures in metrics.json."""
    bounds = figures["cer_interval"]
    interval = (
        None if bounds is None else Interval(bounds[0], bounds[1], figures["interval_level"], figures["clusters"])
    )
    return SplitScores(
        cer=figures["cer"],
        wer=figures["wer"],
        lines=int(figures["lines"]),
        line_accuracy=figures["line_accuracy"],
        profile=figures["profile"],
        interval=interval,
        no_interval=figures["no_interval"],
    )


def list_cautions(overview: Overview) -> list[str]:
    """Return what a person should know before believing the intervals."""
    found = []
    if few := warn_about_few_lines(int(overview.total.scores.lines), overview.clusters, "test"):
        found.append(few)
    if overview.lines_are_pages:
        found.append(
            "Every line counts as a page of its own: where several were cut from one page the intervals are too "
            "narrow; data.page_pattern tells the pages of line images."
        )
    return found
