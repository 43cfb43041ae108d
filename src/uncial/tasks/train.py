"""task=train: from ground truth to the best model, its scores and its curves."""

import logging
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
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
from uncial.metrics.evaluation import EvaluationSettings, evaluate, overview
from uncial.models.build import build_model
from uncial.models.files import load_card, load_model, save_model, whole_card
from uncial.models.precision import reading_precision
from uncial.models.recognizer import Recognizer
from uncial.reports.console import make_console, show
from uncial.reports.curves import draw_curves
from uncial.reports.environment import add_to_environment
from uncial.reports.line_results import LINES_FILE, read_line_results, write_line_results
from uncial.reports.scores import score_figures
from uncial.reports.scores_page import REPORT, About, write_scores_page
from uncial.reports.summary import RunSummary, run_summary
from uncial.reports.tables import write_metrics, write_predictions, write_skipped
from uncial.tasks.alphabet import codec_for, text_rules
from uncial.tasks.configuration import check_numbers, data_as_typed, data_text, evaluation_settings, plain_config
from uncial.tasks.control import averaging, check_durations, wanted_length, watching
from uncial.tasks.evaluation import calibrated_results, evaluated_lines, part_scores, prediction_rows
from uncial.tasks.instantiation import made
from uncial.tasks.loading import load_ground_truth
from uncial.tasks.on_devices import on_devices
from uncial.tasks.pretrained import freezing, lineage, lr_factors, pretrained_recognizer, with_pretrained_model
from uncial.tasks.recognition import loading, part_of, texts_of, too_long
from uncial.tasks.search import pruning
from uncial.tasks.session import Session, check_data, fingerprint, session
from uncial.tasks.tracking import tracked, trained_outcome
from uncial.training.augmentations.chain import build_augmentation
from uncial.training.best_model import BestModel
from uncial.training.checkpoints import Checkpoints
from uncial.training.devices import devices_of
from uncial.training.group import is_first, processes, wait_for_all
from uncial.training.interruption import Interruption, end, listening
from uncial.training.kept import Keeping
from uncial.training.length import RunLength
from uncial.training.line_scores import LineScores
from uncial.training.loggers.tracking import show_outcome
from uncial.training.module import TrainingModule
from uncial.training.pace import Pace
from uncial.training.progress import progress_callback
from uncial.training.run_state import LAST
from uncial.training.standing import score_text
from uncial.training.trainer import device_of, make_trainer, quiet_lightning
from uncial.typed_arguments import as_typed

log = logging.getLogger(__name__)


def run(config: DictConfig) -> None:
    """Trains a recogniser on the train part, keeps the one that reads the validation part best, and writes the run
    folder; or goes on with the run that `resume` names."""
    quiet_lightning()
    check_numbers(config)
    check_durations(config.trainer)
    with session(config, with_pretrained_model) as this:
        train(this)


def train(this: Session) -> None:
    """One session of a run, from its state to its end, on the devices that it is given."""
    config, devices = this.config, devices_of(this.config.trainer)
    evaluation_settings(config, instantiate(config.model.metric).profile)
    truth = load_ground_truth(config)
    check_data(this, fingerprint(truth))
    plain = replace(this, config=plain_config(config))
    if config.trainer.devices == "auto" and devices.count == 1:
        log.info(f"trainer.devices=auto: there is one device here ({devices.kind}), and so one process.")
    on_devices(devices, this.folder, fit, plain, replace(truth, pages=()))


def fit(this: Session, truth: GroundTruth) -> None:
    """What each process of a training does. The first one writes the files."""
    config, folder, state = this.config, this.folder, this.state
    metric = instantiate(config.model.metric)
    settings = evaluation_settings(config, metric.profile)
    data = fingerprint(truth)
    seed_all(config.seed)
    recognizer = new_recognizer(config, truth) if state is None else load_model(state.path)[0].train()
    parts, dropped = training_parts(config, truth, recognizer)
    if is_first():
        write_skipped(folder / "skipped.csv", [*truth.problems, *dropped])

    # A run that goes on with another number of devices keeps its batches, and so its steps and its place among them.
    devices = processes() if state is None else state.state.devices
    how = loading(config.trainer, devices)
    length = run_length(config, parts["train"], how, folder)
    module = training_module(config, recognizer, metric, length)
    card = model_card(config, truth, parts, lineage(config, state.path if state else None))

    def keep(scores: dict[str, float]) -> None:
        if not scores:
            save_model(folder / "best.safetensors", recognizer, {**card, "scores": {}})
            return
        temperatures = fit_temperatures(evaluated_lines(truth.store, metric.results, metric.profile, recognizer.text))
        results = calibrated_results(metric.results, temperatures)
        lines = evaluated_lines(truth.store, results, metric.profile, recognizer.text)
        found = overview(lines, settings)
        known = {"scores": {**logged(scores), **score_figures(found)}, "calibration": asdict(temperatures)}
        save_model(folder / "best.safetensors", recognizer, {**card, **known})
        write_predictions(folder / "predictions.csv", prediction_rows(results, lines))
        write_line_results(folder / LINES_FILE, lines)

    def describe(scores: dict[str, float]) -> str:
        return whole_card(recognizer, {**card, "scores": logged(scores)})

    best, pace = BestModel(config.model.monitor, config.model.mode, keep), Pace()
    store = truth.store
    watchers = list(watching(config, module, lambda row: f"{store.value(row, 'page')} {store.value(row, 'line')}"))
    still, trials = freezing(config, recognizer, length), pruning(config)
    with tracked(config, folder) as loggers:
        with listening() as interruption:
            keeping = Keeping(**config.callbacks.checkpoints)
            states = Checkpoints(folder, keeping, best.monitor, best.mode, describe, data, interruption, devices)
            progress = progress_callback(config.callbacks.samples)
            callbacks = [states, length, *watchers, *trials, *still, best, *averaging(config), pace, progress]
            trainer = make_trainer(config.trainer, folder, callbacks, loggers)
            if is_first():
                add_to_environment(folder, {"data": data, "device": device_of(trainer)})
            lines = LineDataModule(parts, how, config.seed)
            with saying_how_to_go_on(folder, states, best, interruption):
                trainer.fit(module, lines, ckpt_path=state.path if state else None, weights_only=True)
        taught = len(parts["train"].dataset)
        effort = Effort(states.seconds, pace.lines_per_second, pace.lines / taught, trainer.global_step, taught)
        if is_first():
            draw_curves(folder / "metrics.csv", folder / "curves.png")
            write_report(this, truth, settings)
            finish(this, effort, skipped=len(truth.problems) + len(dropped))
            show_outcome(loggers, lambda: trained_outcome(config, folder, truth, metric.profile))
    wait_for_all()
    for trial in trials:
        trial.end()


