"""A callback that breaks a model, named in tests by `_target_`."""

import lightning as L
import torch


class BreakWeights(L.Callback):
    """Makes NaN of a weight after a step."""

    def __init__(self, step: int) -> None:
        self.step = step

    @torch.no_grad()
    def on_train_batch_end(self, trainer: L.Trainer, pl_module: L.LightningModule, *_: object) -> None:
        if trainer.global_step == self.step:
            next(pl_module.parameters()).view(-1)[0] = torch.nan
