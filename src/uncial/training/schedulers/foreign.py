"""Schedulers of torch, of timm or of one's own, which hold the optimizer and a state, driven by the steps of a run."""

import math
import sys
import warnings
from collections.abc import Callable, Mapping
from functools import partial
from inspect import signature
from typing import Any

import lightning as L
import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import ReduceLROnPlateau

from uncial.errors import UserError
from uncial.training.callbacks.contract import Priority, TrainerState
from uncial.training.callbacks.early_stopping import read_score
from uncial.training.schedulers.plan import UNKNOWN, StepPlan

PLANNED_STEPS, PLANNED_EPOCHS = "planned_steps", "planned_epochs"
"""What stands in a config for numbers that are known when the lines have been counted: the optimizer steps of the run,
and its epochs, rounded up. `trainer.planned_steps` and `trainer.planned_epochs` have these values."""

INTERVALS = ("step", "epoch", "validation")

INTERFACE = (
    "a scheduler is a class of torch.optim.lr_scheduler or timm.scheduler, or one of your own with step(), "
    "state_dict() and load_state_dict(), that takes the optimizer as `optimizer`; or a function that returns the "
    "rate's factor for (step, plan), as those of uncial.training.schedulers.schedules"
)

PLATEAUS = ("ReduceLROnPlateau", "PlateauLRScheduler")
"""The classes of torch and timm that ask for a score; each has another end of it for the better one."""

METHODS = ("step", "state_dict", "load_state_dict")


def is_scheduler(found: Any) -> bool:
    """Return whether an object, or the objects of a class, can be driven as a scheduler."""
    return all(callable(getattr(found, name, None)) for name in METHODS)


class ForeignScheduler(L.Callback):
    """A scheduler that is made with the optimizer, and the callback that tells it of validations.

    `make` is completed with `optimizer`. The scheduler makes a step after every `frequency` optimizer steps, epochs or
    validations (`interval`), and one that asks for a score gets `monitor` after a validation, of which with the
    interval `epoch` the first in each epoch counts. timm's are told of every step and every epoch. All of it follows
    from the number of optimizer steps and from the scores, so that a run that is resumed has the same rates.
    """

    priority = Priority.LEARNING_RATE

    def __init__(
        self, make: Callable[..., Any], interval: str = "epoch", frequency: int = 1, monitor: str = ""
    ) -> None:
        self.make, self.interval, self.frequency, self.monitor = make, interval, frequency, monitor
        self.driven: DrivenScheduler | None = None
        # Lightning's averaging of weights replaces a scheduler, but not one that listens to the scores.
        hears = getattr(getattr(make, "func", None), "__name__", "") in PLATEAUS
        self.writes = frozenset({TrainerState.LEARNING_RATE}) if hears else frozenset()

    def attach(self, optimizer: Optimizer, plan: StepPlan) -> "DrivenScheduler":
        """Return the scheduler of this optimizer in a run of this plan. Raises `UserError` where it cannot be made."""
        self.driven = DrivenScheduler(self, optimizer, plan)
        return self.driven

    def check_plan(self, plan: StepPlan) -> None:
        """Raise `UserError` for a planned number among the scheduler's arguments that the plan does not know."""
        fill_in(getattr(self.make, "keywords", {}), None, plan, self.interval)

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if self.driven is not None and trainer.max_steps >= 0:
            self.driven.check_length(trainer.max_steps)

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if trainer.sanity_checking or self.driven is None:
            return
        takes_score = self.driven.takes_score
        self.driven.validated(read_score(trainer, "scheduler.monitor", self.monitor) if takes_score else math.nan)

    def rates(self, lr: float, plan: StepPlan) -> tuple[list[float], bool]:
        """Return the rate of each step of a run of this plan whose scores change nothing, and whether scores may."""
        # Of those that cycle a momentum too, it asks for one.
        optimizer = torch.optim.AdamW([nn.Parameter(torch.zeros(1))], lr=lr)
        driven, found = DrivenScheduler(self, optimizer, plan), []
        driven.check_length(int(plan.total))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # No step of an optimizer comes before those of its scheduler.
            for step in range(1, int(plan.total) + 1):
                found.append(float(optimizer.param_groups[0]["lr"]))
                driven.step()
                if plan.validates_after(step) and not driven.takes_score:
                    driven.validated(math.nan)
        return found, driven.takes_score


