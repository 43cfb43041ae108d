"""The learning rate over a run, as a factor of `optimizer.lr`: a warm-up, and what follows it.

Everything here is a pure function of the step and the run's plan, so that a resumed run goes on with the same rates.
What depends on scores is in `uncial.training.schedulers.plateau`.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import lightning as L
from torch.optim.lr_scheduler import LambdaLR

from uncial.errors import UserError
from uncial.training.schedulers.plan import UNKNOWN, StepPlan, check_unit


def set_rates(trainer: L.Trainer) -> None:
    """Give the next step the rate of now: the schedule was asked for it when the last step ended."""
    for configured in trainer.lr_scheduler_configs:
        scheduler: Any = configured.scheduler
        if not isinstance(scheduler, LambdaLR):  # One of others has the rate in its own state.
            continue
        factors = (factor(scheduler.last_epoch) for factor in scheduler.lr_lambdas)
        rates = [rate * factor for rate, factor in zip(scheduler.base_lrs, factors, strict=True)]
        for group, rate in zip(scheduler.optimizer.param_groups, rates, strict=True):
            group["lr"] = rate
        scheduler._last_lr = rates


UNKNOWN_WARMUP = 100
"""Steps of a warm-up that is a share of a run whose length a time budget has yet to fix."""

Schedule = Callable[[int, StepPlan], float]
"""The factor of the learning rate for the step (counted from 0) that is about to be made, and the run's plan."""

Decay = Callable[[int, StepPlan, int], float]
"""The same for a step behind the warm-up, whose number of steps is the third argument."""


@dataclass(frozen=True, slots=True)
class Warmup:
    """The linear rise at the beginning, in optimizer steps, or else in lines of text, as a share of the run or in
    passes over the training lines."""

    steps: int = 0
    samples: int | None = None
    fraction: float | None = None
    epochs: float | None = None

    def __post_init__(self) -> None:
        others = {"samples": self.samples, "fraction": self.fraction, "epochs": self.epochs}
        if len(names := [f"scheduler.warmup_{name}" for name, value in others.items() if value is not None]) > 1:
            raise UserError(f"{' and '.join(names)} are both set: leave one of them null.")
        if self.fraction is not None and not 0 <= self.fraction < 1:
            raise UserError(
                f"scheduler.warmup_fraction={self.fraction}: a share of the run is needed, from 0 to below 1."
            )

    def length(self, plan: StepPlan) -> int:
        """Return the steps of the warm-up."""
        if self.fraction is not None:
            return UNKNOWN_WARMUP if plan.total == UNKNOWN else math.ceil(self.fraction * plan.total)
        if self.epochs is not None:
            return math.ceil(self.epochs * plan.epoch)
        return self.steps if self.samples is None else math.ceil(self.samples / plan.lines)


def with_warmup(
    decay: Decay,
    warmup_steps: int = 0,
    warmup_samples: int | None = None,
    warmup_fraction: float | None = None,
    warmup_epochs: float | None = None,
) -> Schedule:
    """Return the schedule that rises linearly to 1 over the warm-up and then is what `decay` says."""
    warmup = Warmup(warmup_steps, warmup_samples, warmup_fraction, warmup_epochs)

    def factor(step: int, plan: StepPlan) -> float:
        length = warmup.length(plan)
        return (step + 1) / length if step < length else decay(step, plan, length)

    return factor


def warn_if_peak_lr_unreached(schedule: Schedule, plan: StepPlan) -> str:
    """Return a sentence on a new run whose rate never comes to its height, as where its warm-up is longer; else
    nothing."""
    if plan.total == UNKNOWN:
        return ""
    highest = 0.0
    for step in range(int(plan.total)):
        highest = max(highest, schedule(step, plan))
        if highest >= 1:
            return ""
    return (
        f"In its {int(plan.total):,} steps the learning rate comes to {highest:.0%} of optimizer.lr at most: "
        "is the scheduler's warm-up longer than the run?"
    )


def constant(**warmup: Any) -> Schedule:
    """Return the full rate to the end."""
    return with_warmup(lambda step, plan, warm: 1.0, **warmup)


def one_cycle(*, final: float, **warmup: Any) -> Schedule:
    """Half a cosine over the rest of the run, down to `final` at its end (after Smith and Topin, Super-Convergence,
    2018)."""
    check_share("final", final)

    def decay(step: int, plan: StepPlan, warm: int) -> float:
        progress = min(1.0, (step - warm) / max(1, plan.total - warm))
        return final + (1 - final) * 0.5 * (1 + math.cos(math.pi * progress))

    return with_warmup(decay, **warmup)


