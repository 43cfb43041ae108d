"""From the `scheduler` group to the learning rate of a training: a schedule of this project, or a scheduler of torch,
timm or one's own."""

import math
from collections.abc import Mapping
from functools import partial
from inspect import signature
from typing import Any

from omegaconf import DictConfig, OmegaConf

from uncial.config.instantiate import find_target, instantiate_part, read_group
from uncial.config.saved_yaml import load_literal_config
from uncial.errors import UserError
from uncial.training.schedulers.foreign import (
    INTERFACE,
    PLANNED_EPOCHS,
    PLANNED_STEPS,
    PLATEAUS,
    ForeignScheduler,
    is_scheduler,
)
from uncial.training.schedulers.plan import StepPlan
from uncial.training.schedulers.schedules import Schedule

DRIVING = ("interval", "frequency", "monitor")
"""Keys of a scheduler that say when it makes a step, and are no arguments of its class."""


def build_schedule(config: DictConfig) -> Schedule | ForeignScheduler:
    """Return what `scheduler` describes. Raises `UserError` for what is neither a schedule nor a scheduler, and for
    keys that it does not take."""
    if OmegaConf.is_missing(config.scheduler, "_target_"):
        raise UserError(f"scheduler._target_ has to be given: {INTERFACE}.")
    plain, trainer = read_group(config, "scheduler"), config.trainer
    planned = {trainer.get("planned_steps"): PLANNED_STEPS, trainer.get("planned_epochs"): PLANNED_EPOCHS}
    found = find_target(plain.get("_target_"))
    if not _is_foreign_class(found) and not plain.get("_partial_"):
        made = instantiate_part(config, "scheduler", INTERFACE)
        if not _is_schedule(made):
            raise UserError(f"scheduler._target_={plain.get('_target_')} is no scheduler: {INTERFACE}.")
        return made
    monitor = str(plain.get("monitor") or config.model.monitor)
    arguments = {key: _completable(value, planned) for key, value in plain.items() if key not in DRIVING}
    if getattr(found, "__name__", "") in PLATEAUS and monitor == config.model.monitor:
        arguments.setdefault("mode", config.model.mode)
    interval = _settle_interval(plain, found, arguments)
    described = load_literal_config({"scheduler": {**arguments, "_partial_": True}})
    make = instantiate_part(described, "scheduler", INTERFACE)
    if not isinstance(make, partial):
        raise UserError(f"scheduler._target_={plain.get('_target_')} is no scheduler: {INTERFACE}.")
    return ForeignScheduler(make, interval, int(plain.get("frequency") or 1), monitor)


def _settle_interval(plain: Mapping[str, Any], found: Any, arguments: dict[str, Any]) -> str:
    """Return what the scheduler counts. timm's say so by an argument of their own, which is completed here."""
    interval = str(plain.get("interval") or "epoch")
    if not hasattr(found, "step_update") or "t_in_epochs" not in signature(found).parameters:
        return interval
    if interval == "validation":
        raise UserError("scheduler.interval=validation: timm's schedulers count steps or epochs; choose one of them.")
    if plain.get("t_in_epochs") is None:
        arguments["t_in_epochs"] = interval == "epoch"
    own = "epoch" if arguments["t_in_epochs"] else "step"
    if plain.get("interval") is not None and interval != own and plain["interval"] != "epoch":
        raise UserError(
            f"scheduler.interval={interval} and scheduler.t_in_epochs={str(arguments['t_in_epochs']).lower()} say "
            "different things: leave one of them out."
        )
    return own


def _is_schedule(made: Any) -> bool:
    """Return whether it gives a factor of the rate for a step and a plan."""
    try:
        return math.isfinite(float(made(0, StepPlan(total=100, epoch=10, validation=10.0, lines=8.0))))
    except (TypeError, ValueError, AttributeError):
        return False


def _is_foreign_class(found: Any) -> bool:
    return isinstance(found, type) and is_scheduler(found)


def _completable(value: Any, planned: Mapping[Any, str]) -> Any:
    """Return the same with the schedulers within left to be completed with the optimizer, and the planned numbers under
    the names by which they are filled in."""
    if isinstance(value, list):
        return [_completable(part, planned) for part in value]
    if isinstance(value, Mapping):
        inner = {str(key): _completable(part, planned) for key, part in value.items()}
        return {**inner, "_partial_": True} if _is_foreign_class(find_target(value.get("_target_"))) else inner
    return planned.get(value, value) if isinstance(value, str) else value
