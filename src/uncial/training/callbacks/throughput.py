"""How far and how fast a training is, and how long it will still take."""

import math
import sys
import time
from dataclasses import dataclass
from typing import Any, ClassVar

import lightning as L
from lightning.pytorch.callbacks import Timer

from uncial.models.contracts import num_samples_of_step
from uncial.reports.terminal.formatting import format_duration, format_percent, format_rate
from uncial.training.callbacks.contract import Priority
from uncial.training.distributed.process_group import all_gather
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


def estimate_seconds_left(
    steps_left: float, seconds_per_step: float, validation_share: float, time_left: float = math.inf
) -> float:
    """Return the seconds until a training ends; infinite where nothing is known.

    `validation_share` is the time spent validating for each second spent on steps. A run that is bounded by time too
    ends with whatever comes first.
    """
    by_steps = steps_left * seconds_per_step * (1 + validation_share)
    return min(by_steps if math.isfinite(by_steps) else math.inf, time_left)


class ThroughputMonitor(L.Callback):
    """Counts lines, and the seconds from the first batch's start to the last one's end less those of validations; and
    the same of the validations alone, what is written after them not counting. Of a run that is resumed in all its
    sessions."""

    priority: ClassVar[int] = Priority.MEASURING
    writes: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, unit: str = "lines") -> None:
        """`unit` is what the samples of a batch are called."""
        self.unit = unit
        self.lines = 0
        self.seconds = 0.0
        self.read_lines, self.read_seconds = 0, 0.0
        self._since: float | None = None
        self._read, self._read_start, self._read_end = 0, 0.0, 0.0

    @property
    def lines_per_second(self) -> float:
        """0 before the first batch."""
        return self.lines / self.seconds if self.seconds else 0.0

    @property
    def reading_lines_per_second(self) -> float | None:
        """None before the first validation has ended."""
        return self.read_lines / self.read_seconds if self.read_seconds else None

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._since = time.monotonic()

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if batch.loss_weight:
            self.lines += num_samples_of_step(batch, trainer.world_size)
        self._count()

    def on_validation_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._count()
        if self._since is not None:
            speed = {f"{self.unit}_per_second": self.lines_per_second}
            log_beside_the_file(trainer.loggers, speed, trainer.global_step)
        self._read, self._read_start = 0, time.monotonic()

    def on_validation_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        if batch.loss_weight:
            self._read += len(batch.indices)
        self._read_end = time.monotonic()

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if not trainer.sanity_checking:
            self.read_lines += sum(all_gather(self._read))
            self.read_seconds += max(0.0, self._read_end - self._read_start)
        self._since = self._since and time.monotonic()

    def state_dict(self) -> dict[str, Any]:
        read = {"read_lines": self.read_lines, "read_seconds": self.read_seconds}
        return {"lines": self.lines, "seconds": self.seconds, **read}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.lines, self.seconds = state_dict["lines"], state_dict["seconds"]
        # States of earlier versions do not know them.
        self.read_lines, self.read_seconds = state_dict.get("read_lines", 0), state_dict.get("read_seconds", 0.0)

    def _count(self) -> None:
        if self._since is not None:
            now = time.monotonic()
            self.seconds += now - self._since
            self._since = now


class TestTimer(L.Callback):
    """The seconds that a test took, loading included."""

    priority: ClassVar[int] = Priority.MEASURING
    writes: ClassVar[frozenset[str]] = frozenset()

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

    priority: ClassVar[int] = Priority.MEASURING
    writes: ClassVar[frozenset[str]] = frozenset()

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


ERROR_RATES = ("cer", "wer", "cer_macro")


