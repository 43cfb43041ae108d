"""What is kept of a training's best validation: the model, what it says about itself, and how it read each line."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

from omegaconf import DictConfig, OmegaConf

from uncial.data.ground_truth import GroundTruth
from uncial.data.lines.datamodule import SplitSubset
from uncial.metrics.calibration import fit_temperatures
from uncial.metrics.evaluation import overview
from uncial.models.files import save_model
from uncial.models.lineage import SEEN_BEFORE
from uncial.models.precision import reading_precision
from uncial.problems.recognition.evaluation import (
    calibrated_lines,
    calibrated_results,
    evaluated_lines,
    prediction_rows,
)
from uncial.problems.recognition.setup import TrainingSetup
from uncial.problems.scoring import evaluation_settings
from uncial.problems.splitting import CARD_KEY, split_card
from uncial.reports.tables.line_results import write_line_results
from uncial.reports.tables.scores import score_figures
from uncial.runs.files import RunFolder
from uncial.runs.session import RunSession
from uncial.runs.tables import write_predictions

OF_THE_BEST = (RunFolder.best_model, RunFolder.predictions, RunFolder.lines)
"""What is written of the best validation."""


def make_best_model_writer(
    this: RunSession, truth: GroundTruth, ready: TrainingSetup, card: Mapping[str, Any]
) -> Callable[[dict[str, float]], None]:
    """What is done with the model and the scores of a validation that is the best so far; the scores are empty where
    there was none."""
    folder, metric, recognizer = this.folder, ready.metric, ready.recognizer
    settings = evaluation_settings(this.config, metric.profile)

    def keep(scores: dict[str, float]) -> None:
        if not scores:
            save_model(RunFolder(folder).best_model, recognizer, {**card, "scores": {}})
            return
        results = sorted(metric.results, key=lambda result: result.row)
        scored = evaluated_lines(truth.store, results, metric.profile, recognizer.text)
        temperatures = fit_temperatures(scored)
        lines = calibrated_lines(scored, temperatures)
        known = {
            "scores": {**strip_val_prefix(scores), **score_figures(overview(lines, settings))},
            "calibration": asdict(temperatures),
        }
        save_model(RunFolder(folder).best_model, recognizer, {**card, **known})
        write_predictions(
            RunFolder(folder).predictions, prediction_rows(calibrated_results(results, temperatures), lines)
        )
        write_line_results(RunFolder(folder).lines, lines)

    return keep


def strip_val_prefix(scores: Mapping[str, float]) -> dict[str, float]:
    """The scores of a validation under the names that a model file has for them."""
    return {name.removeprefix("val/"): score for name, score in scores.items()}


def model_card(
    config: DictConfig,
    truth: GroundTruth,
    parts: Mapping[str, SplitSubset],
    lineage: Sequence[str],
    seen_before: Sequence[str],
) -> dict[str, Any]:
    """What best.safetensors says about itself beside weights, codec and preprocessing. `seen_before` are hashes of
    pages that the pretrained model knew."""
    rows = parts["train"].dataset.rows
    hashes = sorted({truth.store.value(int(row), "image_hash") for row in rows})
    return {
        "model": OmegaConf.to_container(config.model, resolve=True),
        "normalization": config.model.normalization,
        "precision": reading_precision("cpu"),
        "training": {"lines": len(rows), "pages": len(hashes), "page_hashes": hashes, "data": config.data.name},
        CARD_KEY: split_card(config),
        SEEN_BEFORE: list(seen_before),
        "lineage": list(lineage),
        "seed": config.seed,
        "version": version("uncial"),
    }
