"""Stops a run whose score no longer becomes better."""

import logging
import math
from typing import Any

import lightning as L

from uncial.errors import UserError
from uncial.training.schedulers.improvement import BestScoreTracker

log = logging.getLogger(__name__)


class EarlyStopping(L.Callback):
    """Ends the run after `patience` validations in a row without an improvement of `monitor` by more than `min_delta`,
    but not before `min_epochs` passes over the training lines.

    kraken's `--lag`, `--min-delta` and `--min-epochs`. Validations within the first epochs count.
    """

    def __init__(self, monitor: str, mode: str, patience: int, min_delta: float, min_epochs: int) -> None:
        self.monitor, self.patience, self.min_epochs = monitor, patience, min_epochs
        self._improvement = BestScoreTracker(mode, min_delta)

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if trainer.sanity_checking:
            return
        if self.monitor not in trainer.callback_metrics:
            raise UserError(f"model.monitor={self.monitor}: the validation gives no such score.")
        self._improvement.update(float(trainer.callback_metrics[self.monitor]))
        if self._improvement.waited >= self.patience and self._epochs(trainer) >= self.min_epochs:
            why = (
                f"has not improved on {self._improvement.best:.4g} in {self._improvement.waited} validations"
                if self._improvement.best is not None
                else "was never a finite number"
            )
            log.info(
                f"Stopped after step {trainer.global_step}, {self._epochs(trainer):.1f} epochs: {self.monitor} {why} "
                f"(trainer.patience={self.patience}; trainer.min_epochs={self.min_epochs} is the earliest; raise one "
                "of them to train longer)."
            )
            trainer.should_stop = True

    def _epochs(self, trainer: L.Trainer) -> float:
        return trainer.global_step / math.ceil(trainer.num_training_batches / trainer.accumulate_grad_batches)

    def state_dict(self) -> dict[str, Any]:
        return {"improvement": self._improvement.state()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._improvement.restore(state_dict["improvement"])
