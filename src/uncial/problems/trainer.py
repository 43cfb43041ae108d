"""From the config to the trainer of a run: its settings, length, module, callbacks, loggers and processes. Nothing here
knows what is learned."""

import logging
import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from copy import deepcopy
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
import torch
from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import configure_log, setup_globals
from hydra.types import RunMode
from lightning.pytorch.loggers import Logger
from omegaconf import DictConfig, OmegaConf

from uncial.config.instantiate import instantiate_part
from uncial.config.saved_yaml import literal_config
from uncial.config.schema import as_tuple
from uncial.data.config import share_of_lines
from uncial.errors import UserError
from uncial.metrics.contract import Metric
from uncial.models.contracts import Model
from uncial.training.callbacks.early_stopping import EarlyStopping, Pruning
from uncial.training.callbacks.ema import EMA
from uncial.training.callbacks.freezing import Freezing, duration_of, frozen_parts
from uncial.training.callbacks.nonfinite import SkipNonFiniteSteps
from uncial.training.distributed.devices import Devices
from uncial.training.distributed.launch import launch_workers
from uncial.training.distributed.process_group import is_rank_zero
from uncial.training.loggers.outcome import Job
from uncial.training.loggers.tracking import file_loggers, tracking
from uncial.training.module import TrainingModule
from uncial.training.optimizers.parameter_groups import checked_factors
from uncial.training.schedulers.length import STEPS, RunLength, seconds_of
from uncial.training.schedulers.plan import LengthConfig
from uncial.training.trainer import clipping_of, precision_of, quiet_lightning


def seed_all(seed: int) -> None:
    """Seed torch, and for models and callbacks of others that draw from them NumPy and Python."""
    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)
    random.seed(seed)


STAND_IN = 1000
"""As many samples and batches stand in for those of an epoch, which reading the data may take long to count."""


def check_durations(trainer: DictConfig) -> None:
    """Raises `UserError` for a time that is none, and for validations that are no distance apart."""
    for key in ("time_budget", "max_time"):
        seconds_of(trainer[key], f"trainer.{key}")
    distance = trainer.validate_every_epochs
    if distance is not None and distance <= 0:
        raise UserError(f"trainer.validate_every_epochs={distance}: a number above 0 is needed, or null.")


def length_config(config: DictConfig, lines: int) -> LengthConfig:
    """The bounds that the `trainer` group sets on a training with so many lines.

    With `data.share` it is as long as one on all lines would be, so that runs on several shares differ in their lines
    alone.
    """
    trainer = config.trainer
    check_durations(trainer)
    if trainer.validate_every_epochs is not None and trainer.validate_every_steps is not None:
        raise UserError(
            "trainer.validate_every_epochs and trainer.validate_every_steps are both set: leave one of them null."
        )
    least = trainer.min_epochs / float(share_of_lines(config.data) or 1)
    return LengthConfig(
        steps=trainer.max_steps,
        epochs=trainer.max_epochs or max(least, trainer.lines_seen / lines),
        budget=seconds_of(trainer.time_budget, "trainer.time_budget"),
        validations=trainer.validations,
        every_epochs=trainer.validate_every_epochs,
        every_steps=trainer.validate_every_steps,
    )


def build_length(config: DictConfig, num_samples: int, num_batches: int, folder: Path) -> RunLength:
    """Return the length of a training whose epochs have so many samples and batches, from the first of the `trainer`
    keys that is set. A time budget is measured over the warm-up where that has a number of steps of its own."""
    warmup = config.scheduler
    is_stated = warmup.get("warmup_samples") is None and warmup.get("warmup_fraction") is None
    steps = warmup.get("warmup_steps", 0) if is_stated else 0
    return RunLength(length_config(config, num_samples), num_batches, num_samples, steps, folder / STEPS)


def build_module(config: DictConfig, model: Model, metric: Metric, length: RunLength) -> TrainingModule:
    """Return what optimises the model, by the groups `optimizer` and `scheduler`."""
    optimizer, scheduler = instantiate_part(config, "optimizer"), instantiate_part(config, "scheduler")
    return TrainingModule(model, metric, optimizer, scheduler, length, config.seed, lr_factors(config))


def lr_factors(config: DictConfig) -> dict[str, float]:
    """Return the factors of the learning rate by part of the model."""
    factors = config.lr_factors
    if factors is None:
        return {}
    if not isinstance(factors, DictConfig):
        raise UserError(
            f"lr_factors={factors}: a factor by part is needed, for instance 'lr_factors={{backbone: 0.1}}'."
        )
    plain = OmegaConf.to_container(factors, resolve=True)
    assert isinstance(plain, dict)
    return checked_factors({str(key): value for key, value in plain.items()})


def freezing(config: DictConfig, model: Model, length: RunLength) -> list[Freezing]:
    """Return what keeps the parts unchanged that `freeze` names, nothing where it names none."""
    named, duration = as_tuple(config.freeze), duration_of(config.freeze_for)
    parts = frozen_parts(model, named[0] if len(named) == 1 else named)
    if parts is not None:
        return [Freezing(model, parts, duration, length)]
    if duration is not None:
        raise UserError(f"freeze_for={config.freeze_for} needs freeze=backbone, all_but_decoder or a list of parts.")
    return []


def check_training(config: DictConfig, model: Model, metric: Metric) -> None:
    """Raise the `UserError` that a training of this model would raise after its data have been read."""
    clipping_of(config.trainer.gradient_clip_by)
    if config.trainer.precision != "auto":  # which would ask the GPU, before the processes that train on it are begun
        precision_of(config.trainer.precision, config.trainer.accelerator)
    length = RunLength(length_config(config, STAND_IN), STAND_IN, STAND_IN, 0, Path(STEPS))
    build_module(config, model, metric, length).configure_optimizers()
    freezing(config, model, length)
    list(build_ema(config))


def build_callbacks(
    config: DictConfig, module: TrainingModule, name_of: Callable[[int], str], own: Iterable[L.Callback]
) -> Iterator[L.Callback]:
    """What the config wants to watch over the training, with the problem's `own` callbacks; `name_of` says which sample
    an index of a batch is.

    These come before the callback that keeps models and states, so that what they remember is part of what is kept.
    """
    trainer, model = config.trainer, config.model
    yield SkipNonFiniteSteps(name_of)
    if isinstance(module.schedule, L.Callback):
        yield module.schedule
    if trainer.patience is not None:
        yield EarlyStopping(model.monitor, model.mode, trainer.patience, trainer.min_delta, trainer.min_epochs)
    yield from own
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


def open_loggers(config: DictConfig, folder: Path) -> AbstractContextManager[list[Logger]]:
    """Return the loggers that the config wants, open until the run ends; of several processes the first alone has
    any."""
    if not is_rank_zero():
        return nullcontext([])
    factories = file_loggers(bool(config.logger.csv), bool(config.logger.tensorboard))
    for name, part in config.logger.items():
        if isinstance(part, DictConfig):
            factories.append(instantiate_part(config, f"logger.{name}"))
    return tracking(factories, job_of(config, folder))


def job_of(config: DictConfig, folder: Path) -> Job:
    """Return the run as dashboards list it: by its name and the last parts of its folder."""
    plain: Any = OmegaConf.to_container(config, resolve=True)
    hydra = HydraConfig.get()
    sweep = Path(str(hydra.sweep.dir)).name if hydra.mode == RunMode.MULTIRUN else None
    ends = (config.name, sweep, folder.name) if sweep else (config.name, folder.name)
    return Job(folder, "/".join(map(str, ends)), sweep, str(config.task.name), plain)


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
