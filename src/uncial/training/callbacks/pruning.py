"""Ends a trial of a search early whose scores are worse than those of others."""

import logging
from collections.abc import Callable
from typing import Any

import lightning as L

from uncial.errors import PrunedError, UserError
from uncial.training.callbacks.standing import score_text

log = logging.getLogger(__name__)

Report = Callable[[int, float], bool]
"""Told the number of a validation, from 0, and its score; says whether the trial should end."""


class Pruning(L.Callback):
    """Reports `monitor` after each validation, and ends the training when it is not worth going on.

    Validations are numbered, since trials with other batches have them after other steps.
    """

    def __init__(self, monitor: str, report: Report) -> None:
        self.monitor, self.report = monitor, report
        self.validations = 0
        self.reason = ""

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if self.reason:
            trainer.should_stop = True

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if trainer.sanity_checking:
            return
        if self.monitor not in trainer.callback_metrics:
            raise UserError(f"model.monitor={self.monitor}: the validation gives no such score.")
        score = float(trainer.callback_metrics[self.monitor])
        is_hopeless = self.report(self.validations, score) if trainer.is_global_zero else False
        self.validations += 1
        if trainer.strategy.broadcast(is_hopeless):
            told = score_text(self.monitor.removeprefix("val/"), score)
            self.reason = f"{told} at validation {self.validations}, where other trials do better"
            log.info(f"Ended early: {self.reason} (hydra.sweeper.pruner).")
            trainer.should_stop = True

    def end(self) -> None:
        """Raises `PrunedError` where the training was ended early."""
        if self.reason:
            raise PrunedError(self.reason)

    def state_dict(self) -> dict[str, Any]:
        return {"validations": self.validations, "reason": self.reason}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.validations, self.reason = state_dict["validations"], state_dict["reason"]
