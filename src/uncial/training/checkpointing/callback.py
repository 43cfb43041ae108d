"""Writes what a run goes on from: last.ckpt, and the checkpoints that are kept."""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import lightning as L
import torch
from lightning.pytorch.callbacks import Timer

from uncial.errors import UserError
from uncial.files import hardlink_or_copy, replace_file
from uncial.runs.checkpoint import CARD_KEY
from uncial.runs.files import RunFolder
from uncial.runs.state import RUN_KEY, RunState
from uncial.training.callbacks.contract import Priority, TrainerState
from uncial.training.callbacks.nonfinite import is_finite
from uncial.training.checkpointing.loops import (
    LoopState,
    count_logged_steps,
    count_saved_epochs,
    is_between_steps,
    is_scheduled_validation,
    lift_max_steps,
    move_to_epoch_start,
    patch_loop_state,
    read_completed_batch,
    read_loop_state,
    schedule_validation,
    set_max_steps,
)
from uncial.training.checkpointing.retention import CheckpointPolicy, CheckpointRetention
from uncial.training.checkpointing.snapshot import StepSnapshot, get_callbacks, restore_random_states, take_snapshot
from uncial.training.distributed.process_group import broadcast_from_rank_zero
from uncial.training.distributed.signals import StoppedBySignal, StopRequest
from uncial.training.schedulers.schedules import set_rates

SESSION_KEY = "uncial_session"
"""Under this key a checkpoint holds random states, and the scores of the last validation with its step."""

log = logging.getLogger(__name__)


