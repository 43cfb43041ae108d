"""How long a run is: its optimizer steps, fixed before the first or measured against a time budget, and when it
validates."""

import logging
import math
import time
from pathlib import Path

import lightning as L

from uncial.errors import UserError

log = logging.getLogger(__name__)

UNKNOWN = math.inf
VALIDATION_SHARE = 0.06
"""At most this share of a time budget goes into validations, but at least three of them are made."""

MEASURING_SHARE = 0.2
"""Measuring ends when this share of the budget is over, if the steps to measure are not made until then."""

LEAST_MEASURED = 3


class RunLength(L.Callback):
    """Ends the run after a fixed number of steps, and validates at equal distances, the last time after the last step.

    With `budget` (seconds) the number of steps is fixed after `measured_steps` from the throughput until then, and
    written to `steps_file`; a run that is resumed or repeated finds it there. Until then `total_steps` is infinite.
    """

    def __init__(
        self, steps: int | None, budget: float | None, validations: int, measured_steps: int, steps_file: Path
    ) -> None:
        self.total_steps: float = UNKNOWN if steps is None else steps
        self.budget, self.validations = budget, max(1, validations)
        self.measured_steps, self.steps_file = max(2, measured_steps), steps_file
        self._start = self._sanity_start = self._measure_start = 0.0
        self._validation_seconds = 0.0

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        if stage != "fit":
            return
        self._start = time.monotonic()
        if self.budget is not None and self.steps_file.is_file():
            self.total_steps = int(self.steps_file.read_text())
        trainer.fit_loop.max_epochs = -1
        self._apply(trainer)

    def on_sanity_check_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._sanity_start = time.monotonic()

    def on_sanity_check_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        batches = sum(map(int, trainer.num_val_batches))
        checked = min(batches, int(trainer.num_sanity_val_steps)) or 1
        self._validation_seconds = (time.monotonic() - self._sanity_start) * batches / checked

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: object, batch_idx: int
    ) -> None:
        if self.total_steps == UNKNOWN:
            # The first step pays for memory and kernels that later steps reuse.
            if trainer.global_step == 1 and not self._measure_start:
                self._measure_start = time.monotonic()
            if trainer.global_step >= self.measured_steps or self._has_measured_enough(trainer.global_step):
                self._fix(trainer)
        self._plan_validation(trainer)

    def _has_measured_enough(self, steps: int) -> bool:
        assert self.budget is not None
        return steps >= LEAST_MEASURED and time.monotonic() - self._start > MEASURING_SHARE * self.budget

    def _fix(self, trainer: L.Trainer) -> None:
        assert self.budget is not None
        now = time.monotonic()
        step_seconds = (now - self._measure_start) / (trainer.global_step - 1)
        self.validations = affordable_validations(self.budget, self._validation_seconds, self.validations)
        left = self.budget - (now - self._start) - self.validations * self._validation_seconds
        self.total_steps = trainer.global_step + max(self.validations, math.floor(left / step_seconds))
        self.steps_file.write_text(f"{self.total_steps}\n")
        self._apply(trainer)
        log.info(
            f"The time budget of {self.budget:.0f} s allows {self.total_steps} steps of {1000 * step_seconds:.0f} ms "
            f"and {self.validations} validations of {self._validation_seconds:.1f} s."
        )

    def _apply(self, trainer: L.Trainer) -> None:
        trainer.fit_loop.epoch_loop.max_steps = -1 if self.total_steps == UNKNOWN else int(self.total_steps)

    def _plan_validation(self, trainer: L.Trainer) -> None:
        # Lightning validates after a batch whose number is a multiple of this; the next planned one is the first such.
        accumulated = trainer.accumulate_grad_batches
        if self.total_steps == UNKNOWN:
            trainer.val_check_batch = math.inf
            return
        done = trainer.fit_loop.epoch_loop.total_batch_idx + 1
        trainer.val_check_batch = accumulated * next_validation(
            (done - 1) // accumulated, int(self.total_steps), self.validations
        )


def next_validation(steps_done: int, total: int, validations: int) -> int:
    """The step after which to validate next: the smallest of total / validations · 1, 2, 3 … (rounded) beyond
    `steps_done`."""
    number = math.floor(steps_done * validations / total)
    planned = (round(total * count / validations) for count in range(number, validations + 1))
    return next((step for step in planned if step > steps_done), total)


def affordable_validations(budget: float, seconds: float, wanted: int) -> int:
    """How many validations of `seconds` each fit into their share of the budget: at most `wanted`, at least three."""
    return max(min(wanted, 3), min(wanted, int(VALIDATION_SHARE * budget / max(seconds, 1e-9))))


def seconds_of(text: str | float | None, key: str) -> float | None:
    """Reads a duration: seconds, MM:SS, HH:MM:SS or DD:HH:MM:SS. Raises `UserError` naming the config key."""
    if text is None:
        return None
    parts = str(text).split(":")
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        numbers = []
    seconds = sum(n * unit for n, unit in zip(reversed(numbers), (1, 60, 3600, 86400), strict=False))
    if not numbers or len(numbers) > 4 or min(numbers) < 0 or seconds <= 0 or not math.isfinite(seconds):
        raise UserError(f"{key}={text} is no duration: write it as HH:MM:SS, for instance 00:05:00 for five minutes.")
    return seconds
