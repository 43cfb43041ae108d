"""Ends a training when its longest allowed time is over, in such a way that it can go on as if it had not."""

from typing import Any

import lightning as L
from lightning.pytorch.callbacks import Timer


class MaxTime(Timer):
    """Lightning's timer, but it ends a training between two optimizer steps only: what has been accumulated for half a
    step would be lost to a run that goes on."""

    def on_train_batch_end(self, trainer: L.Trainer, *args: Any, **kwargs: Any) -> None:
        if not trainer.fit_loop._should_accumulate():
            super().on_train_batch_end(trainer, *args, **kwargs)
