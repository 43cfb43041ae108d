"""How long a run is: its optimizer steps, fixed before the first or measured against a time budget, and when it
validates."""

import json
import logging
import math
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

import lightning as L

from uncial.errors import UserError
from uncial.files import replace_text_file
from uncial.runs.files import RunFolder
from uncial.training.callbacks.contract import Priority, TrainerState
from uncial.training.checkpointing.loops import schedule_validation, set_max_steps
from uncial.training.distributed.process_group import broadcast_from_rank_zero, is_rank_zero
from uncial.training.schedulers.plan import UNKNOWN, LengthConfig, StepPlan

log = logging.getLogger(__name__)

VALIDATION_SHARE = 0.06
"""At most this share of a time budget goes into validations, but at least three of them are made."""

MEASURING_SHARE = 0.2
"""Measuring ends when this share of the budget is over, if the steps to measure are not made until then."""

MIN_MEASURED_STEPS = 3
DEFAULT_MEASURED_STEPS = 20
"""Steps over which a time budget is measured where there is no warm-up."""

MIN_REPORTED_CHANGE = 0.1
"""A number of steps that differs from the last that was told by more than this share of it is told."""

MIN_VALIDATION_GAP = 0.1
"""No validation is made in so small a part of the distance between two of them before the one that ends the run."""


@dataclass(frozen=True, slots=True)
class MeasuredBudget:
    """What a time budget was turned into: the steps of the run, after how many of them a number was known first, the
    validations that were planned then, and each number of steps with that after how many of them it was known."""

    steps: int
    known_after: int
    validations: int
    totals: tuple[tuple[int, int], ...] = ()


