"""From the config to the trainer of a run: its settings, length, module, callbacks, loggers and processes. Nothing here
knows what is learned."""

import logging
import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from copy import deepcopy
from dataclasses import fields
from functools import partial
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

from uncial.config.instantiate import find_target, instantiate_part
from uncial.config.saved_yaml import load_literal_config
from uncial.config.schema import as_tuple, build_settings
from uncial.data.settings import DataSettings
from uncial.errors import UserError
from uncial.metrics.contract import Metric
from uncial.models.contracts import Model
from uncial.problems.loggers import is_other_class, logger_names, make_logger
from uncial.problems.schedule import build_schedule
from uncial.runs.files import RunFolder
from uncial.training.callbacks.early_stopping import Pruning
from uncial.training.callbacks.freezing import Freezing, parse_freeze_duration, select_frozen_parts
from uncial.training.distributed.devices import Devices
from uncial.training.distributed.launch import launch_workers
from uncial.training.distributed.process_group import is_rank_zero
from uncial.training.loggers.outcome import Job
from uncial.training.loggers.tracking import build_file_loggers, start_loggers
from uncial.training.module import OPTIMIZERS, TrainingModule
from uncial.training.optimizers.parameter_groups import check_factors
from uncial.training.schedulers.length import RunLength, parse_duration
from uncial.training.schedulers.plan import LengthConfig
from uncial.training.settings import CallbacksSettings
from uncial.training.trainer import choose_precision, silence_lightning


def seed_all(seed: int) -> None:
    """Seed torch, and for models and callbacks of others that draw from them NumPy and Python."""
    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)
    random.seed(seed)


STAND_IN = 1000
"""As many samples and batches stand in for those of an epoch, which reading the data may take long to count."""


def check_durations(trainer: DictConfig) -> None:
    """Raise `UserError` for a time that is none."""
    for key in ("time_budget", "max_time"):
        parse_duration(trainer[key], f"trainer.{key}")


def build_length_config(config: DictConfig, samples: int, seen: int | None = None) -> LengthConfig:
    """Return the bounds that the `trainer` group sets on a training with so many samples an epoch. `seen` is how many
    of them it takes where nothing else is said; None, for lines, what trainer.lines_seen says.

    With `data.share` it is as long as one on all lines would be, so that runs on several shares differ in their lines
    alone.
    """
    trainer = config.trainer
    check_durations(trainer)
    least = trainer.min_epochs / float(build_settings(DataSettings, config).share_of_lines() or 1)
    return LengthConfig(
        steps=trainer.max_steps,
        epochs=trainer.max_epochs or max(least, (seen or trainer.lines_seen or 0) / samples),
        budget=parse_duration(trainer.time_budget, "trainer.time_budget"),
        validations=trainer.validations,
        every_epochs=trainer.validate_every_epochs,
        every_steps=trainer.validate_every_steps,
    )


def build_length(
    config: DictConfig, num_samples: int, num_batches: int, folder: Path, seen: int | None = None
) -> RunLength:
    """Return the length of a training whose epochs have so many samples and batches, from the first of the `trainer`
    keys that is set. A time budget is measured over the warm-up where that has a number of steps of its own."""
    warmup = config.scheduler
    others = ("warmup_samples", "warmup_fraction", "warmup_epochs")
    is_stated = all(warmup.get(name) is None for name in others)
    steps = warmup.get("warmup_steps", 0) if is_stated else 0
    return RunLength(
        build_length_config(config, num_samples, seen), num_batches, num_samples, steps, RunFolder(folder).steps
    )


def build_module(config: DictConfig, model: Model, metric: Metric, length: RunLength) -> TrainingModule:
    """Return what optimises the model, by the groups `optimizer` and `scheduler`."""
    optimizer = instantiate_part(config, "optimizer", OPTIMIZERS)
    return TrainingModule(
        model, metric, optimizer, build_schedule(config), length, config.seed, read_lr_factors(config)
    )


def read_lr_factors(config: DictConfig) -> dict[str, float]:
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
    return check_factors({str(key): value for key, value in plain.items()})


def build_freezing(config: DictConfig, model: Model, length: RunLength) -> list[Freezing]:
    """Return what keeps the parts unchanged that `freeze` names, nothing where it names none."""
    named, duration = as_tuple(config.freeze), parse_freeze_duration(config.freeze_for)
    parts = select_frozen_parts(model, named[0] if len(named) == 1 else named)
    if parts is not None:
        return [Freezing(model, parts, duration, length)]
    if duration is not None:
        raise UserError(f"freeze_for={config.freeze_for} needs freeze=backbone, all_but_decoder or a list of parts.")
    return []


