"""From the config to how long a training is, and what watches over it."""

from collections.abc import Iterator

import lightning as L
from omegaconf import DictConfig

from uncial.errors import UserError
from uncial.training.length import seconds_of
from uncial.training.module import TrainingModule
from uncial.training.patience import Patience
from uncial.training.plan import Wanted


def check_durations(trainer: DictConfig) -> None:
    """Raises `UserError` for a time that is none."""
    for key in ("time_budget", "max_time"):
        seconds_of(trainer[key], f"trainer.{key}")


def wanted_length(config: DictConfig, lines: int) -> Wanted:
    """The bounds that the `trainer` group sets on a training with so many lines."""
    trainer = config.trainer
    if trainer.validate_every_epochs is not None and trainer.validate_every_steps is not None:
        raise UserError(
            "trainer.validate_every_epochs and trainer.validate_every_steps are both set: leave one of them null."
        )
    return Wanted(
        steps=trainer.max_steps,
        epochs=trainer.max_epochs or max(trainer.min_epochs, round(trainer.lines_seen / lines)),
        budget=seconds_of(trainer.time_budget, "trainer.time_budget"),
        validations=trainer.validations,
        every_epochs=trainer.validate_every_epochs,
        every_steps=trainer.validate_every_steps,
    )


def control(config: DictConfig, module: TrainingModule) -> Iterator[L.Callback]:
    """What the config wants to watch over the training.

    They come before the callback that keeps models and states, so that their own state is part of what is kept.
    """
    trainer, model = config.trainer, config.model
    if isinstance(module.schedule, L.Callback):
        yield module.schedule
    if trainer.patience is not None:
        yield Patience(model.monitor, model.mode, trainer.patience, trainer.min_delta, trainer.min_epochs)