class DrivenScheduler:
    """What Lightning takes for a scheduler that makes a step after each one of the optimizer.

    `total` are the steps of the plan that it was made for: in a run that was made longer since, one that hears no
    scores is made anew, and has the rates that it would have had in the longer run from the beginning.
    """

    def __init__(self, how: ForeignScheduler, optimizer: Optimizer, plan: StepPlan) -> None:
        self.how, self.optimizer, self.plan = how, optimizer, plan
        self._base_rates = [group["lr"] for group in optimizer.param_groups]
        self._inner = self._made()
        self.steps = self._validations = self._heard_in_epoch = 0

    @property
    def is_timms(self) -> bool:
        """Whether it is told of steps and epochs by their numbers."""
        return callable(getattr(self._inner, "step_update", None))

    @property
    def takes_score(self) -> bool:
        """Whether it makes its steps by a score."""
        timm: Any = sys.modules.get("timm.scheduler.plateau_lr")
        return isinstance(self._inner, ReduceLROnPlateau) or (
            timm is not None and isinstance(self._inner, timm.PlateauLRScheduler)
        )

    def step(self) -> None:
        """Take note of an optimizer step."""
        self.steps += 1
        if self.is_timms:
            self._tell(self._inner.step_update, self.steps)
            if not self.steps % self.plan.epoch:
                self._tell(self._inner.step, self.steps // self.plan.epoch)
        elif not self.takes_score and self.how.interval != "validation" and not self.steps % self._distance:
            self._tell(self._inner.step)

    def validated(self, score: float) -> None:
        """Take note of a validation with this score, which counts where the scheduler asks for one."""
        self._validations += 1
        epochs = self.steps // self.plan.epoch
        if not self.takes_score:
            is_due = self.how.interval == "validation" and not self.is_timms
            if is_due and not self._validations % self.how.frequency:
                self._tell(self._inner.step)
            return
        if self.how.interval == "validation":
            is_due = not self._validations % self.how.frequency
        else:
            is_due = epochs >= self._heard_in_epoch + self.how.frequency
        if is_due and math.isfinite(score):
            self._heard_in_epoch = epochs
            self._tell(self._inner.step, *((epochs, score) if self.is_timms else (score,)))

    def check_length(self, steps: int) -> None:
        """Raise `UserError` for a scheduler that ends before the run does, which so many optimizer steps make."""
        most = getattr(self._inner, "total_steps", None)
        if isinstance(most, int) and not self.is_timms and self.how.interval != "validation":
            needed = steps // self._distance
            if most < needed:
                raise UserError(
                    f"The scheduler is made for {most:,} steps (total_steps), and the run makes {needed:,} of its "
                    f"{self.how.interval}s: write total_steps: ${{trainer.{PLANNED_STEPS}}} with interval: step."
                )

    def state_dict(self) -> dict[str, Any]:
        """Return plain types alone."""
        state = {
            "steps": self.steps,
            "validations": self._validations,
            "heard_in_epoch": self._heard_in_epoch,
            "total": self.plan.total,
            "inner": dict(self._inner.state_dict()),
        }
        if (within := getattr(self._inner, "lr_scheduler", None)) is not None:  # timm's plateau tells little of it
            state["within"] = {"lr_scheduler": within.state_dict(), "restore_lr": self._inner.restore_lr}
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state, whose rates the optimizer has."""
        self.steps, self._validations = state["steps"], state["validations"]
        self._heard_in_epoch = state["heard_in_epoch"]
        if state["total"] != self.plan.total and not self.takes_score:
            self._make_anew()
            return
        self._inner.load_state_dict(dict(state["inner"]))
        if "within" in state:
            self._inner.lr_scheduler.load_state_dict(state["within"]["lr_scheduler"])
            self._inner.restore_lr = state["within"]["restore_lr"]

    @property
    def _distance(self) -> int:
        """Optimizer steps from one of the scheduler's steps to the next, where they are counted by steps or epochs."""
        return self.how.frequency * (1 if self.how.interval == "step" else self.plan.epoch)

    def _made(self) -> Any:
        try:
            with warnings.catch_warnings():
                # timm's plateau warns that its state is not saved, which it is here.
                warnings.simplefilter("ignore", FutureWarning)
                made = fill_in(self.how.make, self.optimizer, self.plan, self.how.interval)
        except (TypeError, ValueError, LookupError, AttributeError, AssertionError, ArithmeticError) as error:
            raise UserError(f"The scheduler cannot be made: {_line(error)}; {self._what_it_takes()}.") from error
        if not is_scheduler(made):
            raise UserError(f"scheduler._target_ makes a {type(made).__name__}, which is no scheduler: {INTERFACE}.")
        if callable(getattr(made, "step_update", None)) and self.how.frequency != 1:
            raise UserError("scheduler.frequency: timm's schedulers are told of every step and epoch; leave it out.")
        if (name := _first_not_plain(made.state_dict())) is not None:
            raise UserError(
                f"The scheduler's state_dict() holds {name}, which no checkpoint can: numbers, texts, tensors, lists "
                "and tables of them are allowed."
            )
        if isinstance(made, ReduceLROnPlateau) and self.how.interval == "step":
            raise UserError(
                f"scheduler.interval=step: {type(made).__name__} makes its steps by a score, which validations give: "
                "choose epoch or validation."
            )
        return made

    def _what_it_takes(self) -> str:
        made = getattr(self.how.make, "func", self.how.make)
        if isinstance(made, type) and not is_scheduler(made):
            return INTERFACE
        names = [name for name in signature(made).parameters if name not in ("optimizer", "last_epoch")]
        return f"under 'scheduler' {getattr(made, '__name__', 'it')} takes {', '.join(names)}"

    def _make_anew(self) -> None:
        for group, rate in zip(self.optimizer.param_groups, self._base_rates, strict=True):
            group["lr"] = rate
            group.pop("initial_lr", None)
        self._inner = self._made()
        steps, validations = self.steps, self._validations
        self.steps = self._validations = 0
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for _ in range(steps):
                self.step()
            for _ in range(validations):
                self.validated(math.nan)

    def _tell(self, step: Callable[..., Any], *arguments: Any) -> None:
        try:
            step(*arguments)
        except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError) as error:
            given = getattr(self.how.make, "keywords", {})
            empty = ", ".join(f"scheduler.{name}" for name, value in given.items() if value is None)
            hint = f" ({empty}: null; ${{trainer.planned_steps}} is the number of steps)" if empty else ""
            raise UserError(
                f"The scheduler fails after {self.steps:,} optimizer steps: {_line(error)}{hint}; check the keys under "
                "'scheduler'."
            ) from error


