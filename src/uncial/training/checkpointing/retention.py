"""The checkpoints that are kept beside last.ckpt: every so often, and the best."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from uncial.runs.checkpoint import SUFFIX


@dataclass(frozen=True)
class CheckpointPolicy:
    """When the state is written, and which checkpoints are kept beside it.

    `minutes` are the longest time between two states. Every `every_epochs` epochs or `every_steps` steps a checkpoint
    is kept, of these the last `keep_last` (None: all), and of those at validations the best `keep_best`.
    """

    minutes: float = 10.0
    every_epochs: int | None = None
    every_steps: int | None = None
    keep_last: int | None = 3
    keep_best: int = 0

    def is_turn(self, steps: int, whole_epochs: int | None) -> bool:
        """Return whether a checkpoint is kept after so many steps; `whole_epochs` is None in the midst of an epoch."""
        by_steps = self.every_steps is not None and steps > 0 and steps % self.every_steps == 0
        return by_steps or bool(self.every_epochs and whole_epochs and whole_epochs % self.every_epochs == 0)


class CheckpointRetention:
    """The steps of the checkpoints in a folder that are kept: because it was their turn, and because of their score, of
    which less is better."""

    def __init__(self, folder: Path, keeping: CheckpointPolicy) -> None:
        self.folder, self.keeping = folder, keeping
        self.periodic: list[int] = []
        self.scored: dict[int, float] = {}

    def path(self, steps: int) -> Path:
        return self.folder / f"step_{steps:08}{SUFFIX}"

    def add(self, steps: int, is_turn: bool, score: float | None) -> tuple[bool, list[int]]:
        """Return whether the checkpoint after so many steps is kept, and the steps of those that are so no longer."""
        before = {*self.periodic, *self.scored}
        if is_turn:
            self.periodic = sorted({*self.periodic, steps})[-self.keeping.keep_last if self.keeping.keep_last else 0 :]
        if score is not None and math.isfinite(score):
            scored = {**self.scored, steps: score}
            best = sorted(scored, key=lambda step: (scored[step], step))[: self.keeping.keep_best]
            self.scored = {step: scored[step] for step in best}
        after = {*self.periodic, *self.scored}
        return steps in after, sorted(before - after)

    def state_dict(self) -> dict[str, Any]:
        return {"periodic": list(self.periodic), "scored": dict(self.scored)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.periodic, self.scored = list(state["periodic"]), dict(state["scored"])
