"""How well a trained recogniser reads lines that it has not seen."""

import logging
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from omegaconf import DictConfig

from uncial.config.schema import checkpoint_of, trusted
from uncial.data.checks.image_quality import measure_quality
from uncial.data.ground_truth import GroundTruth
from uncial.metrics.evaluation import Overview, evaluate
from uncial.metrics.image_quality import score_by_measures
from uncial.metrics.lines import EvaluatedLine
from uncial.metrics.review import ReadLine, rank_for_review
from uncial.models.files import load_model
from uncial.pipelines.recognition import model_file
from uncial.problems.build import evaluation_settings
from uncial.problems.ground_truth import describe_data, load_ground_truth, write_splits
from uncial.problems.recognition.evaluation import cautions, evaluated_lines, part_scores, prediction_rows
from uncial.problems.recognition.inference import (
    apply_typed_keys,
    predict_lines,
    rows_to_score,
    warn_about_training_overlap,
)
from uncial.problems.recognition.summary import read_outcome
from uncial.problems.splitting import Model, choose_scoring_split
from uncial.problems.trainer import open_loggers
from uncial.reports.html.report_page import ReportHeader, write_scores_page
from uncial.reports.tables.image_quality import write_image_quality
from uncial.reports.tables.ketos import write_ketos_report
from uncial.reports.tables.review import review_summary, write_review
from uncial.reports.tables.scores import describe_images, score_figures, write_scores
from uncial.reports.terminal.console import make_console, show
from uncial.reports.terminal.progress_bar import show_progress
from uncial.reports.terminal.summary import RunSummary, format_run_summary
from uncial.runs.environment import add_to_environment
from uncial.runs.files import RunFolder
from uncial.runs.folder import run_folder, write_config
from uncial.runs.tables import write_metrics, write_predictions, write_skipped
from uncial.training.loggers.tracking import show_outcome
from uncial.training.trainer import quiet_lightning

log = logging.getLogger(__name__)


def score_recognizer(config: DictConfig) -> None:
    """Score `checkpoint` on a part of the data, with the same implementation, precision and digits as validation."""
    quiet_lightning()
    path = model_file(checkpoint_of(config), "checkpoint")
    recognizer, card = load_model(path, trusted(config))
    apply_typed_keys([recognizer], config)
    settings = evaluation_settings(config, config.test.profile or recognizer.text.normalization)
    target = float(config.metrics.review_cer)
    folder = run_folder()
    write_config(config, folder)
    truth = load_ground_truth(config, choose_scoring_split(config, [Model(path, card)]))
    write_skipped(RunFolder(folder).skipped, truth.problems)
    write_splits(folder, truth)
    part, rows = rows_to_score(config, truth)
    warn_about_training_overlap(truth, rows, card, path=path)
    add_to_environment(folder, {"data": {"store": truth.store.digest}})
    with open_loggers(config, folder) as loggers:
        read = predict_lines(config, folder, truth, rows, recognizer, card, loggers, path)
        lines = evaluated_lines(truth.store, read.results, settings.profile, recognizer.text)
        write_predictions(RunFolder(folder).predictions, prediction_rows(read.results, lines))
        evaluation = evaluate(lines, settings)
        measures = measure_images(truth, evaluation.lines)
        by_image = score_by_measures(evaluation.lines, measures, settings)
        write_scores(folder, evaluation, by_image)
        write_image_quality(folder, evaluation.lines, measures)
        write_ketos_report(RunFolder(folder).ketos_report, lines)
        order = rank_for_review([_to_review(line) for line in evaluation.lines])
        write_review(folder, order, target)
        about = ReportHeader(
            f"Test of {config.name}",
            {"part": part, "model": str(path), "data": describe_data(config)},
            RunFolder.scores_table,
        )
        pictures = int(config.report.pictures)
        write_scores_page(RunFolder(folder).report, evaluation, about, truth.store.strip, pictures, by_image)
        finish_test(folder, part, evaluation.overview, read.loss, read.seconds, path)
        show(make_console(), *filter(None, (review_summary(order, target), describe_images(evaluation, by_image))))
        show_outcome(loggers, lambda: read_outcome(folder, "test", truth.store, rows, settings.profile))


def measure_images(truth: GroundTruth, lines: Sequence[EvaluatedLine]) -> dict[str, np.ndarray]:
    """Return what the images of lines of its store are like, (n,) for each measure by its name."""
    rows = np.array([line.origin.row for line in lines], dtype=np.int64)
    with show_progress("measuring", len(rows), "lines") as advance:
        return asdict(measure_quality(truth.store, rows, truth.pages, advance))


def _to_review(line: EvaluatedLine) -> ReadLine:
    counts, origin = line.counts, line.origin
    read = len(line.prediction)
    return ReadLine(origin.page, origin.line, read, line.confidence or 0.0, counts.edits, counts.characters)


def finish_test(folder: Path, part: str, overview: Overview, loss: float, seconds: float, model: Path) -> None:
    """Write metrics.json, and say how good the model is and where the details are."""
    figures = {"loss": loss, **score_figures(overview), "part": part, "seconds": seconds}
    write_metrics(RunFolder(folder).metrics, {"test": figures})
    for caution in cautions(overview):
        log.warning(caution)
    summary = RunSummary(
        parts={part: part_scores(figures)},
        folder=folder,
        seconds=seconds,
        lines_per_second=overview.total.scores.lines / max(seconds, 1e-9),
        files={"model": model, "report": RunFolder(folder).report, "predictions": RunFolder(folder).predictions},
    )
    show(make_console(), format_run_summary(summary))
