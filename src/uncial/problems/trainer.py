"""From the config to the trainer of a run: its settings, its length, its callbacks, and the processes it runs in."""

import logging
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import lightning as L
from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import configure_log, setup_globals
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from uncial.config.instantiate import instantiate_part
from uncial.config.saved_yaml import literal_config
from uncial.config.schema import build_settings
from uncial.data.settings import DataSettings
from uncial.problems.recognition.watchdog import build_watchdog
from uncial.training.callbacks.early_stopping import EarlyStopping, Pruning
from uncial.training.callbacks.ema import EMA
from uncial.training.callbacks.nonfinite import SkipNonFiniteSteps
from uncial.training.distributed.devices import Devices
from uncial.training.distributed.launch import launch_workers
from uncial.training.distributed.process_group import is_rank_zero
from uncial.training.module import TrainingModule
from uncial.training.schedulers.length import seconds_of
from uncial.training.schedulers.plan import LengthConfig
from uncial.training.trainer import quiet_lightning


def check_durations(trainer: DictConfig) -> None:
    """Raises `UserError` for a time that is none."""
    for key in ("time_budget", "max_time"):
        seconds_of(trainer[key], f"trainer.{key}")


def length_config(config: DictConfig, lines: int) -> LengthConfig:
    """The bounds that the `trainer` group sets on a training with so many lines.

    With `data.share` it is as long as one on all lines would be, so that runs on several shares differ in their lines
    alone.
    """
    trainer = config.trainer
    check_durations(trainer)
    least = trainer.min_epochs / float(build_settings(DataSettings, config).share_of_lines() or 1)
    return LengthConfig(
        steps=trainer.max_steps,
        epochs=trainer.max_epochs or max(least, trainer.lines_seen / lines),
        budget=seconds_of(trainer.time_budget, "trainer.time_budget"),
        validations=trainer.validations,
        every_epochs=trainer.validate_every_epochs,
        every_steps=trainer.validate_every_steps,
    )


def build_callbacks(config: DictConfig, module: TrainingModule, name_of: Callable[[int], str]) -> Iterator[L.Callback]:
    """What the config wants to watch over the training; `name_of` says which line a row of the store is.

    These come before the callback that keeps models and states, so that what they remember is part of what is kept.
    """
    trainer, model = config.trainer, config.model
    yield SkipNonFiniteSteps(name_of)
    if isinstance(module.schedule, L.Callback):
        yield module.schedule
    if trainer.patience is not None:
        yield EarlyStopping(model.monitor, model.mode, trainer.patience, trainer.min_delta, trainer.min_epochs)
    yield from build_watchdog(config, module)
    for name in config.callbacks.more:
        yield instantiate_part(config, f"callbacks.more.{name}")


def build_ema(config: DictConfig) -> Iterator[L.Callback]:
    """What has to come behind the callback that keeps models, which keeps the averaged weights then."""
    if config.callbacks.ema is not None:
        yield EMA(float(config.callbacks.ema))


def build_pruning(config: DictConfig) -> list[Pruning]:
    """What tells the search of this job's scores; nothing outside of a search."""
    hydra = HydraConfig.get()
    if hydra.mode != RunMode.MULTIRUN or "pruner" not in hydra.sweeper:
        return []
    # Only now: it imports Optuna.
    from uncial.runs.study import running_trial

    own = literal_config({"hydra": {"sweeper": OmegaConf.to_container(hydra.sweeper, resolve=True)}})
    trial = running_trial(Path(hydra.sweep.dir), int(hydra.job.num), instantiate_part(own, "hydra.sweeper.pruner"))
    if trial is None:
        return []

    def report(validation: int, score: float) -> bool:
        trial.report(score, validation)
        return trial.should_prune()

    return [Pruning(config.model.monitor, report)]


def run_on_devices(devices: Devices, folder: Path, function: Callable[..., Any], *arguments: Any) -> Any:
    """Calls the function and returns what it returns, of several processes the first. That one alone writes messages,
    to the terminal and to the run's log.txt in `folder`; all may ask Hydra for its settings."""
    if devices.count == 1:
        return function(*arguments)
    hydra: Any = deepcopy(HydraConfig.instance().cfg)
    for handler in hydra.hydra.job_logging.get("handlers", {}).values():
        if "filename" in handler:
            OmegaConf.set_readonly(handler, False)
            handler.filename = str(folder / Path(handler.filename).name)  # Not that of the folder made for a new run.
    return launch_workers(devices.kind, devices.numbers, _part, hydra, function, arguments)


def _part(hydra: DictConfig, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    setup_globals()
    HydraConfig.instance().cfg = hydra  # type: ignore[assignment]
    if is_rank_zero():
        configure_log(hydra.hydra.job_logging, hydra.hydra.verbose)
    else:
        logging.disable(logging.CRITICAL)
    quiet_lightning()
    return function(*arguments)
