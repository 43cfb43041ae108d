"""From the config to the trainer of a run: its settings, its length, its callbacks, and the processes it runs in."""

import logging
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import fields
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
from uncial.errors import UserError
from uncial.training.callbacks.early_stopping import Pruning
from uncial.training.distributed.devices import Devices
from uncial.training.distributed.launch import launch_workers
from uncial.training.distributed.process_group import is_rank_zero
from uncial.training.schedulers.length import parse_duration
from uncial.training.schedulers.plan import LengthConfig
from uncial.training.settings import CallbacksSettings
from uncial.training.trainer import quiet_lightning


def check_durations(trainer: DictConfig) -> None:
    """Raises `UserError` for a time that is none."""
    for key in ("time_budget", "max_time"):
        parse_duration(trainer[key], f"trainer.{key}")


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
        budget=parse_duration(trainer.time_budget, "trainer.time_budget"),
        validations=trainer.validations,
        every_epochs=trainer.validate_every_epochs,
        every_steps=trainer.validate_every_steps,
    )


PLAIN_KEYS = frozenset(field.name for field in fields(CallbacksSettings))
"""Keys of the callbacks that are no callback by their name."""


def callback_keys(config: DictConfig) -> Iterator[str]:
    """The dotted keys under which the config describes callbacks, but for those that were taken out.

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
    return [instantiate_part(config, key) for key in callback_keys(config)]


def check_callbacks(config: DictConfig) -> None:
    """Raise `UserError` for what a callback of this project does not take; those of others are built once, later."""
    for key in callback_keys(config):
        if str(OmegaConf.select(config, f"{key}._target_")).startswith("uncial."):
            instantiate_part(config, key)


def build_pruning(config: DictConfig) -> list[Pruning]:
    """What tells the search of this job's scores; nothing outside of a search."""
    hydra = HydraConfig.get()
    if hydra.mode != RunMode.MULTIRUN or "pruner" not in hydra.sweeper:
        return []
    # Imported here because optuna is slow to import.
    from uncial.runs.study import find_running_trial

    own = literal_config({"hydra": {"sweeper": OmegaConf.to_container(hydra.sweeper, resolve=True)}})
    trial = find_running_trial(Path(hydra.sweep.dir), int(hydra.job.num), instantiate_part(own, "hydra.sweeper.pruner"))
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
    return launch_workers(devices.kind, devices.numbers, _run_process, hydra, function, arguments)


def _run_process(hydra: DictConfig, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    setup_globals()
    HydraConfig.instance().cfg = hydra  # type: ignore[assignment]
    if is_rank_zero():
        configure_log(hydra.hydra.job_logging, hydra.hydra.verbose)
    else:
        logging.disable(logging.CRITICAL)
    quiet_lightning()
    return function(*arguments)