def cosine(*, final: float, period: int | None, unit: str, **warmup: Any) -> Schedule:
    """Half a cosine down to `final` over `period` units, None for the rest of the run; then it stays there.

    kraken's `cosine`, whose `--cos-max` is the period in epochs and whose `--cos-min-lr` is the final rate.
    """
    progress = _compute_progress(final, period, unit)
    return with_warmup(
        lambda *now: final + (1 - final) * 0.5 * (1 + math.cos(math.pi * progress(*now))),
        **warmup,
    )


def linear(*, final: float, period: int | None, unit: str, **warmup: Any) -> Schedule:
    """Return a straight line down to `final` over `period` units, None for the rest of the run; then it stays there."""
    progress = _compute_progress(final, period, unit)
    return with_warmup(lambda *now: 1 - (1 - final) * progress(*now), **warmup)


def cosine_restarts(*, first: int, growth: float, peak: float, final: float, unit: str, **warmup: Any) -> Schedule:
    """Half a cosine down to `final` times its start over `first` units, again and again, each `growth` times as long
    as the one before and starting at `peak` times its rate (Loshchilov and Hutter, SGDR, 2017)."""
    check_share("final", final)
    check_share("peak", peak)
    check_least("first", first, 1)
    check_least("growth", growth, 1)
    check_unit(unit)

    def decay(step: int, plan: StepPlan, warm: int) -> float:
        passed, period, cycle = float(_compute_passed(unit, step, plan, warm)), float(first), 0
        while passed >= period:
            passed, period, cycle = passed - period, period * growth, cycle + 1
        return peak**cycle * (final + (1 - final) * 0.5 * (1 + math.cos(math.pi * passed / period)))

    return with_warmup(decay, **warmup)


def exponential(*, gamma: float, unit: str, **warmup: Any) -> Schedule:
    """Return the rate times `gamma` after each unit. kraken's `exponential` with the unit `epoch`."""
    check_share("gamma", gamma)
    check_unit(unit)
    return with_warmup(lambda step, plan, warm: gamma ** _compute_passed(unit, step, plan, warm), **warmup)


def step(*, size: int, gamma: float, unit: str, **warmup: Any) -> Schedule:
    """Return the rate times `gamma` after every `size` units. kraken's `step` with the unit `epoch`, its
    `--step-size`."""
    check_share("gamma", gamma)
    check_least("size", size, 1)
    check_unit(unit)
    return with_warmup(lambda step, plan, warm: gamma ** (_compute_passed(unit, step, plan, warm) // size), **warmup)


def multi_step(*, milestones: Sequence[int], gamma: float, unit: str, **warmup: Any) -> Schedule:
    """Return the rate times `gamma` after each of the `milestones`, units counted from the beginning of the run."""
    check_share("gamma", gamma)
    check_unit(unit)
    for milestone in milestones:
        check_least("milestones", milestone, 1)

    def decay(step: int, plan: StepPlan, warm: int) -> float:
        passed = plan.passed(unit, step)
        return gamma ** sum(milestone <= passed for milestone in milestones)

    return with_warmup(decay, **warmup)


def inverse_square_root(*, timescale: int | None, **warmup: Any) -> Schedule:
    """Return the rate falls with the square root of the steps since the warm-up and `timescale`, None for the warm-up's
    steps (Vaswani et al., Attention Is All You Need, 2017)."""
    if timescale is not None:
        check_least("timescale", timescale, 1)

    def decay(step: int, plan: StepPlan, warm: int) -> float:
        scale = timescale or max(1, warm)
        return math.sqrt(scale / (scale + step - warm))

    return with_warmup(decay, **warmup)


def check_share(key: str, value: float) -> None:
    """Raise `UserError` unless `value`, of `scheduler.<key>`, is a share from 0 to 1."""
    if not 0 <= value <= 1:
        raise UserError(f"scheduler.{key}={value}: a share is needed, from 0 to 1.")


def check_least(key: str, value: float, least: float) -> None:
    """Raise `UserError` where `value`, of `scheduler.<key>`, is below `least`."""
    if value < least:
        raise UserError(f"scheduler.{key}={value}: a number is needed that is {least} or more.")


def _compute_passed(unit: str, step: int, plan: StepPlan, warm: int) -> int:
    """Return the units that were completed since the warm-up."""
    return plan.passed(unit, step) - plan.passed(unit, warm)


def _compute_progress(final: float, period: int | None, unit: str) -> Decay:
    """From 0 behind the warm-up to 1 after `period` units and later."""
    check_share("final", final)
    check_unit(unit)
    if period is not None:
        check_least("period", period, 1)

    def progress(step: int, plan: StepPlan, warm: int) -> float:
        if period is None and plan.total == UNKNOWN:
            return 0.0
        units = _compute_passed(unit, int(plan.total), plan, warm) if period is None else period
        return min(1.0, _compute_passed(unit, step, plan, warm) / max(1, units))

    return progress
