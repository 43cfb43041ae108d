"""What the keys of the config may hold, and their values as the program uses them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf

from uncial.config.trust import trusted_modules
from uncial.errors import UserError

MIN_VALUES = {
    "seed": 0,
    "data.seed": 0,
    "data.lines": 1,
    "data.max_height": 16,
    "data.max_pixels": 1,
    "data.compile_workers": 1,
    "data.folds": 2,
    "data.fold": 0,
    "trainer.max_steps": 1,
    "trainer.max_epochs": 1,
    "trainer.min_epochs": 1,
    "trainer.lines_seen": 1,
    "trainer.validations": 1,
    "trainer.batch_width": 1,
    "trainer.max_lines": 1,
    "trainer.evaluation_max_lines": 1,
    "trainer.evaluation_batch_width": 1,
    "trainer.accumulate": 1,
    "trainer.workers": 0,
    "trainer.threads": 1,
    "callbacks.samples": 0,
    "inspect.augmentation": 0,
    "metrics.resamples": 100,
    "callbacks.checkpoints.minutes": 0,
    "callbacks.checkpoints.every_epochs": 1,
    "callbacks.checkpoints.every_steps": 1,
    "callbacks.checkpoints.keep_last": 1,
    "callbacks.checkpoints.keep_best": 0,
    "ensemble.lines": 1,
    "inspect.samples": 0,
    "report.pictures": 0,
    "inspect.pictures": 0,
    "scheduler.warmup_steps": 0,
    "model.backbone.stem": 1,
    "model.backbone.stem_kernel": 1,
    "model.head.layers": 1,
    "model.head.hidden": 1,
    "model.shortcut": 0,
    "trainer.gradient_clip": 0,
    "trainer.validate_every_steps": 1,
    "trainer.log_every": 1,
    "trainer.patience": 1,
    "trainer.min_delta": 0,
    "optimizer.lr": 0,
    "optimizer.momentum": 0,
    "optimizer.weight_decay": 0,
    "scheduler.warmup_samples": 0,
}
"""The least that a number may be; null is allowed for all of them."""


def check_numbers(config: DictConfig) -> None:
    """Raises `UserError` for the first number that is below its least."""
    for key, least in MIN_VALUES.items():
        value = OmegaConf.select(config, key)
        if value is not None and (not isinstance(value, int | float) or value < least):
            raise UserError(f"{key}={value}: a number is needed that is {least} or more.")


def as_tuple(value: Any) -> tuple[str, ...]:
    """A key that takes one value, a list of them, or null."""
    if value is None:
        return ()
    if isinstance(value, ListConfig | list | tuple):
        return tuple(str(item) for item in value)
    return (str(value),)


def trusted(config: DictConfig) -> tuple[str, ...]:
    """The modules whose classes a model may be made of: those of `trust` and of UNCIAL_TRUST."""
    return trusted_modules(as_tuple(config.get("trust")))


def trust_as_typed(config: DictConfig) -> tuple[str, ...]:
    """The argument by which a command trusts what this run does; none where it trusts nothing of others."""
    names = as_tuple(config.get("trust"))
    return (f"trust=[{','.join(names)}]",) if names else ()


def choice(value: Any, key: str, choices: Sequence[str]) -> str:
    if value not in choices:
        raise UserError(f"{key}={value}: choose one of {', '.join(choices)}.")
    return str(value)


def checkpoints_of(config: DictConfig) -> tuple[str, ...]:
    """The models that the task works with, one or several. Raises `UserError` where none is named."""
    if config.checkpoint is None:
        raise UserError(
            f"task={config.task.name} needs a model: add checkpoint=RUN, "
            "a run folder of outputs/ or its best.safetensors."
        )
    return as_tuple(config.checkpoint)


def checkpoint_of(config: DictConfig) -> Path:
    """The model that the task works with. Raises `UserError` where none is named."""
    checkpoints_of(config)
    if isinstance(config.checkpoint, ListConfig):
        raise UserError(
            f"checkpoint={list(config.checkpoint)}: task={config.task.name} works with one model; "
            "task=compare compares several."
        )
    return Path(str(config.checkpoint))
