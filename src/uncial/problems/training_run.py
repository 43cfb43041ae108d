"""One run of a training, from the config to its report: what task=train, finetune, auto and rerun share. What is
learned is the problem's (problem.py); nothing here knows of it."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import lightning as L
from omegaconf import DictConfig

from uncial.config.location import format_command
from uncial.config.overrides import format_override
from uncial.config.schema import build_settings
from uncial.data.lines.loader import report_lost_workers
from uncial.errors import DivergedError, UserError
from uncial.problems.facts import add_facts, collect_facts, describe_speed, flatten_facts
from uncial.problems.problem import Problem, Setup, TrainingStats, build_problem, count_batch_devices
from uncial.problems.test_after import check_test_part, test_best_model
from uncial.problems.trainer import (
    build_callbacks,
    build_freezing,
    build_length,
    build_module,
    build_pruning,
    check_durations,
    describe_job,
    open_loggers,
    run_on_devices,
    seed_all,
)
from uncial.runs.environment import add_to_environment
from uncial.runs.files import RunFolder
from uncial.runs.folder import format_resume_command, format_saved_trust, to_plain_config
from uncial.runs.session import RunSession, open_session
from uncial.runs.state import stash_best_model
from uncial.training.callbacks.best_model import BestModel
from uncial.training.callbacks.early_stopping import Pruning
from uncial.training.callbacks.nonfinite import REMEDY, SkipNonFiniteSteps
from uncial.training.callbacks.progress import Told, build_progress
from uncial.training.callbacks.throughput import ThroughputMonitor, score_text
from uncial.training.checkpointing.callback import Checkpoints
from uncial.training.checkpointing.retention import CheckpointPolicy
from uncial.training.distributed.devices import choose_training_devices
from uncial.training.distributed.launch import LostProcessError
from uncial.training.distributed.process_group import barrier, is_rank_zero
from uncial.training.distributed.signals import StopRequest, exit_for_signal, handle_signals
from uncial.training.loggers.tracking import find_dashboards, log_facts, show_outcome
from uncial.training.module import TrainingModule
from uncial.training.settings import TrainerSettings
from uncial.training.trainer import build_trainer, describe_device, silence_lightning

log = logging.getLogger(__name__)


@contextmanager
def report_interruption(
    folder: Path, states: Checkpoints, best: BestModel, interruption: StopRequest, headline: Sequence[str]
) -> Iterator[None]:
    """Say around a training where it stands when it is stopped or fails, and what to type; then end with the exit code
    of the signal, or the error. `headline` names the scores that are told of the best model."""
    try:
        yield
    except BaseException as error:
        if states.written is not None:
            model = RunFolder(folder).best_model
            names = [f"val/{name}" for name in headline] or [best.monitor]
            found = ", ".join(
                score_text(name.removeprefix("val/"), best.scores[name]) for name in names if name in best.scores
            )
            total = "" if states.written.total_steps is None else f" of {states.written.total_steps}"
            log.info(f"The state after step {states.written.steps}{total} is in {RunFolder(folder).last_checkpoint}.")
            if model.is_file() and (best.best is not None or not isinstance(error, DivergedError)):
                log.info(f"The best model is {model} ({found or 'not validated yet'}).")
        if isinstance(error, DivergedError):
            log.info(_advise_after_divergence(folder, best))
            raise
        # A mistake in the config that is found before the first step is still in the config of a run that goes on.
        if states.written is not None or not isinstance(error, UserError):
            log.info(f"To resume: {format_resume_command(folder)}")
        if interruption.requested is None:
            raise
    else:
        return
    interruption.release()
    exit_for_signal(interruption.requested)


def _advise_after_divergence(folder: Path, best: BestModel) -> str:
    """Return what to do with a run that has diverged: it would do so again if it went on."""
    if best.best is not None:
        start = format_command(format_override("pretrained", folder), *format_saved_trust(folder))
        return f"To train on from the best model: {start} and the same data, with a lower optimizer.lr."
    return "No model was kept: none had been validated before."


def run_training(config: DictConfig) -> None:
    """Learn the problem of the config on its train part, keep the model that is best on the validation part, and write
    the run folder; or go on with the run that `resume` names."""
    with open_run(config) as run:
        train_run(run)


@contextmanager
def open_run(config: DictConfig) -> Iterator[RunSession]:
    """Yield the session of the run that the config asks for, or that `resume` names. Raises `UserError` for what is
    wrong with its parts, before any data are read."""
    silence_lightning()
    check_durations(config.trainer)
    with open_session(config, lambda new: build_problem(new).complete(new)) as run:
        problem = build_problem(run.config)
        if run.state is None:
            problem.check(run.config)
        yield run


def train_run(run: RunSession) -> None:
    """Run one session of a training, from its state to its end, on the devices that it is given."""
    devices = choose_training_devices(build_settings(TrainerSettings, run.config))
    problem = build_problem(run.config)
    truth = problem.load(run)
    check_data(run, problem.fingerprint(truth))
    plain = replace(run, config=to_plain_config(run.config))
    if run.config.trainer.devices == "auto" and devices.count == 1:
        log.info(f"trainer.devices=auto: there is one device here ({devices.kind}), and so one process.")
    try:
        figures = run_on_devices(devices, run.folder, fit_model, plain, truth)
    except LostProcessError as died:
        raise UserError(f"{died} To resume: {format_resume_command(run.folder)}") from None
    if build_settings(TrainerSettings, run.config).test_after:
        test_best_model(run, problem, figures)


def fit_model(run: RunSession, truth: Any) -> dict[str, Any]:
    """Train in each process of a training. The first one writes the files, and returns what metrics.json holds, or is
    to hold where the run is not finished before its best model is tested."""
    figures: dict[str, Any] = {}
    seed_all(run.config.seed)
    problem: Problem[Any] = build_problem(run.config)
    setup = problem.setup(run, truth)
    check_test_part(run.config, setup)
    with open_loggers(run.config, run.folder) as loggers:
        with handle_signals() as interruption:
            fit = build_fit(run, setup, problem.fingerprint(truth), interruption)
            trainer = build_trainer(build_settings(TrainerSettings, run.config), run.folder, fit.callbacks, loggers)
            if is_rank_zero():
                device = describe_device(trainer)
                add_to_environment(run.folder, {"data": fit.states.data, "device": device})
                facts = collect_facts(str(run.config.model.get("name")), setup, fit.states.data, device, run.folder)
                known = describe_job(run.config, run.folder).config
                log_facts(loggers, known, flatten_facts(facts))
            path = run.state.path if run.state else None
            with (
                report_interruption(run.folder, fit.states, fit.best, interruption, setup.headline),
                report_lost_workers(),
            ):
                trainer.fit(fit.module, setup.datamodule, ckpt_path=path, weights_only=True)
        if fit.best.best is None:
            raise DivergedError(f"No validation gave a finite {fit.best.monitor}, so that no model was kept; {REMEDY}.")
        if is_rank_zero():
            stats = fit.stats(trainer.global_step, setup.num_samples)
            problem.report(run, truth, setup, stats)
            figures = add_facts(run.folder, facts, stats)
            made = problem.outcome(run, truth) if find_dashboards(loggers) else None
            if build_settings(TrainerSettings, run.config).test_after:
                RunFolder(run.folder).metrics.unlink()  # With it the run would be a finished one.
            log_facts(find_dashboards(loggers), {**known, **flatten_facts(facts)}, describe_speed(stats))
            if made is not None:
                show_outcome(loggers, lambda: made)
    barrier()
    for trial in fit.trials:
        trial.end()
    return figures


@dataclass(frozen=True)
class Fit:
    """What a training consists of; `callbacks` are all, the others those that are asked afterwards."""

    module: TrainingModule
    callbacks: list[L.Callback]
    states: Checkpoints
    best: BestModel
    pace: ThroughputMonitor
    trials: list[Pruning]
    sample: str = "line"

    def stats(self, steps: int, num_samples: int) -> TrainingStats:
        """Return what the training took after so many steps, where an epoch has so many samples."""
        epochs = self.pace.lines / num_samples
        speeds = self.pace.lines_per_second, self.pace.reading_lines_per_second
        return TrainingStats(self.states.seconds, speeds[0], epochs, steps, num_samples, speeds[1], self.sample)


def build_fit(run: RunSession, setup: Setup, data: Mapping[str, str], interruption: StopRequest) -> Fit:
    """Return the training of a setup; `data` are the hashes of what it is trained and validated on."""
    config, folder, writer = run.config, run.folder, setup.writer
    length = build_length(config, setup.num_samples, setup.num_batches, folder, setup.samples_seen)
    module = build_module(config, setup.model, setup.metric, length)
    stash = partial(stash_best_model, folder, tuple(writer.files))
    best, pace = (
        BestModel(config.model.monitor, config.model.mode, writer.write, stash),
        ThroughputMonitor(f"{setup.sample}s"),
    )
    frozen, trials = build_freezing(config, setup.model, length), build_pruning(config)
    policy = CheckpointPolicy(**config.callbacks.checkpoints)
    devices = count_batch_devices(run)
    states = Checkpoints(folder, policy, best.monitor, best.mode, writer.card_json, data, interruption, devices)
    callbacks = [
        states,
        length,
        SkipNonFiniteSteps(setup.name_sample),
        *([schedule] if isinstance(schedule := module.schedule, L.Callback) else []),
        *build_callbacks(config),
        *setup.callbacks,
        *trials,
        *frozen,
        best,
        pace,
        build_progress(Told(config.callbacks.samples, f"{setup.sample}s", tuple(setup.told))),
    ]
    return Fit(module, callbacks, states, best, pace, trials, setup.sample)


def check_data(run: RunSession, found: Mapping[str, str]) -> None:
    """Raise `UserError` where the data are no longer what the run was trained on."""
    if run.state is None or dict(run.state.state.data) == dict(found):
        return
    if run.state.state.data.get("store") != found["store"]:
        reason = "the images, their lines or how these are cut out have changed"
    else:
        reason = "other lines of them are for training and validation"
    raise UserError(
        f"The data are not those that the run in {run.folder} was trained on: {reason}. Give them back, or start a "
        f"new run from its model with {format_override('pretrained', run.folder)}."
    )
