"""task=train: from ground truth to the best model, its scores and its curves."""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from uncial.data.datamodule import LineDataModule, Loading, Part, training_sampler
from uncial.data.ground_truth import GroundTruth
from uncial.errors import UserError
from uncial.formats.types import Problem
from uncial.metrics.calibration import fit_temperatures
from uncial.metrics.evaluation import overview
from uncial.models.build import build_model
from uncial.models.files import load_card, save_model, whole_card
from uncial.models.precision import reading_precision
from uncial.models.recognizer import Recognizer
from uncial.reports.console import make_console, show
from uncial.reports.curves import draw_curves
from uncial.reports.scores import score_figures
from uncial.reports.summary import RunSummary, run_summary
from uncial.reports.tables import write_metrics, write_predictions, write_skipped
from uncial.tasks.alphabet import codec_for, text_rules
from uncial.tasks.configuration import (
    as_typed,
    check_numbers,
    data_as_typed,
    evaluation_settings,
    run_folder,
    write_config,
)
from uncial.tasks.control import check_durations, control, wanted_length
from uncial.tasks.evaluation import calibrated_results, evaluated_lines, part_scores, prediction_rows
from uncial.tasks.instantiation import made
from uncial.tasks.loading import load_ground_truth
from uncial.tasks.pretrained import freezing, lr_factors, pretrained_recognizer, with_pretrained_model
from uncial.tasks.recognition import loading, part_of, texts_of, too_long
from uncial.training.augmentations.chain import build_augmentation
from uncial.training.best_model import BestModel
from uncial.training.interruption import ending_by_signal
from uncial.training.length import RunLength
from uncial.training.line_scores import LineScores
from uncial.training.module import TrainingModule
from uncial.training.pace import Pace
from uncial.training.progress import progress_callback
from uncial.training.trainer import make_trainer, quiet_lightning


def run(config: DictConfig) -> None:
    """Trains a recogniser on the train part, keeps the one that reads the validation part best, and writes the run
    folder."""
    quiet_lightning()
    check_numbers(config)
    check_durations(config.trainer)
    config = with_pretrained_model(config)
    metric = instantiate(config.model.metric)
    settings = evaluation_settings(config, metric.profile)
    folder = run_folder()
    write_config(config, folder)
    truth = load_ground_truth(config)
    torch.manual_seed(config.seed)
    recognizer = new_recognizer(config, truth)
    parts, dropped = training_parts(config, truth, recognizer)
    write_skipped(folder / "skipped.csv", [*truth.problems, *dropped])

    how = loading(config.trainer)
    length = run_length(config, parts["train"], how, folder)
    module = training_module(config, recognizer, metric, length)
    card = model_card(config, truth, parts)

    def keep(scores: dict[str, float]) -> None:
        temperatures = fit_temperatures(evaluated_lines(truth.store, metric.results, metric.profile, recognizer.text))
        results = calibrated_results(metric.results, temperatures)
        lines = evaluated_lines(truth.store, results, metric.profile, recognizer.text)
        found = overview(lines, settings)
        logged = {name.removeprefix("val/"): score for name, score in scores.items()}
        known = {"scores": {**logged, **score_figures(found)}, "calibration": asdict(temperatures)}
        save_model(folder / "best.safetensors", recognizer, {**card, **known})
        write_predictions(folder / "predictions.csv", prediction_rows(results, lines))

    def describe() -> str:
        return whole_card(recognizer, {**card, "scores": {}})

    best = BestModel(config.model.monitor, config.model.mode, keep, describe, folder / "last.ckpt")
    pace = Pace()
    still = freezing(config, recognizer, length)
    callbacks = [length, *control(config, module), *still, best, pace, progress_callback(config.callbacks.samples)]
    trainer = make_trainer(config.trainer, folder, callbacks, config.logger)
    started = time.monotonic()
    with ending_by_signal():
        trainer.fit(module, LineDataModule(parts, how, config.seed))
    epochs = pace.lines / len(parts["train"].dataset)
    effort = Effort(time.monotonic() - started, pace.lines_per_second, epochs, trainer.global_step)
    finish(folder, effort, skipped=len(truth.problems) + len(dropped))


