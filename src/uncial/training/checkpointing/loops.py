"""Lightning's training loop: where it stands, and how it is brought elsewhere. No other module names its parts."""

from dataclasses import dataclass, replace
from typing import Any

import lightning as L

NEVER = 2**62
"""A number of batches that no run comes to, nor a multiple of it."""


def is_scheduled_validation(trainer: L.Trainer) -> bool:
    """Return whether the validation after the last batch is one of the plan's, and not made because the run ends
    early."""
    return (trainer.fit_loop.epoch_loop.total_batch_idx + 1) % int(trainer.val_check_batch or NEVER) == 0


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


def read_loop_state(trainer: L.Trainer, validates: bool = False) -> LoopState:
    """To be called before the first batch of an optimizer step has run, or after the last one is wholly done."""
    fit, (epoch, batches) = trainer.fit_loop, read_position(trainer)
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


def move_to_epoch_start(position: LoopState) -> LoopState:
    """Return the same place, said as the start of the next epoch."""
    return LoopState(position.epoch + 1, 0, position.total_batches, position.steps, position.logged, False, False)


def patch_loop_state(loops: dict[str, Any], position: LoopState) -> dict[str, Any]:
    """Lightning's saved loops as they would be at `position`.

    Lightning saves them in the middle of a hook, and goes on from there by guessing in which. Here all counts agree, so
    that it goes on with the next batch. A validation that is to come is one that was stopped at its first batch.
    """
    fit = dict(loops["fit_loop"])
    epoch, started = position.epoch, position.epoch + position.begun
    whole_epochs = {"ready": started, "started": started, "processed": epoch, "completed": epoch}
    fit["epoch_progress"] = {"total": whole_epochs, "current": dict(whole_epochs)}
    fit["epoch_loop.batch_progress"] = {
        "total": _complete_progress(position.total_batches),
        "current": _complete_progress(position.batches),
        "is_last_batch": False,
    }
    fit["epoch_loop.state_dict"] = {**fit["epoch_loop.state_dict"], "_batches_that_stepped": position.logged}
    first = {"ready": 1, "started": 1, "processed": 0, "completed": 0} if position.validates else _complete_progress(0)
    key = "epoch_loop.automatic_optimization.optim_progress"
    steps = fit[key]["optimizer"]["step"]
    made = {scope: steps[scope]["completed"] for scope in ("total", "current")}
    schedule = fit["epoch_loop.scheduler_progress"]
    if not position.batches:  # Lightning does so itself at an epoch's start, but not where it goes on from there.
        made["current"], schedule = 0, {**schedule, "current": dict.fromkeys(schedule["current"], 0)}
    fit[key] = {
        "optimizer": {part: _count_completed(progress, made) for part, progress in fit[key]["optimizer"].items()}
    }
    fit["epoch_loop.scheduler_progress"] = schedule
    fit["epoch_loop.val_loop.batch_progress"] = {
        "total": first,
        "current": _complete_progress(0),
        "is_last_batch": False,
    }
    return {**loops, "fit_loop": fit}


def _count_completed(progress: dict[str, dict[str, int]], made: dict[str, int]) -> dict[str, dict[str, int]]:
    """Return the optimizer's progress without what it has begun of a step that was not made."""
    return {scope: dict.fromkeys(counts, made[scope]) for scope, counts in progress.items()}


def _complete_progress(count: int) -> dict[str, int]:
    return {"ready": count, "started": count, "processed": count, "completed": count}


def read_position(trainer: L.Trainer) -> tuple[int, int]:
    """Return the epoch (from 0) in which a training stands, new or resumed, and how many batches of it are wholly
    done."""
    # Lightning types them as their base, which has less.
    epochs: Any = trainer.fit_loop.epoch_progress.current
    batches = trainer.fit_loop.epoch_loop.batch_progress.current
    return epochs.processed, batches.completed if epochs.started > epochs.processed else 0


def read_completed_batch(trainer: L.Trainer) -> LoopState:
    """Return the place after the batch that has just ended, which Lightning's loop counts a moment later."""
    done = trainer.fit_loop.epoch_loop.batch_progress
    return replace(read_loop_state(trainer), batches=done.current.ready, total_batches=done.total.ready)


def count_logged_steps(trainer: L.Trainer) -> int:
    """Return Lightning's own count of steps, under which it logs."""
    return trainer.fit_loop.epoch_loop._batches_that_stepped


def count_saved_epochs(loops: dict[str, Any]) -> int | None:
    """Return the whole epochs that saved loops have done; None in the midst of an epoch."""
    fit = loops["fit_loop"]
    batches: int = fit["epoch_loop.batch_progress"]["current"]["completed"]
    epochs: int = fit["epoch_progress"]["current"]["processed"]
    return None if batches else epochs


def is_between_steps(trainer: L.Trainer, done: LoopState | None) -> bool:
    """Return whether all that belongs to the last step, which ended at `done`, has been done, and nothing of the
    next."""
    batches = trainer.fit_loop.epoch_loop.batch_progress
    epochs: Any = trainer.fit_loop.epoch_progress.current
    return (
        done is not None
        and batches.current.completed == batches.current.ready
        and epochs.completed == epochs.processed
        and count_logged_steps(trainer) == done.logged + 1
    )


def is_accumulating(trainer: L.Trainer) -> bool:
    """Return whether the batch that has just ended is followed by another of the same optimizer step."""
    return trainer.fit_loop._should_accumulate()


def schedule_validation(trainer: L.Trainer, is_due: bool) -> None:
    """Let the loop validate after the batch that has just ended, or not before it is asked again."""
    # Lightning validates after a batch whose number is a multiple of this.
    trainer.val_check_batch = trainer.fit_loop.epoch_loop.total_batch_idx + 1 if is_due else NEVER


def set_max_steps(trainer: L.Trainer, steps: int) -> None:
    """Set the step after which the loop ends, -1 for none; epochs do not bound it."""
    trainer.fit_loop.max_epochs = -1
    trainer.fit_loop.epoch_loop.max_steps = steps


def lift_max_steps(trainer: L.Trainer) -> int:
    """Let the loop begin although all steps are done, and return the bound to set again."""
    steps = trainer.fit_loop.epoch_loop.max_steps
    trainer.fit_loop.epoch_loop.max_steps = -1
    return steps
