"""What test and compare share: which lines are scored, what a model reads in them, and what of the model can be changed
for that by the `model` keys that are typed (kraken's --pad, --reorder, --base-dir)."""

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning.pytorch.loggers import Logger
from omegaconf import DictConfig, OmegaConf

from uncial.config.overrides import format_override
from uncial.config.schema import build_settings, get_checkpoint, list_trusted
from uncial.config.typed import is_typed
from uncial.data.ground_truth import GroundTruth
from uncial.data.lines.datamodule import LineDataModule
from uncial.data.lines.dataset import Augment
from uncial.data.lines.loader import report_lost_workers
from uncial.errors import DivergedError, UserError
from uncial.metrics.calibration import read_temperatures
from uncial.models.files import find_model_file
from uncial.models.lineage import find_training_folder, list_pages_seen
from uncial.models.recognizer import Recognizer
from uncial.pipelines.recognition import Transcriber, load
from uncial.problems.recognition.evaluation import calibrate_results
from uncial.problems.recognition.metric import LineResult, RecognitionMetric
from uncial.problems.recognition.setup import COUNTED, build_part, build_reading_loader_config, too_long
from uncial.problems.splitting import CARD_KEY
from uncial.problems.trainer import run_on_devices
from uncial.reports.terminal.formatting import plural
from uncial.runs.files import RunFolder
from uncial.runs.folder import to_plain_config
from uncial.training.callbacks.progress import Told, build_progress
from uncial.training.callbacks.throughput import TestTimer
from uncial.training.distributed.devices import choose_devices
from uncial.training.distributed.signals import exit_on_signals
from uncial.training.module import ScoringModule
from uncial.training.settings import TrainerSettings
from uncial.training.trainer import build_evaluation_trainer

log = logging.getLogger(__name__)

OF_PREPROCESSING = ("contrast", "ink", "least_span", "padding", "paper", "polarity")
"""Keys of model.preprocessing that leave the size of the model's input as it is."""

OF_TEXT = {"direction": "direction", "mixed_direction": "mixed"}
"""Keys of model.text that say how what stands from left to right becomes text, by their names in `TextRules`."""


def apply_typed_keys(recognizers: Iterable[Recognizer], config: DictConfig) -> None:
    """Gives the models those of the keys above that were typed, and says where one was trained with another value.

    Raises `UserError` for a value that cannot be, and where a model of one's own has no such setting.
    """
    for recognizer in recognizers:
        images = _find_typed(config, "model.preprocessing", {name: name for name in OF_PREPROCESSING})
        recognizer.preprocessing = _find_changed(recognizer.preprocessing, images, "model.preprocessing")
        recognizer.text = _find_changed(recognizer.text, _find_typed(config, "model.text", OF_TEXT), "model.text")


def load_transcriber(config: DictConfig) -> Transcriber:
    """Return the model of `checkpoint` with the keys that were typed, on the device that the `trainer` group names."""
    trainer = config.trainer
    if trainer.threads is not None:
        torch.set_num_threads(int(trainer.threads))
    device = "auto"
    if trainer.accelerator != "auto" or trainer.devices != 1:
        devices = choose_devices(build_settings(TrainerSettings, config))
        device = f"cuda:{devices.numbers[0]}" if devices.kind == "cuda" else devices.kind
        if devices.count > 1:
            log.warning(f"trainer.devices={trainer.devices}: task={config.task.name} reads on one device, {device}.")
    transcriber = load(get_checkpoint(config), device, list_trusted(config))
    apply_typed_keys([transcriber.recognizer], config)
    return transcriber


def _find_typed(config: DictConfig, group: str, names: dict[str, str]) -> dict[str, Any]:
    """Return the values that were typed, by the names of the settings; null leaves the model's."""
    values = {setting: OmegaConf.select(config, f"{group}.{name}") for name, setting in names.items()}
    plain = {key: OmegaConf.to_object(value) if OmegaConf.is_config(value) else value for key, value in values.items()}
    typed = {setting for name, setting in names.items() if is_typed(f"{group}.{name}")}
    return {setting: value for setting, value in plain.items() if setting in typed and value is not None}


def _find_changed(part: Any, values: dict[str, Any], group: str) -> Any:
    if not values:
        return part
    try:
        changed = replace(part, **values)
    except TypeError as error:
        raise UserError(f"{group}: {type(part).__name__} of this model takes no {', '.join(values)}: {error}") from None
    for setting in values:
        before, after = getattr(part, setting), getattr(changed, setting)
        if before != after:
            log.info(f"{group}: {setting} is {after} here; the model was trained with {before}.")
    return changed


@dataclass(frozen=True)
class LinePredictions:
    """Lines as a model read them, in the order of the store and with calibrated confidences; the mean loss, and how
    many seconds it took."""

    results: list[LineResult]
    loss: float
    seconds: float