@dataclass(frozen=True, slots=True)
class ProgressState:
    """A moment of a training. `steps` (optimizer steps of the whole run) and `epochs` are None where they are not
    known.

    `scores` are those of the last validation by name, without `val/`; loss, speed and time left are NaN or infinite
    before they are known.
    """

    epoch: int
    epochs: int | None
    step: int
    steps: int | None
    loss: float
    scores: dict[str, float]
    lines_per_second: float
    seconds_left: float
    unit: str = "lines"
    headline: tuple[str, ...] = ()

    @property
    def epoch_text(self) -> str:
        return f"epoch {self.epoch}" if self.epochs is None else f"epoch {self.epoch}/{self.epochs}"

    @property
    def figures(self) -> str:
        """Loss, score, speed and time left in a few words."""
        loss = f"loss {self.loss:.3g}" if not math.isnan(self.loss) else "loss –"
        known = [name for name in (*self.headline, "cer", "wer") if name in self.scores]
        score = [f"val {score_text(known[0], self.scores[known[0]])}"] if known else []
        return " ".join(
            (loss, *score, format_rate(self.lines_per_second, self.unit), f"{format_duration(self.seconds_left)} left")
        )

    @property
    def line(self) -> str:
        """All of it as one line of a log."""
        steps = f"step {self.step}" if self.steps is None else f"step {self.step}/{self.steps}"
        return f"{self.epoch_text} {steps} {self.figures}"


def score_text(name: str, value: float) -> str:
    """Return a score with its name: error rates in percent, whatever else with four digits."""
    if name in ERROR_RATES:
        return f"{name.upper().replace('_', ' ')} {format_percent(value, 2 if value < 0.1 else 1)}"
    return f"{name.replace('_', ' ')} {value:.4g}"


def read_progress(
    trainer: L.Trainer,
    pl_module: L.LightningModule,
    throughput: Throughput,
    validation_share: float,
    unit: str = "lines",
    headline: tuple[str, ...] = (),
) -> ProgressState:
    """Read off the trainer where it stands. `validation_share` is the time spent validating for each second of steps,
    `unit` what the samples of a batch are called; of the scores `headline` the first that there is comes first.
    """
    steps = estimate_total_steps(trainer, pl_module)
    batches = float(trainer.num_training_batches)
    accumulated = trainer.accumulate_grad_batches
    epochs = math.ceil(steps * accumulated / batches) if steps is not None and 0 < batches < math.inf else None
    metrics = trainer.callback_metrics
    left = estimate_seconds_left(
        math.inf if steps is None else max(steps - trainer.global_step, 0),
        throughput.seconds_per_batch * accumulated,
        validation_share,
        _format_time_left(trainer),
    )
    return ProgressState(
        epoch=min(trainer.current_epoch + 1, epochs or sys.maxsize),
        epochs=epochs,
        step=trainer.global_step,
        steps=steps,
        loss=float(metrics.get("train/loss", math.nan)),
        scores={name[4:]: float(value) for name, value in metrics.items() if name.startswith("val/")},
        lines_per_second=throughput.lines_per_second * trainer.world_size,
        seconds_left=left,
        unit=unit,
        headline=headline,
    )


def estimate_total_steps(trainer: L.Trainer, pl_module: L.LightningModule) -> int | None:
    """Return the optimizer steps of the whole run: the module's own `total_steps` if it has one, else what bounds the
    trainer.
    """
    own = getattr(pl_module, "total_steps", None)
    if own is not None:
        return int(own) if math.isfinite(own) else None
    bounds = [trainer.max_steps] if trainer.max_steps >= 0 else []
    batches = float(trainer.num_training_batches)
    max_epochs = -1 if trainer.max_epochs is None else trainer.max_epochs
    if max_epochs >= 0 and math.isfinite(batches):
        bounds.append(max_epochs * math.ceil(batches / trainer.accumulate_grad_batches))
    return min(bounds, default=None)


def _format_time_left(trainer: L.Trainer) -> float:
    callbacks: list[L.Callback] = trainer.callbacks  # type: ignore[attr-defined]
    remaining = [timer.time_remaining() for timer in callbacks if isinstance(timer, Timer)]
    return max(0.0, min((seconds for seconds in remaining if seconds is not None), default=math.inf))