class Checkpoints(L.Callback):
    """Writes the state after the first step, before and after each validation, after `keeping.minutes`, when the run
    ends, and when it is interrupted or fails.

    A state is always one between two optimizer steps, so that a run that goes on from it is to the bit what it would
    have been. An error in the midst of a step gives the state of its beginning; one in the step of the optimizer itself
    leaves the state that was written last. This has to be the first of the trainer's callbacks: what it writes then is
    what the others have made of the step before.

    `describe(scores)` is what a model file would say of the model, `data` identifies what it is trained on, and
    its batches are made for so many `devices`. Raises
    `UserError` where the state cannot be written.
    """

    priority: ClassVar[int] = Priority.CHECKPOINTS
    writes: ClassVar[frozenset[str]] = frozenset({TrainerState.CHECKPOINTS})

    def __init__(
        self,
        folder: Path,
        keeping: CheckpointPolicy,
        monitor: str,
        mode: str,
        describe: Callable[[dict[str, float]], str],
        data: Mapping[str, str],
        interruption: StopRequest,
        devices: int = 1,
    ) -> None:
        self.folder, self.keeping, self.monitor, self.sign = folder, keeping, monitor, -1 if mode == "max" else 1
        self.describe, self.data, self.interruption, self.devices = describe, data, interruption, devices
        self.written: RunState | None = None
        """The state in last.ckpt, as far as this session has read or written it."""
        self._retention = CheckpointRetention(RunFolder(folder).checkpoints, keeping)
        self._snapshot: StepSnapshot | None = None
        self._restored: dict[str, Any] | None = None
        self._done: LoopState | None = None
        self._is_turn_at_load = self._is_as_read = self._has_ended = False
        self._lifted: int | None = None
        self._written_at = self._session_start = time.monotonic()
        self._seconds_before = 0.0
        self._validated: tuple[int, dict[str, float]] = (-1, {})

    @property
    def seconds(self) -> float:
        """How long the training has taken in all sessions until now."""
        return self._seconds_before + time.monotonic() - self._session_start

    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if self.written is None:
            return
        if self.written.validates:
            # With all steps done Lightning would not even begin, and leave the last validation out.
            self._lifted = lift_max_steps(trainer)
            return
        # A state does not know yet whether a copy of it is kept, and the copy may be missing.
        self._retain(trainer, self.written.steps, self._is_turn_at_load)
        # One that ended before its last step, as by trainer.patience, goes on only if it was made longer since.
        trainer.should_stop = self.written.finished and self.written.total_steps == _read_total_steps(trainer)

    def on_sanity_check_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.interruption.listen()

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.interruption.listen()
        if self._restored is None or self.written is None:
            return
        scores = self._validated[1]
        trainer.callback_metrics.update({name: torch.tensor(score).double() for name, score in scores.items()})
        self._done = read_loop_state(trainer, self.written.validates)
        # The rate of the next step was asked for when the last one ended; a run that was made longer has another.
        set_rates(trainer)
        if self.written.validates:
            schedule_validation(trainer, is_due=True)

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        self._restore_random_states()
        if batch_idx % trainer.accumulate_grad_batches:
            return
        self._snapshot = self._take_snapshot(trainer, pl_module, read_loop_state(trainer))
        steps = trainer.global_step
        is_turn = self._is_turn(self._snapshot.position)
        is_due = steps == 1 or is_turn or time.monotonic() - self._written_at >= 60 * self.keeping.minutes
        is_due |= self.written is not None and self.written.total_steps is None and trainer.max_steps >= 0
        is_due |= self._validated[0] == steps and self.written is not None and self.written.validates
        if trainer.strategy.reduce_boolean_decision(is_due or self.interruption.requested is not None, all=False):
            self._write(trainer, pl_module)
            self._retain(trainer, steps, is_turn)
            self._end_if_asked(trainer)

    def on_before_optimizer_step(
        self, trainer: L.Trainer, pl_module: L.LightningModule, optimizer: torch.optim.Optimizer
    ) -> None:
        self._snapshot = None

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self._done = read_completed_batch(trainer)

    def on_validation_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if trainer.sanity_checking:
            return
        self._restore_random_states()
        if self._lifted is not None:
            set_max_steps(trainer, self._lifted)
            self._lifted = None
        if not is_scheduled_validation(trainer) and broadcast_from_rank_zero(_has_run_out_of_time(trainer)):
            # The run would not have validated here, and is to go on as if it had not.
            self._write_end(trainer, pl_module, count_logged_steps(trainer) + 1)
            self._has_ended = True
            return
        self._snapshot = self._take_snapshot(trainer, pl_module, read_loop_state(trainer, validates=True))
        self._write(trainer, pl_module)
        self._snapshot = None

    def on_validation_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        self._end_if_asked(trainer)

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if trainer.sanity_checking:
            return
        scores = {name: float(value) for name, value in trainer.callback_metrics.items() if name.startswith("val/")}
        self._validated = (trainer.global_step, scores)

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if not self._has_ended:
            self._write_end(trainer, pl_module, count_logged_steps(trainer))

    def on_exception(self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException) -> None:
        # Of several processes the others may be elsewhere or gone, and a state is written by all together.
        is_alone = trainer.world_size == 1
        if isinstance(exception, StoppedBySignal | KeyboardInterrupt | _StateNotWrittenError) or not is_alone:
            return
        if self._snapshot is None and not self._has_ended and is_between_steps(trainer, self._done):
            self._snapshot = self._take_snapshot(trainer, pl_module, read_loop_state(trainer))
        if self._snapshot is None:
            return
        try:
            self._snapshot.put_back(pl_module)
            self._write(trainer, pl_module)
        except (UserError, RuntimeError) as error:  # What has gone wrong in the first place is to be told, not this.
            log.warning(f"The state could not be written: {error}")

    def on_save_checkpoint(self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]) -> None:
        snapshot = self._snapshot
        if snapshot is None:
            # Somebody else's checkpoint, at a snapshot of which we know nothing: a model, but no state to go on from.
            checkpoint[CARD_KEY] = self.describe({})
            return
        checkpoint["loops"] = patch_loop_state(checkpoint["loops"], snapshot.position)
        checkpoint["epoch"], checkpoint["global_step"] = snapshot.position.epoch, snapshot.position.steps
        checkpoint["callbacks"] = snapshot.callbacks
        checkpoint[CARD_KEY] = self.describe(
            self._validated[1] if self._validated[0] == snapshot.position.steps else {}
        )
        checkpoint[RUN_KEY] = snapshot.run.plain()
        validated, scores = self._validated
        checkpoint[SESSION_KEY] = {"random": snapshot.random, "validated": validated, "scores": dict(scores)}

    def on_load_checkpoint(self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]) -> None:
        self.written = RunState(**checkpoint[RUN_KEY])
        self._seconds_before, self._is_as_read = self.written.seconds, True
        self._restored = dict(checkpoint[SESSION_KEY])
        self._validated = (self._restored["validated"], self._restored["scores"])
        self._is_turn_at_load = self.keeping.is_turn(self.written.steps, count_saved_epochs(checkpoint["loops"]))

    def state_dict(self) -> dict[str, Any]:
        return self._retention.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._retention.load_state_dict(state_dict)

    def _take_snapshot(self, trainer: L.Trainer, pl_module: L.LightningModule, position: LoopState) -> StepSnapshot:
        return take_snapshot(trainer, pl_module, position, self.seconds, self.data, self.devices)

    def _write(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        assert self._snapshot is not None
        if not self._snapshot.position.steps:
            return
        if not is_finite(pl_module):
            log.warning("Model weights contain NaN or Inf: last.ckpt stays as it was.")
            return
        path = RunFolder(self.folder).last_checkpoint
        if not trainer.is_global_zero:
            trainer.save_checkpoint(path, weights_only=False)
        else:
            try:
                with replace_file(path) as temporary:
                    trainer.save_checkpoint(temporary, weights_only=False)
            except UserError as error:
                raise _StateNotWrittenError(str(error)) from error
        self.written, self._written_at, self._is_as_read = self._snapshot.run, time.monotonic(), False

    def _write_end(self, trainer: L.Trainer, pl_module: L.LightningModule, logged: int) -> None:
        """Writes the state after the last step of this session."""
        if self._done is None:
            return
        is_whole = self._done.batches >= trainer.num_training_batches
        position = replace(self._done, steps=trainer.global_step, logged=logged, validates=False)
        position = move_to_epoch_start(position) if is_whole else replace(position, begun=True)
        snapshot = self._take_snapshot(trainer, pl_module, position)
        self._snapshot = replace(snapshot, run=replace(snapshot.run, finished=not _has_run_out_of_time(trainer)))
        self._write(trainer, pl_module)
        self._retain(trainer, position.steps, self._is_turn(position))
        self._snapshot = None

    def _retain(self, trainer: L.Trainer, steps: int, is_turn: bool) -> None:
        """Keeps the state just written or read if it is its turn or its score is good enough, and removes what it
        replaces."""
        if self.written is None or self.written.steps != steps:
            return
        validated, scores = self._validated
        score = self.sign * scores[self.monitor] if validated == steps and self.monitor in scores else None
        is_kept, replaced = self._retention.add(steps, is_turn, score)
        if trainer.is_global_zero:
            if is_kept and not (self._is_as_read and self._retention.path(steps).is_file()):
                hardlink_or_copy(RunFolder(self.folder).last_checkpoint, self._retention.path(steps))
            for step in replaced:
                self._retention.path(step).unlink(missing_ok=True)

    def _is_turn(self, position: LoopState) -> bool:
        return self.keeping.is_turn(position.steps, None if position.batches else position.epoch)

    def _end_if_asked(self, trainer: L.Trainer) -> None:
        if trainer.strategy.reduce_boolean_decision(self.interruption.requested is not None, all=False):
            raise StoppedBySignal

    def _restore_random_states(self) -> None:
        if self._restored is not None and (states := self._restored.pop("random", None)):
            restore_random_states(states)


class _StateNotWrittenError(UserError):
    """What stands in the way of the state will do so again when it is written because of this error."""


def _read_total_steps(trainer: L.Trainer) -> int | None:
    return None if trainer.max_steps < 0 else trainer.max_steps


def _has_run_out_of_time(trainer: L.Trainer) -> bool:
    """Return whether trainer.max_time has ended the run before its last step."""
    timers = [callback for callback in get_callbacks(trainer) if isinstance(callback, Timer)]
    has_steps_left = trainer.max_steps < 0 or trainer.global_step < trainer.max_steps
    return has_steps_left and any((timer.time_remaining() or 0) <= 0 for timer in timers)