def check_training(config: DictConfig, model: Model, metric: Metric, seen: int | None = None) -> None:
    """Raise the `UserError` that a training of this model would raise after its data have been read. `seen` is as in
    `build_length_config`."""
    if config.trainer.precision != "auto":  # which would ask the GPU, before the processes that train on it are begun
        choose_precision(config.trainer.precision, config.trainer.accelerator)
    length = RunLength(build_length_config(config, STAND_IN, seen), STAND_IN, STAND_IN, 0, Path(RunFolder.steps))
    build_module(config, model, metric, length).configure_optimizers()
    build_freezing(config, model, length)
    check_callbacks(config)
    logger_names(config)


PLAIN_KEYS = frozenset(field.name for field in fields(CallbacksSettings))
"""Keys of the callbacks that are no callback by their name."""


def list_callback_keys(config: DictConfig) -> Iterator[str]:
    """Yield the dotted keys under which the config describes callbacks, but for those that were taken out.

    Raises `UserError` for one that names no class.
    """
    named = {f"callbacks.{name}": node for name, node in config.callbacks.items() if str(name) not in PLAIN_KEYS}
    more = {f"callbacks.more.{name}": node for name, node in (config.callbacks.get("more") or {}).items()}
    for key, node in {**named, **more}.items():
        if node is None:
            continue
        if not OmegaConf.is_dict(node) or "_target_" not in node:
            raise UserError(
                f"{key} names no class: write '+{key}={{_target_: package.module.Class, key: value}}', or {key}=null "
                "for no such callback."
            )
        yield key


def build_callbacks(config: DictConfig) -> list[L.Callback]:
    """Return the callbacks that the config describes. `build_trainer` puts them in order."""
    return [_made_callback(config, key) for key in list_callback_keys(config)]


def _made_callback(config: DictConfig, key: str) -> L.Callback:
    made = instantiate_part(config, key, CALLBACKS)
    if not isinstance(made, L.Callback):
        raise UserError(f"{key} makes a {type(made).__name__}, which is no callback: {CALLBACKS}.")
    return made


def check_callbacks(config: DictConfig) -> None:
    """Raise `UserError` for what a callback of this project does not take, and for one that is nowhere; those of others
    are built once, later."""
    for key in list_callback_keys(config):
        target = OmegaConf.select(config, f"{key}._target_")
        if is_other_class(target, L.Callback):
            raise UserError(f"{key}._target_={target} is no callback: {CALLBACKS}.")
        if str(target).startswith("uncial.") or find_target(target) is None:
            _made_callback(config, key)


CALLBACKS = "a class that derives from lightning.pytorch.Callback is needed"


def build_pruning(config: DictConfig) -> list[Pruning]:
    """Return what tells the search of this job's scores; nothing outside of a search."""
    hydra = HydraConfig.get()
    if hydra.mode != RunMode.MULTIRUN or "pruner" not in hydra.sweeper:
        return []
    # Imported here because optuna is slow to import.
    from uncial.runs.study import find_running_trial

    own = load_literal_config({"hydra": {"sweeper": OmegaConf.to_container(hydra.sweeper, resolve=True)}})
    trial = find_running_trial(Path(hydra.sweep.dir), int(hydra.job.num), instantiate_part(own, "hydra.sweeper.pruner"))
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
    # A logger of Lightning's may be called csv or tensorboard too; the files of the run are written all the same.
    factories = build_file_loggers(bool(config.logger.csv), bool(config.logger.tensorboard))
    factories += [partial(make_logger, config, str(name)) for name in logger_names(config)]
    return start_loggers(factories, describe_job(config, folder))


def describe_job(config: DictConfig, folder: Path) -> Job:
    """Return the run as dashboards list it: by its name and the last parts of its folder."""
    plain: Any = OmegaConf.to_container(config, resolve=True)
    hydra = HydraConfig.get()
    sweep = Path(str(hydra.sweep.dir)).name if hydra.mode == RunMode.MULTIRUN else None
    ends = (config.name, sweep, folder.name) if sweep else (config.name, folder.name)
    model = plain.get("model") or {}
    monitored = str(model.get("monitor", "")), str(model.get("mode", ""))
    tags = as_tuple(plain.get("tags"))
    return Job(folder, "/".join(map(str, ends)), sweep, str(config.task.name), plain, tags, *monitored)


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
    return launch_workers(devices.kind, devices.numbers, _run_process, hydra, function, arguments)


def _run_process(hydra: DictConfig, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    setup_globals()
    HydraConfig.instance().cfg = hydra  # type: ignore[assignment]
    if is_rank_zero():
        configure_log(hydra.hydra.job_logging, hydra.hydra.verbose)
    else:
        logging.disable(logging.CRITICAL)
    silence_lightning()
    return function(*arguments)
