"""One run of a training, from the config to its scores: what task=train, finetune, auto and rerun share."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from lightning import Callback
from omegaconf import DictConfig

from uncial.config.instantiate import instantiate_part
from uncial.config.location import format_command
from uncial.config.overrides import format_override
from uncial.config.schema import build_settings
from uncial.data.ground_truth import GroundTruth
from uncial.data.lines.datamodule import LineDataModule
from uncial.data.lines.loader import report_lost_workers
from uncial.data.store.store import Store
from uncial.errors import DivergedError, UserError
from uncial.metrics.intervals import few_lines_warning
from uncial.models.files import model_card_json
from uncial.problems.ground_truth import check_data, data_fingerprint, load_ground_truth, write_splits
from uncial.problems.recognition.best_model import OF_THE_BEST, make_best_model_writer, model_card, strip_val_prefix
from uncial.problems.recognition.dashboards import open_loggers, trained_outcome
from uncial.problems.recognition.inference import warn_about_validation_overlap
from uncial.problems.recognition.pretrained import freezing, lineage, seen_before, with_pretrained_model
from uncial.problems.recognition.setup import build_setup, infeasible_problems, infeasible_sentence, preflight_check
from uncial.problems.recognition.summary import TrainingStats, finish, report_interruption
from uncial.problems.recognition.watchdog import build_watchdog
from uncial.problems.scoring import evaluation_settings
from uncial.problems.splitting import choose_training_split
from uncial.problems.trainer import build_callbacks, build_pruning, check_durations, run_on_devices
from uncial.runs.environment import add_to_environment
from uncial.runs.files import RunFolder
from uncial.runs.folder import plain_config
from uncial.runs.session import RunSession, open_session
from uncial.runs.state import stash_best_model
from uncial.runs.tables import write_skipped
from uncial.training.callbacks.best_model import BestModel
from uncial.training.callbacks.nonfinite import REMEDY, SkipNonFiniteSteps
from uncial.training.callbacks.progress import build_progress
from uncial.training.callbacks.throughput import ThroughputMonitor
from uncial.training.checkpointing.callback import Checkpoints
from uncial.training.checkpointing.loops import read_position
from uncial.training.checkpointing.retention import CheckpointPolicy
from uncial.training.distributed.devices import choose_training_devices
from uncial.training.distributed.launch import LostProcessError
from uncial.training.distributed.process_group import barrier, is_rank_zero
from uncial.training.distributed.signals import handle_signals
from uncial.training.loggers.tracking import show_outcome
from uncial.training.settings import TrainerSettings
from uncial.training.trainer import build_trainer, describe_device, quiet_lightning

log = logging.getLogger(__name__)


def run_training(config: DictConfig) -> None:
    """Train on the train part, keep the model that is best on the validation part, and write the run folder; or go on
    with the run that `resume` names."""
    with open_run(config) as this:
        train_run(this)


@contextmanager
def open_run(config: DictConfig) -> Iterator[RunSession]:
    """The session of the run that the config asks for, or that `resume` names. What is wrong with its parts ends it
    before anything is read."""
    quiet_lightning()
    check_durations(config.trainer)
    with open_session(config, with_pretrained_model) as this:
        evaluation_settings(this.config, instantiate_part(this.config, "model.metric").profile)
        if this.state is None:
            preflight_check(this.config)
        yield this


def train_run(this: RunSession) -> None:
    """One session of a run, from its state to its end, on the devices that it is given."""
    config, devices = this.config, choose_training_devices(build_settings(TrainerSettings, this.config))
    truth = load_ground_truth(config, choose_training_split(this))
    check_data(this, data_fingerprint(truth))
    write_splits(this.folder, truth)
    plain = replace(this, config=plain_config(config))
    if config.trainer.devices == "auto" and devices.count == 1:
        log.info(f"trainer.devices=auto: there is one device here ({devices.kind}), and so one process.")
    try:
        run_on_devices(devices, this.folder, fit_model, plain, replace(truth, pages=()))
    except LostProcessError as died:
        raise UserError(f"{died} To resume: {format_command(format_override('resume', this.folder))}") from None


def fit_model(this: RunSession, truth: GroundTruth) -> None:
    """What each process of a training does. The first one writes the files."""
    config, folder, state = this.config, this.folder, this.state
    ready, data = build_setup(this, truth), data_fingerprint(truth)
    if is_rank_zero():
        write_skipped(RunFolder(folder).skipped, [*truth.problems, *infeasible_problems(ready.infeasible)])
        for told in (infeasible_sentence(ready.infeasible), few_validation_lines(truth)):
            if told:
                log.warning(told)
    path = state.path if state else None
    before = seen_before(config, path)
    if is_rank_zero() and state is None:
        warn_about_validation_overlap(truth, before, config.pretrained)
    card = model_card(config, truth, ready.parts, lineage(config, path), before)
    keep, aside = make_best_model_writer(this, truth, ready, card), partial(stash_best_model, folder, OF_THE_BEST)
    best, pace = BestModel(config.model.monitor, config.model.mode, keep, aside), ThroughputMonitor()
    still, trials = freezing(config, ready.recognizer, ready.length), build_pruning(config)

    def describe(scores: dict[str, float]) -> str:
        return model_card_json(ready.recognizer, {**card, "scores": strip_val_prefix(scores)})

    with open_loggers(config, folder) as loggers:
        with handle_signals() as interruption:
            keeping = CheckpointPolicy(**config.callbacks.checkpoints)
            states = Checkpoints(folder, keeping, best.monitor, best.mode, describe, data, interruption, ready.devices)
            callbacks = [
                states,
                ready.length,
                SkipNonFiniteSteps(lambda row: name_of_line(truth.store, row)),
                *([schedule] if isinstance(schedule := ready.module.schedule, Callback) else []),
                *build_callbacks(config),
                *build_watchdog(config, ready.module),
                *trials,
                *still,
                best,
                pace,
                build_progress(config.callbacks.samples),
            ]
            trainer = build_trainer(build_settings(TrainerSettings, config), folder, callbacks, loggers)
            if is_rank_zero():
                add_to_environment(folder, {"data": data, "device": describe_device(trainer)})
            lines = LineDataModule(ready.parts, ready.loading, config.seed, read_position)
            with report_interruption(folder, states, best, interruption), report_lost_workers():
                trainer.fit(ready.module, lines, ckpt_path=path, weights_only=True)
        if best.best is None:
            raise DivergedError(f"No validation gave a finite {best.monitor}, so that no model was kept; {REMEDY}.")
        if is_rank_zero():
            taught = len(ready.parts["train"].dataset)
            effort = TrainingStats(
                states.seconds, pace.lines_per_second, pace.lines / taught, trainer.global_step, taught
            )
            finish(this, truth, effort, skipped=len(truth.problems) + len(ready.infeasible["train"]))
            show_outcome(loggers, lambda: trained_outcome(config, folder, truth, ready.metric.profile))
    barrier()
    for trial in trials:
        trial.end()


def few_validation_lines(truth: GroundTruth) -> str:
    """A sentence where there are few lines to validate on."""
    rows = truth.rows["val"].tolist()
    pages = {truth.store.value(row, "group") or truth.store.value(row, "page") for row in rows}
    return few_lines_warning(len(rows), len(pages), "validation")


def name_of_line(store: Store, row: int) -> str:
    """The line of a row as messages name it."""
    return f"{store.value(row, 'page')} {store.value(row, 'line')}"
