"""task=test: scores a trained model on lines that it has not seen."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import DictConfig

from uncial.data.datamodule import LineDataModule
from uncial.data.ground_truth import GroundTruth
from uncial.data.splits import PARTS
from uncial.errors import UserError
from uncial.models.files import load_model
from uncial.reports.console import make_console, show
from uncial.reports.summary import PartScores, RunSummary, run_summary
from uncial.reports.tables import write_metrics, write_predictions, write_skipped
from uncial.tasks.configuration import check_numbers, checkpoint_of, choice, run_folder, write_config
from uncial.tasks.loading import load_ground_truth
from uncial.tasks.recognition import loading, part_of, prediction_rows
from uncial.training.interruption import ending_by_signal
from uncial.training.line_scores import LineScores
from uncial.training.module import ScoringModule
from uncial.training.pace import Stopwatch
from uncial.training.progress import progress_callback
from uncial.training.trainer import make_trainer, quiet_lightning
from uncial.transcriber import model_file

log = logging.getLogger(__name__)


def run(config: DictConfig) -> None:
    """Scores `checkpoint` on a part of the data, with the same implementation, precision and digits as validation."""
    quiet_lightning()
    check_numbers(config)
    path = model_file(checkpoint_of(config))
    recognizer, card = load_model(path)
    folder = run_folder()
    write_config(config, folder)
    truth = load_ground_truth(config)
    write_skipped(folder / "skipped.csv", truth.problems)
    part, rows = rows_to_score(config, truth)
    warn_of_known_pages(truth, rows, card)
    profile = recognizer.text.normalization
    parts = {"test": part_of(truth, rows, recognizer, None, config.seed)}
    metric = LineScores(profile)
    watch = Stopwatch()
    trainer = make_trainer(config.trainer, folder, [watch, progress_callback(0)], config.logger)
    scoring, lines = ScoringModule(recognizer, metric), LineDataModule(parts, loading(config.trainer), config.seed)
    with ending_by_signal():
        trainer.test(scoring, lines, verbose=False)
    write_predictions(folder / "predictions.csv", prediction_rows(truth.store, metric.results))
    scores = {name.removeprefix("test/"): float(value) for name, value in trainer.callback_metrics.items()}
    finish(folder, part, scores, profile, watch.seconds, path)


def rows_to_score(config: DictConfig, truth: GroundTruth) -> tuple[str, np.ndarray]:
    """The part that `data.subset` names, else the test part where there is one, with its rows of the store."""
    subset = choice(config.data.subset or "test", "data.subset", (*PARTS, "all"))
    rows = np.arange(len(truth.store)) if subset == "all" else truth.rows[subset]
    if not len(rows):
        sizes = ", ".join(f"{len(found):,} {part}" for part, found in truth.rows.items())
        raise UserError(
            f"The {subset} part holds no line ({sizes}): give data.test, or choose another with data.subset=val or all."
        )
    return subset, rows


def warn_of_known_pages(truth: GroundTruth, rows: np.ndarray, card: dict[str, Any]) -> None:
    """Says so when the model was trained on pages that it is scored on."""
    known = set(card.get("training", {}).get("page_hashes", ()))
    hashes = {truth.store.value(int(row), "image_hash") for row in rows}
    if overlap := known & hashes:
        log.warning(
            f"{len(overlap)} of the {len(hashes)} pages scored here were in this model's training data: "
            "its score on them says nothing about new pages."
        )


def finish(folder: Path, part: str, scores: dict[str, float], profile: str, seconds: float, model: Path) -> None:
    lines = int(scores["lines"])
    figures = {**scores, "lines": lines, "profile": profile, "part": part, "seconds": seconds}
    write_metrics(folder / "metrics.json", {"test": figures})
    summary = RunSummary(
        parts={part: PartScores(scores["cer"], scores["wer"], lines, profile=profile)},
        folder=folder,
        seconds=seconds,
        lines_per_second=lines / max(seconds, 1e-9),
        files={"model": model, "predictions": folder / "predictions.csv"},
    )
    show(make_console(), run_summary(summary))
