"""How many lines a second the whole training processed, loading included, validation left out."""

import time
from typing import Any

import lightning as L

from uncial.data.lines.batch import lines_of_step, share_of
from uncial.training.loggers.tracking import log_beside_the_file


class Pace(L.Callback):
    """Counts lines, and the seconds from the first batch's start to the last one's end less those of validations; of a
    run that is resumed in all its sessions."""

    def __init__(self) -> None:
        self.lines = 0
        self.seconds = 0.0
        self._since: float | None = None

    @property
    def lines_per_second(self) -> float:
        """0 before the first batch."""
        return self.lines / self.seconds if self.seconds else 0.0

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._since = time.monotonic()

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if share_of(batch):
            self.lines += lines_of_step(batch, trainer.world_size)
        self._count()

    def on_validation_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._count()
        if self._since is not None:
            # At the step that Lightning logs the batch before this validation under.
            log_beside_the_file(trainer.loggers, {"lines_per_second": self.lines_per_second}, trainer.global_step - 1)

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._since = self._since and time.monotonic()

    def state_dict(self) -> dict[str, Any]:
        return {"lines": self.lines, "seconds": self.seconds}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.lines, self.seconds = state_dict["lines"], state_dict["seconds"]

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
