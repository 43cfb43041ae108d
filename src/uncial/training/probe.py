"""How fast a training goes here, from its first seconds."""

import time
from typing import Any

import lightning as L


class Probe(L.Callback):
    """Ends a training after so many seconds, or `steps` steps if they are over earlier, and knows its speed.

    The first two batches do not count: they pay for memory and kernels that later ones reuse.
    """

    UNCOUNTED, LEAST = 2, 4

    def __init__(self, seconds: float, steps: int = 40) -> None:
        self.seconds, self.steps = seconds, steps
        self._lines = self._batches = 0
        self._since = 0.0
        self._passed = 0.0

    @property
    def lines_per_second(self) -> float:
        return self._lines / self._passed if self._passed else 0.0

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self._batches += 1
        now = time.monotonic()
        if self._batches <= self.UNCOUNTED:
            self._since = now
            return
        self._lines += len(batch.indices)
        self._passed = now - self._since
        counted = self._batches - self.UNCOUNTED
        trainer.should_stop = counted >= self.steps or (self._passed >= self.seconds and counted >= self.LEAST)
