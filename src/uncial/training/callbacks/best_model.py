"""Keeps the best model of a run."""

import logging
import math
from collections.abc import Callable
from typing import ClassVar

import lightning as L

from uncial.errors import UserError
from uncial.training.callbacks.contract import Priority, TrainerState
from uncial.training.checkpointing.loops import is_scheduled_validation
from uncial.training.distributed.signals import StoppedBySignal

log = logging.getLogger(__name__)

Save = Callable[[dict[str, float]], None]
"""Writes the model as it is now, with its scores; there are none where no validation has been made."""


class BestModel(L.Callback):
    """After each validation whose monitored score is better than all before: `save(scores)`.

    A model whose score is NaN or Inf is never kept. A training that is asked to stop before its first
    validation saves the model as it is then. Before one takes the place of another in a validation that is not one of
    the run's plan, `stash()` is called: a run that goes on does so without that validation. Raises `UserError` for
    a mode or score that does not exist.
    """

    priority: ClassVar[int] = Priority.BEST_MODEL
    writes: ClassVar[frozenset[str]] = frozenset({TrainerState.BEST_MODEL})

    def __init__(self, monitor: str, mode: str, save: Save, stash: Callable[[], None] = lambda: None) -> None:
        if mode not in ("min", "max"):
            raise UserError(f"model.mode={mode}: choose min or max, the better end of {monitor}.")
        self.monitor, self.mode, self.save, self.stash = monitor, mode, save, stash
        self.sign = -1 if mode == "max" else 1
        self.best: float | None = None
        self.scores: dict[str, float] = {}

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if trainer.sanity_checking:
            return
        scores = {name: float(value) for name, value in trainer.callback_metrics.items() if name.startswith("val/")}
        if self.monitor not in scores:
            raise UserError(
                f"model.monitor={self.monitor}: the validation gives {', '.join(scores)}; choose one of them."
            )
        score = self.sign * scores[self.monitor]
        if not math.isfinite(score):
            log.warning(f"{self.monitor} is {scores[self.monitor]}: this model is not kept as the best.")
            return
        if self.best is not None and math.isfinite(self.best) and score >= self.best:
            return
        if trainer.is_global_zero:
            if self.best is not None and not is_scheduled_validation(trainer):
                self.stash()
            self.save(scores)
        self.best, self.scores = score, scores

    def on_exception(self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException) -> None:
        if (
            isinstance(exception, StoppedBySignal)
            and self.best is None
            and trainer.global_step
            and trainer.is_global_zero
        ):
            self.save({})

    def state_dict(self) -> dict[str, object]:
        return {"best": self.best, "scores": self.scores}

    def load_state_dict(self, state_dict: dict) -> None:
        self.best, self.scores = state_dict["best"], state_dict["scores"]
