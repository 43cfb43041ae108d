"""What ends a run before its last step: scores that no longer improve, better trials, and the longest allowed time."""

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import lightning as L
from lightning.pytorch.callbacks import Timer

from uncial.errors import PrunedError, UserError
from uncial.training.callbacks.contract import Priority
from uncial.training.callbacks.throughput import score_text
from uncial.training.checkpointing.loops import is_accumulating


@dataclass(slots=True)
class BestScoreTracker:
    """The best score so far, and how many later ones were not better by more than `min_delta`.

    `mode` is min or max, the better end of the score. A score that is no number is no improvement. The best moves only
    when it is passed by more than `min_delta`, so that many small steps count as one.
    """

    mode: str
    min_delta: float = 0.0
    best: float | None = None
    waited: int = 0

    def __post_init__(self) -> None:
        if self.mode not in ("min", "max"):
            raise UserError(f"model.mode={self.mode}: choose min or max, the better end of the score.")

    def update(self, score: float) -> bool:
        """Count a score, and tell whether it is an improvement."""
        gain = math.inf if self.best is None else (self.best - score if self.mode == "min" else score - self.best)
        better = math.isfinite(score) and gain > self.min_delta
        self.best, self.waited = (score, 0) if better else (self.best, self.waited + 1)
        return better

    def state(self) -> dict[str, float | int | None]:
        """Return what is needed to go on counting, in plain types."""
        return {"best": self.best, "waited": self.waited}

    def restore(self, state: dict[str, float | int | None]) -> None:
        self.best, self.waited = state["best"], int(state["waited"] or 0)


log = logging.getLogger(__name__)


def read_score(trainer: L.Trainer, key: str, monitor: str) -> float:
    """Return the score `monitor` of the validation that has ended. Raises `UserError`, with the `key` that names the
    score, where the validation gives none of this name."""
    if monitor not in trainer.callback_metrics:
        raise UserError(f"{key}={monitor}: the validation gives no such score.")
    return float(trainer.callback_metrics[monitor])


class EarlyStopping(L.Callback):
    """Ends the run after `patience` validations in a row without an improvement of `monitor` by more than `min_delta`,
    but not before `min_epochs` passes over the training lines.

    kraken's `--lag`, `--min-delta` and `--min-epochs`. Validations within the first epochs count.
    """

    priority: ClassVar[int] = Priority.STOPPING
    writes: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, monitor: str, mode: str, patience: int | None, min_delta: float, min_epochs: int) -> None:
        """`patience` is None where a run goes on to its last step."""
        self.monitor, self.patience, self.min_epochs = monitor, patience, min_epochs
        self._improvement = BestScoreTracker(mode, min_delta)

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if trainer.sanity_checking:
            return
        self._improvement.update(read_score(trainer, "model.monitor", self.monitor))
        if (
            self.patience is not None
            and self._improvement.waited >= self.patience
            and self._epochs(trainer) >= self.min_epochs
        ):
            why = (
                f"has not improved on {self._improvement.best:.4g} in {self._improvement.waited} validations"
                if self._improvement.best is not None
                else "was never a finite number"
            )
            log.info(
                f"Stopped after step {trainer.global_step}, {self._epochs(trainer):.1f} epochs: {self.monitor} {why} "
                f"(trainer.patience={self.patience}; trainer.min_epochs={self.min_epochs} is the earliest; raise one "
                "of them to train longer)."
            )
            trainer.should_stop = True

    @property
    def is_active(self) -> bool:
        """Whether it may end a run."""
        return self.patience is not None

    def _epochs(self, trainer: L.Trainer) -> float:
        return trainer.global_step / math.ceil(trainer.num_training_batches / trainer.accumulate_grad_batches)

    def state_dict(self) -> dict[str, Any]:
        return {"improvement": self._improvement.state()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._improvement.restore(state_dict["improvement"])


class MaxTime(Timer):
    """Lightning's timer, but it ends a training between two optimizer steps only: what has been accumulated for half a
    step would be lost to a run that goes on."""

    priority: ClassVar[int] = Priority.TIME_LIMIT
    writes: ClassVar[frozenset[str]] = frozenset()

    def on_train_batch_end(self, trainer: L.Trainer, *args: Any, **kwargs: Any) -> None:
        if not is_accumulating(trainer):
            super().on_train_batch_end(trainer, *args, **kwargs)


Report = Callable[[int, float], bool]
"""Told the number of a validation, from 0, and its score; says whether the trial should end."""


class Pruning(L.Callback):
    """Reports `monitor` after each validation, and ends the training when it is not worth going on.

    Validations are numbered, since trials with other batches have them after other steps.
    """

    priority: ClassVar[int] = Priority.SEARCH
    writes: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, monitor: str, report: Report) -> None:
        self.monitor, self.report = monitor, report
        self.validations = 0
        self.reason = ""

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if self.reason:
            trainer.should_stop = True

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if trainer.sanity_checking:
            return
        score = read_score(trainer, "model.monitor", self.monitor)
        is_hopeless = self.report(self.validations, score) if trainer.is_global_zero else False
        self.validations += 1
        if trainer.strategy.broadcast(is_hopeless):
            result = score_text(self.monitor.removeprefix("val/"), score)
            self.reason = f"{result} at validation {self.validations}, where other trials do better"
            log.info(f"Ended early: {self.reason} (hydra.sweeper.pruner).")
            trainer.should_stop = True

    def end(self) -> None:
        """Raise `PrunedError` where the training was ended early."""
        if self.reason:
            raise PrunedError(self.reason)

    def state_dict(self) -> dict[str, Any]:
        return {"validations": self.validations, "reason": self.reason}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.validations, self.reason = state_dict["validations"], state_dict["reason"]
