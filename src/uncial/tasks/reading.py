"""What test and compare share: which lines are scored, and what a model reads in them."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from lightning.pytorch.loggers import Logger
from omegaconf import DictConfig

from uncial.data.datamodule import LineDataModule
from uncial.data.ground_truth import GroundTruth
from uncial.data.splits import PARTS
from uncial.errors import UserError
from uncial.metrics.calibration import temperatures_of
from uncial.models.recognizer import Recognizer
from uncial.tasks.configuration import choice
from uncial.tasks.evaluation import calibrated_results
from uncial.tasks.recognition import loading, part_of
from uncial.training.interruption import ending_by_signal
from uncial.training.line_scores import LineResult, LineScores
from uncial.training.module import ScoringModule
from uncial.training.pace import Stopwatch
from uncial.training.progress import progress_callback
from uncial.training.trainer import make_trainer

log = logging.getLogger(__name__)


def read_lines(
    config: DictConfig,
    folder: Path,
    truth: GroundTruth,
    rows: np.ndarray,
    recognizer: Recognizer,
    card: dict[str, Any],
    watch: Stopwatch,
    loggers: Sequence[Logger] = (),
) -> tuple[list[LineResult], float]:
    """What the model reads in these rows of the store, in their order and with calibrated confidences, and its mean
    loss."""
    parts = {"test": part_of(truth, rows, recognizer, None, config.seed)}
    metric = LineScores(recognizer.text.normalization)
    trainer = make_trainer(config.trainer, folder, [watch, progress_callback(0)], loggers)
    scoring, lines = ScoringModule(recognizer, metric), LineDataModule(parts, loading(config.trainer), config.seed)
    with ending_by_signal():
        trainer.test(scoring, lines, verbose=False)
    return calibrated_results(metric.results, temperatures_of(card)), float(trainer.callback_metrics["test/loss"])


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


def warn_of_known_pages(truth: GroundTruth, rows: np.ndarray, card: dict[str, Any], model: str = "this model") -> None:
    """Says so when the model was trained on pages that it is scored on."""
    known = set(card.get("training", {}).get("page_hashes", ()))
    hashes = {truth.store.value(int(row), "image_hash") for row in rows}
    if overlap := known & hashes:
        log.warning(
            f"{len(overlap)} of the {len(hashes)} pages scored here were in {model}'s training data: "
            "its score on them says nothing about new pages."
        )
