"""Where a training stands: what its progress shows, however it is shown."""

import math
import sys
from dataclasses import dataclass

import lightning as L
from lightning.pytorch.callbacks import Timer

from uncial.reports.terminal.formatting import duration, percent, rate
from uncial.training.callbacks.throughput import Throughput, seconds_left

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

    @property
    def epoch_text(self) -> str:
        return f"epoch {self.epoch}" if self.epochs is None else f"epoch {self.epoch}/{self.epochs}"

    @property
    def figures(self) -> str:
        """Loss, score, speed and time left in a few words."""
        loss = f"loss {self.loss:.3g}" if not math.isnan(self.loss) else "loss –"
        known = [name for name in ("cer", "wer") if name in self.scores]
        score = [f"val {score_text(known[0], self.scores[known[0]])}"] if known else []
        return " ".join((loss, *score, rate(self.lines_per_second), f"{duration(self.seconds_left)} left"))

    @property
    def line(self) -> str:
        """All of it as one line of a log."""
        steps = f"step {self.step}" if self.steps is None else f"step {self.step}/{self.steps}"
        return f"{self.epoch_text} {steps} {self.figures}"


def score_text(name: str, value: float) -> str:
    """Return a score with its name: error rates in percent, whatever else with four digits."""
    if name in ERROR_RATES:
        return f"{name.upper().replace('_', ' ')} {percent(value, 2 if value < 0.1 else 1)}"
    return f"{name.replace('_', ' ')} {value:.4g}"


def read_progress(
    trainer: L.Trainer, pl_module: L.LightningModule, throughput: Throughput, validation_share: float
) -> ProgressState:
    """Read off the trainer where it stands. `validation_share` is the time spent validating for each second of
    steps.
    """
    steps = total_steps(trainer, pl_module)
    batches = float(trainer.num_training_batches)
    accumulated = trainer.accumulate_grad_batches
    epochs = math.ceil(steps * accumulated / batches) if steps is not None and 0 < batches < math.inf else None
    metrics = trainer.callback_metrics
    left = seconds_left(
        math.inf if steps is None else max(steps - trainer.global_step, 0),
        throughput.seconds_per_batch * accumulated,
        validation_share,
        _time_left(trainer),
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
    )


def total_steps(trainer: L.Trainer, pl_module: L.LightningModule) -> int | None:
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


def _time_left(trainer: L.Trainer) -> float:
    callbacks: list[L.Callback] = trainer.callbacks  # type: ignore[attr-defined]
    remaining = [timer.time_remaining() for timer in callbacks if isinstance(timer, Timer)]
    return max(0.0, min((seconds for seconds in remaining if seconds is not None), default=math.inf))
