"""Where a training stands between two optimizer steps, kept to be written later; Lightning's loops brought there."""

import random
import time
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import lightning as L
import numpy as np
import torch
from lightning.pytorch.callbacks import Timer
from torch import Tensor

from uncial.data.lines.datamodule import epoch_and_batches
from uncial.runs.state import RunState
from uncial.training.loggers.metrics_file import MetricsFile


@dataclass(frozen=True, slots=True)
class LoopState:
    """`batches` of epoch number `epoch` (from 0) are done, `total_batches` in all, and `steps` optimizer steps.

    `begun` tells whether the epoch's start has been announced to callbacks. `logged` is Lightning's own count of steps,
    under which it logs. `validates` tells whether a validation comes before the next batch.
    """

    epoch: int
    batches: int
    total_batches: int
    steps: int
    logged: int
    begun: bool
    validates: bool


def position_of(trainer: L.Trainer, validates: bool = False) -> LoopState:
    """To be called before the first batch of an optimizer step has run, or after the last one is wholly done."""
    fit, (epoch, batches) = trainer.fit_loop, epoch_and_batches(trainer)
    epochs: Any = fit.epoch_progress.current
    return LoopState(
        epoch=epoch,
        batches=batches,
        total_batches=fit.epoch_loop.batch_progress.total.completed,
        steps=trainer.global_step,
        logged=fit.epoch_loop._batches_that_stepped,
        begun=epochs.started > epoch,
        validates=validates,
    )


def start_of_epoch(position: LoopState) -> LoopState:
    """The same place, said as the start of the next epoch."""
    return LoopState(position.epoch + 1, 0, position.total_batches, position.steps, position.logged, False, False)


def patched_loop_state(loops: dict[str, Any], position: LoopState) -> dict[str, Any]:
    """Lightning's saved loops as they would be at `position`.

    Lightning saves them in the middle of a hook, and goes on from there by guessing in which. Here all counts agree, so
    that it goes on with the next batch. A validation that is to come is one that was stopped at its first batch.
    """
    fit = dict(loops["fit_loop"])
    epoch, started = position.epoch, position.epoch + position.begun
    whole_epochs = {"ready": started, "started": started, "processed": epoch, "completed": epoch}
    fit["epoch_progress"] = {"total": whole_epochs, "current": dict(whole_epochs)}
    fit["epoch_loop.batch_progress"] = {
        "total": _done(position.total_batches),
        "current": _done(position.batches),
        "is_last_batch": False,
    }
    fit["epoch_loop.state_dict"] = {**fit["epoch_loop.state_dict"], "_batches_that_stepped": position.logged}
    first = {"ready": 1, "started": 1, "processed": 0, "completed": 0} if position.validates else _done(0)
    key = "epoch_loop.automatic_optimization.optim_progress"
    steps = fit[key]["optimizer"]["step"]
    made = {scope: steps[scope]["completed"] for scope in ("total", "current")}
    schedule = fit["epoch_loop.scheduler_progress"]
    if not position.batches:  # Lightning does so itself at an epoch's start, but not where it goes on from there.
        made["current"], schedule = 0, {**schedule, "current": dict.fromkeys(schedule["current"], 0)}
    fit[key] = {"optimizer": {part: _counted(progress, made) for part, progress in fit[key]["optimizer"].items()}}
    fit["epoch_loop.scheduler_progress"] = schedule
    fit["epoch_loop.val_loop.batch_progress"] = {"total": first, "current": _done(0), "is_last_batch": False}
    return {**loops, "fit_loop": fit}


def _counted(progress: dict[str, dict[str, int]], made: dict[str, int]) -> dict[str, dict[str, int]]:
    """The optimizer's progress without what it has begun of a step that was not made."""
    return {scope: dict.fromkeys(counts, made[scope]) for scope, counts in progress.items()}


def _done(count: int) -> dict[str, int]:
    return {"ready": count, "started": count, "processed": count, "completed": count}


@dataclass(frozen=True)
class StepSnapshot:
    """What changes within an optimizer step before its weights do: enough to write the state of the step's beginning
    when something has gone wrong in the midst of it."""

    position: LoopState
    run: RunState
    callbacks: dict[str, Any]
    buffers: list[Tensor]
    random: dict[str, Any]

    def put_back(self, pl_module: L.LightningModule) -> None:
        """Gives the module the buffers back that it had; batch normalisations change theirs in each forward pass."""
        with torch.no_grad():
            for buffer, before in zip(pl_module.buffers(), self.buffers, strict=True):
                buffer.copy_(before)


def take_snapshot(
    trainer: L.Trainer,
    pl_module: L.LightningModule,
    position: LoopState,
    seconds: float,
    data: Mapping[str, str],
    devices: int,
) -> StepSnapshot:
    """Now, at `position`; `seconds` is how long the training has taken, `data` identifies its lines, and `devices` is
    for how many its batches are made."""
    run = RunState(
        steps=position.steps,
        total_steps=None if trainer.max_steps < 0 else trainer.max_steps,
        finished=False,
        validates=position.validates,
        rows=sum(logger.rows for logger in trainer.loggers if isinstance(logger, MetricsFile)),
        time=time.time(),
        seconds=seconds,
        data=data,
        devices=devices,
    )
    # Each session has trainer.max_time anew: a run that was stopped by it is resumed to go on.
    stateful = [callback for callback in callbacks_of(trainer) if not isinstance(callback, Timer)]
    states = {callback.state_key: deepcopy(callback.state_dict()) for callback in stateful}
    return StepSnapshot(
        position,
        run,
        {key: state for key, state in states.items() if state},
        [buffer.detach().clone() for buffer in pl_module.buffers()],
        random_states(),
    )


def callbacks_of(trainer: L.Trainer) -> list[L.Callback]:
    callbacks: list[L.Callback] = trainer.callbacks  # type: ignore[attr-defined]
    return callbacks


def random_states() -> dict[str, Any]:
    """Of torch, NumPy and Python, for models and callbacks that draw from them: plain types and a tensor."""
    drawn: Any = np.random.get_state(legacy=True)
    name, keys, *rest = drawn
    return {"torch": torch.get_rng_state(), "numpy": [name, keys.tolist(), *rest], "python": random.getstate()}


def set_random_states(states: Mapping[str, Any]) -> None:
    name, keys, *rest = states["numpy"]
    version, internal, gauss = states["python"]
    torch.set_rng_state(states["torch"])
    np.random.set_state((name, np.array(keys, dtype=np.uint32), *rest))
    random.setstate((version, tuple(internal), gauss))
