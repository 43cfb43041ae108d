"""How many lines a second the whole training processed, loading included, validation left out."""

import time
from typing import Any

import lightning as L


class Pace(L.Callback):
    """Counts lines, and the seconds from the first batch's start to the last one's end less those of validations."""

    def __init__(self) -> None:
        self.lines = 0
        self.seconds = 0.0
        self._since: float | None = None

    @property
    def lines_per_second(self) -> float:
        """0 before the first batch."""
        return self.lines / self.seconds if self.seconds else 0.0

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._since = self._since or time.monotonic()

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self.lines += len(batch.indices) * trainer.world_size
        self._count()

    def on_validation_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._count()

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._since = self._since and time.monotonic()

    def _count(self) -> None:
        if self._since is not None:
            now = time.monotonic()
            self.seconds += now - self._since
            self._since = now


class Stopwatch(L.Callback):
    """The seconds that a test took, loading included."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def on_test_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.seconds -= time.monotonic()

    def on_test_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.seconds += time.monotonic()