def new_recognizer(config: DictConfig, truth: GroundTruth) -> Recognizer:
    """A recogniser of the characters of the training lines, or what `pretrained` and they make. Raises `UserError`
    where there is nothing to learn from."""
    for part, key in (("train", "data.train"), ("val", "data.val")):
        if not len(truth.rows[part]):
            raise UserError(_why_empty(part, key, list(config.data.ratio), truth))
    texts = {part: texts_of(truth, truth.rows[part], text_rules(config)) for part in ("train", "val")}
    rules = text_rules(config, texts["train"])
    if config.pretrained is not None:
        return pretrained_recognizer(config, texts["train"], rules)
    model = build_model(config.model, codec=codec_for(config, texts, rules), text=rules)
    if not isinstance(model, Recognizer):
        raise UserError(f"model={config.model.name} is no line recogniser, and task=train trains those.")
    return model


def _why_empty(part: str, key: str, ratio: list[float], truth: GroundTruth) -> str:
    if truth.problems and not len(truth.store):
        first = truth.problems[0]
        return f"No line could be used, the first because of this: {first.file} {first.line}: {first.reason}"
    return f"The {part} part holds no line: check data.root, the filters, data.ratio={ratio} and {key}."


def training_parts(
    config: DictConfig, truth: GroundTruth, recognizer: Recognizer
) -> tuple[dict[str, Part], list[Problem]]:
    """The lines to train on, augmented and without those that CTC cannot learn, which are returned too; and those to
    validate on."""
    rows = truth.rows["train"]
    infeasible = too_long(truth, rows, recognizer)
    rows = np.array([row for row in rows.tolist() if row not in infeasible], dtype=np.int64)
    if not len(rows):
        raise UserError(
            "Every training line has more text than its image has room for: check the lines with task=inspect."
        )
    augment = build_augmentation(config.augmentation, recognizer.preprocessing.channels)
    parts = {
        "train": part_of(truth, rows, recognizer, augment, config.seed),
        "val": part_of(truth, truth.rows["val"], recognizer, None, config.seed),
    }
    return parts, list(infeasible.values())


def run_length(config: DictConfig, part: Part, how: Loading, folder: Path) -> RunLength:
    """The number of steps, from the first of the `trainer` keys that is set."""
    return RunLength(
        wanted_length(config, len(part.dataset)),
        lambda devices: len(training_sampler(part, how, config.seed, world_size=devices)),
        len(part.dataset),
        config.scheduler.warmup_steps,
        folder / "steps.txt",
    )


def training_module(
    config: DictConfig, recognizer: Recognizer, metric: LineScores, length: RunLength
) -> TrainingModule:
    return TrainingModule(
        recognizer,
        metric,
        made(config, "optimizer"),
        made(config, "scheduler"),
        length,
        config.seed,
        lr_factors(config),
    )


@dataclass(frozen=True)
class Effort:
    """What the training took: seconds with validations, and the rate of the training alone."""

    seconds: float
    lines_per_second: float
    epochs: float
    steps: int


def model_card(config: DictConfig, truth: GroundTruth, parts: Mapping[str, Part]) -> dict[str, Any]:
    """What best.safetensors says about itself beside weights, codec and preprocessing."""
    rows = parts["train"].dataset.rows
    hashes = sorted({truth.store.value(int(row), "image_hash") for row in rows})
    return {
        "model": OmegaConf.to_container(config.model, resolve=True),
        "normalization": config.model.normalization,
        "precision": reading_precision("cpu"),
        "training": {"lines": len(rows), "pages": len(hashes), "page_hashes": hashes, "data": config.data.name},
        "seed": config.seed,
        "version": version("uncial"),
    }


def finish(folder: Path, effort: Effort, skipped: int) -> None:
    """Writes metrics.json and curves.png, and says how good the best model is, where it lies and what to run next."""
    best, model = folder / "best.safetensors", as_typed("checkpoint", folder)
    scores = load_card(best)["scores"]
    write_metrics(folder / "metrics.json", {"val": scores, "train": asdict(effort)})
    draw_curves(folder / "metrics.csv", folder / "curves.png")
    summary = RunSummary(
        parts={"validation": part_scores(scores)},
        folder=folder,
        seconds=effort.seconds,
        lines_per_second=effort.lines_per_second,
        epochs=effort.epochs,
        steps=effort.steps,
        skipped=skipped,
        files={"best model": best, "curves": folder / "curves.png", "predictions": folder / "predictions.csv"},
        next_steps={
            "score it on the test part": f"python run.py task=test {model} {data_as_typed()}".rstrip(),
            "read your own pages": f"python run.py task=predict {model} predict.input=FOLDER",
        },
    )
    show(make_console(), run_summary(summary))
