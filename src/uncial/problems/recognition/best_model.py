"""What is kept of a training's best validation: the model, what it says about itself, and how it read each line."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from uncial.data.ground_truth import GroundTruth
from uncial.data.lines.datamodule import SplitSubset
from uncial.data.store.store import Store
from uncial.metrics.calibration import fit_temperatures
from uncial.metrics.evaluation import EvaluationSettings, build_overview
from uncial.models.files import save_model
from uncial.models.lineage import SEEN_BEFORE
from uncial.models.precision import choose_reading_precision
from uncial.models.recognizer import Recognizer
from uncial.problems.problem import BestModelWriter, build_problem_card, strip_val_prefix
from uncial.problems.recognition.evaluation import (
    build_prediction_rows,
    calibrate_lines,
    calibrate_results,
    evaluate_lines,
)
from uncial.problems.recognition.metric import RecognitionMetric
from uncial.problems.splitting import CARD_KEY, split_card
from uncial.reports.tables.line_results import write_line_results
from uncial.reports.tables.scores import score_figures
from uncial.runs.files import RunFolder
from uncial.runs.tables import write_predictions


class RecognizerWriter(BestModelWriter):
    """Writes the recogniser with the temperatures of its confidences, and how it read each validation line."""

    files = (RunFolder.best_model, RunFolder.predictions, RunFolder.lines)

    def __init__(
        self,
        folder: Path,
        recognizer: Recognizer,
        card: Mapping[str, Any],
        store: Store,
        metric: RecognitionMetric,
        settings: EvaluationSettings,
    ) -> None:
        super().__init__(folder, recognizer, card)
        self.store, self.metric, self.settings, self.rules = store, metric, settings, recognizer.text

    def write(self, scores: Mapping[str, float]) -> None:
        """Write the model, its predictions and their scores."""
        if not scores:
            super().write(scores)
            return
        results = sorted(self.metric.results, key=lambda result: result.row)
        scored = evaluate_lines(self.store, results, self.metric.profile, self.rules)
        temperatures = fit_temperatures(scored)
        lines = calibrate_lines(scored, temperatures)
        known = {
            "scores": {**strip_val_prefix(scores), **score_figures(build_overview(lines, self.settings))},
            "calibration": asdict(temperatures),
        }
        save_model(RunFolder(self.folder).best_model, self.model, {**self.card, **known})
        rows = build_prediction_rows(calibrate_results(results, temperatures), lines)
        write_predictions(RunFolder(self.folder).predictions, rows)
        write_line_results(RunFolder(self.folder).lines, lines)


def build_model_card(
    config: DictConfig,
    truth: GroundTruth,
    parts: Mapping[str, SplitSubset],
    lineage: Sequence[str],
    seen_before: Sequence[str],
) -> dict[str, Any]:
    """Return what best.safetensors says about itself beside weights, codec and preprocessing. `seen_before` are
    hashes of pages that the pretrained model knew."""
    rows = parts["train"].dataset.rows
    hashes = sorted({truth.store.value(int(row), "image_hash") for row in rows})
    return {
        "model": OmegaConf.to_container(config.model, resolve=True),
        "normalization": config.model.normalization,
        "precision": choose_reading_precision("cpu"),
        "training": {"lines": len(rows), "pages": len(hashes), "page_hashes": hashes, "data": config.data.name},
        CARD_KEY: split_card(config),
        **build_problem_card(config),
        SEEN_BEFORE: list(seen_before),
        "lineage": list(lineage),
        "seed": config.seed,
        "version": version("uncial"),
    }
