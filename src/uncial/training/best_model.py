"""Keeps the best model of a run, and what continues it: best.safetensors and last.ckpt, each whole at any moment."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightning as L

from uncial.errors import UserError
from uncial.models.checkpoint import CARD_KEY

Save = Callable[[dict[str, float]], None]
"""Writes the model as it is now, with its scores."""

Describe = Callable[[], str]
"""What a model file says about the model as it is now: JSON."""


class BestModel(L.Callback):
    """After each validation: `last.ckpt`, and where the monitored score is better than all before, `save(scores)`.

    `describe` makes a model of the checkpoint: `uncial.models.files` reads it from there too.

    Raises `UserError` for a mode or score that does not exist, and for a full disk.
    """

    def __init__(self, monitor: str, mode: str, save: Save, describe: Describe, checkpoint: Path) -> None:
        if mode not in ("min", "max"):
            raise UserError(f"model.mode={mode}: choose min or max, the better end of {monitor}.")
        self.monitor, self.sign, self.save, self.checkpoint = monitor, -1 if mode == "max" else 1, save, checkpoint
        self.describe = describe
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
        is_best = score == score and (self.best is None or score < self.best)
        if is_best:
            self.best, self.scores = score, scores
        if is_best and trainer.is_global_zero:
            self.save(scores)
        self._keep_checkpoint(trainer)

    def _keep_checkpoint(self, trainer: L.Trainer) -> None:
        partial = self.checkpoint.with_suffix(".partial")
        try:
            trainer.save_checkpoint(partial)
            if trainer.is_global_zero:
                partial.replace(self.checkpoint)
        except OSError as error:
            raise UserError(
                f"{self.checkpoint} cannot be written ({error.strerror or error}): make room, or choose another place."
            ) from error
        finally:
            if trainer.is_global_zero:
                partial.unlink(missing_ok=True)

    def on_save_checkpoint(self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]) -> None:
        checkpoint[CARD_KEY] = self.describe()

    def state_dict(self) -> dict[str, object]:
        return {"best": self.best, "scores": self.scores}

    def load_state_dict(self, state_dict: dict) -> None:
        self.best, self.scores = state_dict["best"], state_dict["scores"]