def predict_lines(
    config: DictConfig,
    folder: Path,
    truth: GroundTruth,
    rows: np.ndarray,
    recognizer: Recognizer,
    card: dict[str, Any],
    loggers: Sequence[Logger] = (),
    model: Path | str = "the model",
    augment: Augment | None = None,
) -> LinePredictions:
    """Return what the model reads in these rows of the store, as they are or as `augment` makes them, on the devices
    that the config names; the loggers are told the scores. Raises `UserError` for one whose outputs are NaN or Inf, by
    the name `model`."""
    plain, devices = to_plain_config(config), choose_devices(build_settings(TrainerSettings, config))
    infeasible = too_long(truth, rows, recognizer)
    if infeasible and augment is None:
        log.warning(
            f"{plural(len(infeasible), 'line')} of {len(rows):,} with more text than the image has frames for: "
            f"{COUNTED}."
        )
    try:
        read, scores = run_on_devices(
            devices,
            folder,
            _read,
            plain,
            folder,
            replace(truth, pages=()),
            rows,
            recognizer,
            tuple(infeasible),
            augment,
        )
    except DivergedError as error:
        raise UserError(f"{model}: {error}") from None
    for logger in loggers:
        logger.log_metrics({**scores, "epoch": 0}, 0)
        logger.save()
    return replace(read, results=calibrate_results(read.results, read_temperatures(card)))


def _read(
    config: DictConfig,
    folder: Path,
    truth: GroundTruth,
    rows: np.ndarray,
    recognizer: Recognizer,
    infeasible: Sequence[int],
    augment: Augment | None,
) -> tuple[LinePredictions, dict[str, float]]:
    """Return what each process does: it reads its part of the lines. The first one has what all have read, and the
    scores."""
    parts = {"test": build_part(truth, rows, recognizer, augment, config.seed, infeasible)}
    metric, watch = RecognitionMetric(recognizer.text.normalization), TestTimer()
    trainer = build_evaluation_trainer(
        build_settings(TrainerSettings, config), folder, [watch, build_progress(Told(0))]
    )
    how = build_reading_loader_config(config.trainer)
    scoring, lines = ScoringModule(recognizer, metric), LineDataModule(parts, how, config.seed)
    with exit_on_signals(), report_lost_workers():
        trainer.test(scoring, lines, verbose=False)
    scores = {name: float(score) for name, score in trainer.callback_metrics.items()}
    return LinePredictions(metric.results, scores["test/loss"], watch.seconds), scores


def choose_rows_to_score(config: DictConfig, truth: GroundTruth) -> tuple[str, np.ndarray]:
    """Return the part that `data.subset` names, else the test part where there is one, with its rows of the store."""
    subset = str(config.data.subset or "test")
    rows = np.arange(len(truth.store)) if subset == "all" else truth.rows[subset]
    rows = rows[truth.store.transcribed()[rows]]  # What a program read is no truth, also where it is trained on.
    if not len(rows):
        if subset in truth.unusable:
            raise UserError(f"{truth.unusable[subset].rstrip('.')}.")
        sizes = ", ".join(f"{len(found):,} {part}" for part, found in truth.rows.items())
        raise UserError(
            f"The {subset} part holds no line ({sizes}): give data.test, or choose another with data.subset=val or all."
        )
    return subset, rows


def warn_about_training_overlap(
    truth: GroundTruth, rows: np.ndarray, card: dict[str, Any], model: str = "this model", path: Path | None = None
) -> None:
    """Says so when the model, of the file `path`, was trained on pages that it is scored on, and which others there
    are."""
    pages, overlap = _find_known_pages(truth, rows, list_pages_seen(card))
    if overlap:
        log.warning(
            f"{overlap} of the {pages} pages scored here were in {model}'s training data: "
            f"its score on them says nothing about new pages. {_find_others_to_score(card, path)}"
        )


def warn_about_validation_overlap(truth: GroundTruth, seen_before: Collection[str], pretrained: Any) -> None:
    """Says so when a training validates on pages that the pretrained model was trained on."""
    pages, overlap = _find_known_pages(truth, truth.rows["val"], seen_before)
    if not overlap:
        return
    folder = find_training_folder(find_model_file(Path(str(pretrained))))
    is_kept = folder is not None and RunFolder(folder).splits.is_file()
    as_before = f", or as its run did with {format_override('data.split_from', folder)}" if is_kept else ""
    log.warning(
        f"{overlap} of the {pages} validation pages were in the training data of pretrained={pretrained}: the scores "
        f"of this training will look better than on new pages. Validate on others with data.val{as_before}."
    )


def _find_known_pages(truth: GroundTruth, rows: np.ndarray, known: Collection[str]) -> tuple[int, int]:
    """Return how many pages these rows are of, and how many of them are known by their image."""
    images = set(known)
    found = [[truth.store.value(int(row), name) for name in ("group", "page", "image_hash")] for row in rows]
    pages = {group or page for group, page, _ in found}
    return len(pages), len({group or page for group, page, image in found if image in images})


def _find_others_to_score(card: Mapping[str, Any], path: Path | None) -> str:
    """Return what scores pages that the model's training kept apart, where its run or its card tells them."""
    stated = card.get(CARD_KEY)
    folder = find_training_folder(path) if path else None
    if not isinstance(stated, dict):
        return (
            "data.split_rule=hash, with the data.ratio and the seed of its training, scores those that it kept apart."
        )
    if folder is not None and RunFolder(folder).splits.is_file():
        ratio = stated.get("ratio")
        has_test = not isinstance(ratio, list) or len(ratio) != 3 or ratio[2]
        subset = "" if has_test else " with data.subset=val"
        return f"{format_override('data.split_from', folder)}{subset} scores those that its run kept apart."
    return "data.split_from=RUN, the folder of its run, scores those that it kept apart; or name others with data.test."
