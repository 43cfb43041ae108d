"""Callbacks that break a model or a training, named in tests by `_target_`."""

import lightning as L
import torch

from uncial.errors import UserError


class BreakWeights(L.Callback):
    """Makes NaN of a weight after a step."""

    def __init__(self, step: int) -> None:
        self.step = step

    @torch.no_grad()
    def on_train_batch_end(self, trainer: L.Trainer, pl_module: L.LightningModule, *_: object) -> None:
        if trainer.global_step == self.step:
            next(pl_module.parameters()).view(-1)[0] = torch.nan


class FailAfter(L.Callback):
    """Ends the training by an error after a step."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_train_batch_end(self, trainer: L.Trainer, *_: object) -> None:
        if trainer.global_step == self.step:
            raise UserError("ended by the test")
