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

from uncial.runs.state import RunState
from uncial.training.checkpointing.loops import LoopState
from uncial.training.loggers.metrics_file import MetricsFile


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
    stateful = [callback for callback in get_callbacks(trainer) if not isinstance(callback, Timer)]
    states = {callback.state_key: deepcopy(callback.state_dict()) for callback in stateful}
    return StepSnapshot(
        position,
        run,
        {key: state for key, state in states.items() if state},
        [buffer.detach().clone() for buffer in pl_module.buffers()],
        read_random_states(),
    )


def get_callbacks(trainer: L.Trainer) -> list[L.Callback]:
    callbacks: list[L.Callback] = trainer.callbacks  # type: ignore[attr-defined]
    return callbacks


def read_random_states() -> dict[str, Any]:
    """Of torch, NumPy and Python, for models and callbacks that draw from them: plain types and a tensor."""
    drawn: Any = np.random.get_state(legacy=True)
    name, keys, *rest = drawn
    return {"torch": torch.get_rng_state(), "numpy": [name, keys.tolist(), *rest], "python": random.getstate()}


def restore_random_states(states: Mapping[str, Any]) -> None:
    name, keys, *rest = states["numpy"]
    version, internal, gauss = states["python"]
    torch.set_rng_state(states["torch"])
    np.random.set_state((name, np.array(keys, dtype=np.uint32), *rest))
    random.setstate((version, tuple(internal), gauss))
