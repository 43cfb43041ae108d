"""How fast a training goes, in its first seconds, now and as a whole, and how long it will still take."""

import math
import time
from typing import Any

import lightning as L

from uncial.data.lines.batch import lines_of_step, loss_weight_of
from uncial.training.loggers.tracking import log_beside_the_file


class Throughput:
    """Lines a second, smoothed: what happened `memory` seconds of work ago counts a third of what happens now."""

    def __init__(self, memory: float = 20.0) -> None:
        self.memory = memory
        self._lines = self._batches = self._seconds = 0.0

    def add(self, lines: int, seconds: float) -> None:
        """Add one batch of `lines` lines that took `seconds`."""
        kept = math.exp(-seconds / self.memory)
        self._lines = kept * self._lines + lines
        self._batches = kept * self._batches + 1
        self._seconds = kept * self._seconds + seconds

    @property
    def lines_per_second(self) -> float:
        """NaN before the first batch."""
        return self._lines / self._seconds if self._seconds else math.nan

    @property
    def seconds_per_batch(self) -> float:
        """NaN before the first batch."""
        return self._seconds / self._batches if self._batches else math.nan


def seconds_left(
    steps_left: float, seconds_per_step: float, validation_share: float, time_left: float = math.inf
) -> float:
    """Return the seconds until a training ends; infinite where nothing is known.

    `validation_share` is the time spent validating for each second spent on steps. A run that is bounded by time too
    ends with whatever comes first.
    """
    by_steps = steps_left * seconds_per_step * (1 + validation_share)
    return min(by_steps if math.isfinite(by_steps) else math.inf, time_left)


class ThroughputMonitor(L.Callback):
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
        if loss_weight_of(batch):
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


class TestTimer(L.Callback):
    """The seconds that a test took, loading included."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def on_test_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.seconds -= time.monotonic()

    def on_test_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.seconds += time.monotonic()


class ThroughputProbe(L.Callback):
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
