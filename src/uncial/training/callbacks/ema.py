"""Weights averaged over the optimizer steps, which are what is validated and kept."""

from typing import Any, ClassVar

import lightning as L
import torch
from lightning.pytorch.callbacks import WeightAveraging
from torch import Tensor

from uncial.errors import UserError
from uncial.training.callbacks.contract import Priority, TrainerState


class EMA(WeightAveraging):
    """The exponential moving average of the weights and of the statistics of batch normalisations.

    The average's decay a step is `decay`, but at most (1 + n) / (10 + n) after n steps, so that it soon forgets the
    initial weights. It stands in for the weights throughout a validation, also while other callbacks, which have to
    come before this one, keep the validated model. A checkpoint holds the average as its model under `state_dict` and
    the trained weights under `current_model_state`, as Lightning has it.
    """

    priority: ClassVar[int] = Priority.AVERAGING
    writes: ClassVar[frozenset[str]] = frozenset({TrainerState.VALIDATED_WEIGHTS})

    def __init__(self, decay: float | None) -> None:
        """None averages nothing. Raises `UserError` for a decay that is not between 0 and 1."""
        if decay is not None and not (isinstance(decay, int | float) and 0 < decay < 1):
            raise UserError(f"callbacks.ema={decay}: a number between 0 and 1 is needed, for instance 0.999, or null.")
        self.is_active = decay is not None
        self.decay = 0.0 if decay is None else float(decay)
        self._stands_in = False
        super().__init__(use_buffers=True, multi_avg_fn=self._average)

    def _average(self, averages: Any, weights: Any, count: Tensor | int) -> None:
        """Move the averages (a list of tensors of one type) towards the weights, after `count` steps."""
        if not torch.is_floating_point(averages[0]):
            torch._foreach_copy_(averages, weights)
            return
        torch._foreach_lerp_(averages, weights, 1 - min(self.decay, (1 + int(count)) / (10 + int(count))))

    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        # The average was made before the model was moved to its device.
        if self._average_model is not None:
            self._average_model.to(pl_module.device)

    def on_validation_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._put(pl_module, True)

    def on_validation_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """The average stays in place until the validated model has been kept."""

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._put(pl_module, False)

    def on_exception(self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException) -> None:
        self._put(pl_module, False)

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """The trained weights stay, to go on from; the average has been validated and kept."""

    def on_save_checkpoint(self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]) -> None:
        super().on_save_checkpoint(trainer, pl_module, checkpoint)
        if self._stands_in:
            checkpoint["state_dict"], checkpoint["current_model_state"] = (
                checkpoint["current_model_state"],
                checkpoint["state_dict"],
            )

    def _put(self, pl_module: L.LightningModule, stands_in: bool) -> None:
        if self._average_model is not None and self._stands_in != stands_in:
            self._swap_models(pl_module)
            self._stands_in = stands_in