class RunLength(L.Callback):
    """Ends the run after a fixed number of steps, and validates when its plan says, the last time after the last step.

    With a time budget the number of steps is taken from the throughput of the first `measured_steps`, corrected after
    each validation by that since the one before, and written to `steps_file`; a run that is repeated finds it there,
    and beside it which number was known when, so that it has the same rates and validations. An epoch has `batches` of
    `lines` in all. Of several processes the first measures and decides.
    """

    priority: ClassVar[int] = Priority.LENGTH
    writes: ClassVar[frozenset[str]] = frozenset({TrainerState.LENGTH})

    def __init__(self, wanted: LengthConfig, batches: int, lines: int, measured_steps: int, steps_file: Path) -> None:
        self.wanted, self.batches, self.lines = wanted, batches, lines
        self.measured_steps, self.steps_file = (
            max(MIN_MEASURED_STEPS, measured_steps or DEFAULT_MEASURED_STEPS),
            steps_file,
        )
        self.plan = wanted.plan(batches, lines)
        self.totals: list[tuple[int, int]] = []
        self._start = self._sanity_start = self._measure_start = 0.0
        self._validation_seconds = 0.0
        self._first_step = self._steps_seen = 0
        self._is_repetition = self._has_validated = False
        self._written_steps = self._reported_steps = 0

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        if stage != "fit":
            return
        self._start = time.monotonic()
        steps = math.ceil(self.batches / trainer.accumulate_grad_batches)
        self.plan = self.wanted.plan(steps, self.lines)
        if self.wanted.budget is not None and self.steps_file.is_file():
            self._read_measured_budget()
        self._apply_plan(trainer)

    def on_load_checkpoint(self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]) -> None:
        state = checkpoint["callbacks"].get(self.state_key)
        if self.wanted.budget is None or state is None:
            return
        self._start -= state["spent"]
        self.wanted = replace(self.wanted, validations=state["validations"])
        totals = state.get("totals", ((state.get("known_after", 0), state["total"]),))
        self._set_totals([] if state["total"] == UNKNOWN else list(totals))
        self._is_repetition = state.get("repeats", False)
        self._apply_plan(trainer)

    def on_sanity_check_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._sanity_start = time.monotonic()

    def on_sanity_check_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._validation_seconds = (time.monotonic() - self._sanity_start) / compute_sanity_check_fraction(trainer)

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._first_step = self._steps_seen = trainer.global_step
        self._measure_start = time.monotonic() if self.totals else 0.0

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: object, batch_idx: int
    ) -> None:
        # Persist one step late so the first checkpoint already contains it.
        self._write_known_length()
        if self._has_validated:
            self._has_validated = False
            self._recalibrate(trainer)
        if self.plan.total == UNKNOWN:
            # The first step pays for memory and kernels that later steps reuse.
            if trainer.global_step == self._first_step + 1 and not self._measure_start:
                self._measure_start = time.monotonic()
            measured = trainer.global_step - self._first_step
            if measured >= self.measured_steps or broadcast_from_rank_zero(self._has_measured_enough(measured)):
                self._set_total_steps(trainer)

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: object, batch: object, batch_idx: int
    ) -> None:
        has_stepped, self._steps_seen = trainer.global_step > self._steps_seen, trainer.global_step
        is_due = has_stepped and self.plan_at(trainer.global_step).validates_after(trainer.global_step)
        schedule_validation(trainer, is_due)

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._has_validated = not trainer.sanity_checking

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._write_known_length()

    def plan_at(self, step: int) -> StepPlan:
        """Return the plan as it is known at a step: while a time budget is measured neither an end nor a validation."""
        if not self.totals:
            return self.plan
        known = [total for known_after, total in self.totals if not 0 < known_after >= step]
        return replace(self.plan, total=known[-1]) if known else replace(self.plan, total=UNKNOWN, validation=UNKNOWN)

    def state_dict(self) -> dict[str, Any]:
        """Return what a time budget has been turned into; all else follows from the config."""
        if self.wanted.budget is None:
            return {}
        spent = time.monotonic() - self._start
        return {
            "total": self.plan.total,
            "totals": tuple(self.totals),
            "repeats": self._is_repetition,
            "validations": self.wanted.validations,
            "spent": spent,
        }

    def _has_measured_enough(self, steps: int) -> bool:
        assert self.wanted.budget is not None
        return steps >= MIN_MEASURED_STEPS and time.monotonic() - self._start > MEASURING_SHARE * self.wanted.budget

    def _set_total_steps(self, trainer: L.Trainer) -> None:
        now, steps, budget = time.monotonic(), trainer.global_step, self.wanted.budget
        assert budget is not None
        step_seconds = (now - self._measure_start) / (steps - self._first_step - 1)
        self.wanted = fit_validations(self.wanted, budget, self._validation_seconds)
        left = budget - (now - self._start)
        if distance := self.wanted.distance(self.plan.epoch):
            more = (left - self._validation_seconds) / (step_seconds + self._validation_seconds / distance)
        else:
            more = max(
                self.wanted.validations, (left - self.wanted.validations * self._validation_seconds) / step_seconds
            )
        total, self.wanted = broadcast_from_rank_zero((steps + max(1, math.floor(more)), self.wanted))
        self._set_totals([(steps, total)])
        self._apply_plan(trainer)
        self._measure_start, self._first_step = now, steps
        log.info(
            f"The time budget of {budget:.0f} s allows {self.plan.total} steps of {1000 * step_seconds:.0f} ms "
            f"and {self.plan.validations_by(int(self.plan.total) - 1) + 1} validations of "
            f"{self._validation_seconds:.1f} s."
        )

    def _recalibrate(self, trainer: L.Trainer) -> None:
        """Fix the number of steps anew, by the time since the last validation, its own included."""
        steps, budget = trainer.global_step, self.wanted.budget
        if budget is None or not self.totals or self._is_repetition or steps <= self._first_step:
            return
        now = time.monotonic()
        step_seconds = (now - self._measure_start) / (steps - self._first_step)
        more = max(1, math.floor((budget - (now - self._start)) / step_seconds))
        total = broadcast_from_rank_zero(self.plan.spared(steps, steps + more, MIN_VALIDATION_GAP))
        self._measure_start, self._first_step = now, steps
        if total != self.plan.total:
            self.totals.append((steps, total))
            self.plan = replace(self.plan, total=total)
            self._apply_plan(trainer)
        if abs(total - self._reported_steps) > MIN_REPORTED_CHANGE * self._reported_steps:
            log.info(f"As fast as it is now, the time budget allows {total} steps, not {self._reported_steps}.")
            self._reported_steps = total

    def _set_totals(self, totals: list[tuple[int, int]]) -> None:
        """Take on the numbers of steps that were known one after the other; the first decides on the validations."""
        self.totals, self._reported_steps = totals, int(totals[-1][1]) if totals else 0
        first, last = (totals[0][1], totals[-1][1]) if totals else (UNKNOWN, UNKNOWN)
        self.plan = replace(self.wanted.with_total(self.plan, first), total=last)

    def _write_known_length(self) -> None:
        if not self.totals or self._is_repetition or not is_rank_zero() or self._written_steps == self.plan.total:
            return
        self._written_steps = int(self.plan.total)
        measured = MeasuredBudget(self._written_steps, self.totals[0][0], self.wanted.validations, tuple(self.totals))
        with replace_text_file(self.steps_file.with_name(RunFolder.measured_budget)) as file:
            json.dump(asdict(measured), file)
        with replace_text_file(self.steps_file) as file:
            file.write(f"{measured.steps}\n")

    def _read_measured_budget(self) -> None:
        steps, more = int(self.steps_file.read_text()), self.steps_file.with_name(RunFolder.measured_budget)
        totals: list[tuple[int, int]] = [(0, steps)]
        if more.is_file():
            measured = MeasuredBudget(**json.loads(more.read_text(encoding="utf-8")))
            self.wanted = replace(self.wanted, validations=measured.validations)
            totals = [(after, total) for after, total in measured.totals] or [(measured.known_after, steps)]
        self._set_totals(totals)
        self._is_repetition = True

    def _apply_plan(self, trainer: L.Trainer) -> None:
        set_max_steps(trainer, -1 if self.plan.total == UNKNOWN else int(self.plan.total))


@runtime_checkable
class PartialSampler(Protocol):
    """A sampler of batches that knows what share of the work its first `batches` are."""

    def share(self, batches: int) -> float: ...


def compute_sanity_check_fraction(trainer: L.Trainer) -> float:
    """Return how much of a validation the check before the training has been: of its lines' pixels, where that is
    known."""
    checked, batches = int(trainer.num_sanity_val_steps), sum(map(int, trainer.num_val_batches))
    sampler = getattr(trainer.val_dataloaders, "batch_sampler", None)
    return sampler.share(checked) if isinstance(sampler, PartialSampler) else min(checked, batches) / batches


def fit_validations(wanted: LengthConfig, budget: float, seconds: float) -> LengthConfig:
    """Return the same with as many validations of `seconds` each as fit into their share of the budget: at least three,
    at most as many as are wanted. Where their distance is stated it stays."""
    fitting = int(VALIDATION_SHARE * budget / max(seconds, 1e-9))
    return replace(wanted, validations=max(min(wanted.validations, 3), min(wanted.validations, fitting)))


def parse_duration(text: str | float | None, key: str) -> float | None:
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
        raise UserError(f"{key}={text} is not a duration: use HH:MM:SS, for instance 00:05:00 for five minutes.")
    return seconds
