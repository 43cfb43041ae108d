"""From the config to how long a training is, and what watches over it."""

from collections.abc import Callable, Iterator

import lightning as L
from omegaconf import DictConfig

from uncial.config.instantiate import instantiate_part
from uncial.config.schema import build_settings
from uncial.data.settings import DataSettings
from uncial.errors import UserError
from uncial.problems.recognition.watchdog import Watchdog
from uncial.training.callbacks.early_stopping import EarlyStopping
from uncial.training.callbacks.ema import EMA
from uncial.training.callbacks.nonfinite import SkipNonFiniteSteps
from uncial.training.module import TrainingModule
from uncial.training.schedulers.length import seconds_of
from uncial.training.schedulers.plan import LengthConfig


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


def build_watchdog(config: DictConfig, module: TrainingModule) -> Iterator[L.Callback]:
    """What recognises a training that goes wrong, if the config wants it and the metric counts what is not read."""
    wanted = config.callbacks.watchdog
    help_out = getattr(module.model.decoder, "lower_blank", None) if wanted == "help" else None
    if wanted == "help" and help_out is None:
        raise UserError("callbacks.watchdog=help: this model's decoder has no blank to lower; choose tell or none.")
    if wanted != "none":
        yield Watchdog(getattr(module.metric, "unread", lambda: 0.0), help_out)


def build_ema(config: DictConfig) -> Iterator[L.Callback]:
    """What has to come behind the callback that keeps models, which keeps the averaged weights then."""
    if config.callbacks.ema is not None:
        yield EMA(float(config.callbacks.ema))
