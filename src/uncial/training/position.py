"""Where a training stands between two optimizer steps, and Lightning's loops brought to that place."""

from dataclasses import dataclass
from typing import Any

import lightning as L

from uncial.data.lines.datamodule import epoch_and_batches


@dataclass(frozen=True, slots=True)
class Position:
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


def position_of(trainer: L.Trainer, validates: bool = False) -> Position:
    """To be called before the first batch of an optimizer step has run, or after the last one is wholly done."""
    fit, (epoch, batches) = trainer.fit_loop, epoch_and_batches(trainer)
    epochs: Any = fit.epoch_progress.current
    return Position(
        epoch=epoch,
        batches=batches,
        total_batches=fit.epoch_loop.batch_progress.total.completed,
        steps=trainer.global_step,
        logged=fit.epoch_loop._batches_that_stepped,
        begun=epochs.started > epoch,
        validates=validates,
    )


def start_of_epoch(position: Position) -> Position:
    """The same place, said as the start of the next epoch."""
    return Position(position.epoch + 1, 0, position.total_batches, position.steps, position.logged, False, False)


def loops_at(loops: dict[str, Any], position: Position) -> dict[str, Any]:
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