def logged(scores: Mapping[str, float]) -> dict[str, float]:
    """The scores of a validation under the names that a model file has for them."""
    return {name.removeprefix("val/"): score for name, score in scores.items()}


def seed_all(seed: int) -> None:
    """Torch, and for models and callbacks of others that draw from them NumPy and Python."""
    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)
    random.seed(seed)


@contextmanager
def saying_how_to_go_on(
    folder: Path, states: Checkpoints, best: BestModel, interruption: Interruption
) -> Iterator[None]:
    """Around the training: where it stands when it is stopped or fails, and what to type; then the exit code of the
    signal, or the error."""
    try:
        yield
    except BaseException:
        if states.written is not None:
            model = folder / "best.safetensors"
            found = ", ".join(score_text(name, best.scores[f"val/{name}"]) for name in ("cer", "wer") if best.scores)
            total = "" if states.written.total_steps is None else f" of {states.written.total_steps}"
            log.info(f"The state after step {states.written.steps}{total} is in {folder / LAST}.")
            if model.is_file():
                log.info(f"The best model is {model} ({found or 'not validated yet'}).")
        log.info(f"To go on: python run.py {as_typed('resume', folder)}")
        if interruption.requested is None:
            raise
    else:
        return
    interruption.release()
    end(interruption.requested)


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
        len(training_sampler(part, how, config.seed)),
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
    """What the training took: seconds with validations, the rate of the training alone, and how many lines it learned
    from."""

    seconds: float
    lines_per_second: float
    epochs: float
    steps: int
    lines: int


def model_card(
    config: DictConfig, truth: GroundTruth, parts: Mapping[str, Part], lineage: Sequence[str]
) -> dict[str, Any]:
    """What best.safetensors says about itself beside weights, codec and preprocessing."""
    rows = parts["train"].dataset.rows
    hashes = sorted({truth.store.value(int(row), "image_hash") for row in rows})
    return {
        "model": OmegaConf.to_container(config.model, resolve=True),
        "normalization": config.model.normalization,
        "precision": reading_precision("cpu"),
        "training": {"lines": len(rows), "pages": len(hashes), "page_hashes": hashes, "data": config.data.name},
        "lineage": list(lineage),
        "seed": config.seed,
        "version": version("uncial"),
    }


def write_report(this: Session, truth: GroundTruth, settings: EvaluationSettings) -> None:
    """The report of the validation lines as the best model read them, perhaps in an earlier session of the run."""
    folder, config = this.folder, this.config
    if (folder / LINES_FILE).is_file():
        evaluation = evaluate(read_line_results(folder / LINES_FILE), settings)
        facts = {"part": "validation", "model": str(folder / "best.safetensors"), "data": data_text(config)}
        about = About(f"Training of {config.name}", facts, curves=folder / "curves.png")
        write_scores_page(folder / REPORT, evaluation, about, truth.store.strip, config.report.pictures)


def finish(this: Session, effort: Effort, skipped: int) -> None:
    """Writes metrics.json, and says how good the best model is, where it lies and what to run next."""
    folder = this.folder
    best, model = folder / "best.safetensors", as_typed("checkpoint", folder)
    scores = load_card(best)["scores"]
    # Last: a run with this file is finished.
    write_metrics(folder / "metrics.json", {"val": scores, "train": asdict(effort)})
    summary = RunSummary(
        parts={"validation": part_scores(scores)},
        folder=folder,
        seconds=effort.seconds,
        lines_per_second=effort.lines_per_second,
        epochs=effort.epochs,
        steps=effort.steps,
        skipped=skipped,
        files={"best model": best, "report": folder / REPORT, "predictions": folder / "predictions.csv"},
        next_steps={
            "score it on the test part": f"python run.py task=test {model} {data_as_typed(this.typed)}".rstrip(),
            "read your own pages": f"python run.py task=predict {model} predict.input=FOLDER",
        },
    )
    show(make_console(), run_summary(summary))