def fill_in(value: Any, optimizer: Optimizer | None, plan: StepPlan, interval: str, name: str = "") -> Any:
    """Return a scheduler's arguments with the planned numbers in the place of their names, and the schedulers within,
    which are functions still to be completed, made for the optimizer.

    Raises `UserError` for a planned number that nobody knows yet, or that counts something else than the interval.
    """
    if isinstance(value, partial):
        given = {key: fill_in(part, optimizer, plan, interval, key) for key, part in value.keywords.items()}
        return partial(value.func, *value.args, **given) if optimizer is None else value(optimizer=optimizer, **given)
    if isinstance(value, list):
        return [fill_in(part, optimizer, plan, interval, name) for part in value]
    if isinstance(value, dict):
        return {key: fill_in(part, optimizer, plan, interval, name) for key, part in value.items()}
    if isinstance(value, str) and value in (PLANNED_STEPS, PLANNED_EPOCHS):
        return _planned_number(value, plan, interval, name)
    return value


def _planned_number(which: str, plan: StepPlan, interval: str, name: str) -> int:
    if plan.total == UNKNOWN:
        raise UserError(
            f"scheduler.{name}=${{trainer.{which}}}: with trainer.time_budget the number of steps is measured in the "
            "run, so that it is not known when the scheduler is made; write a number, or choose scheduler=cosine, "
            "linear or one_cycle, which follow the budget."
        )
    counted = "step" if which == PLANNED_STEPS else "epoch"
    if interval != counted:
        raise UserError(
            f"scheduler.{name}=${{trainer.{which}}} counts {counted}s, but the scheduler {interval}s "
            f"(scheduler.interval={interval}): choose scheduler.interval={counted}."
        )
    return int(plan.total) if counted == "step" else math.ceil(plan.total / plan.epoch)


def _first_not_plain(value: Any, name: str = "") -> str | None:
    """Return the name of the first thing that torch does not load without unpickling code."""
    if isinstance(value, Mapping):
        parts = [(f"{name}.{key}".lstrip("."), part) for key, part in value.items()]
    elif isinstance(value, list | tuple):
        parts = [(f"{name}[{number}]", part) for number, part in enumerate(value)]
    elif value is None or type(value) in (bool, int, float, str) or isinstance(value, Tensor):
        return None
    else:
        return f"{name} ({type(value).__name__})"
    return next((found for key, part in parts if (found := _first_not_plain(part, key)) is not None), None)


def _line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
