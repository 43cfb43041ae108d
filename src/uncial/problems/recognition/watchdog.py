"""Recognises a training that goes wrong while it still looks like one: every line read as empty, or a rising loss."""

import logging
import math
from collections.abc import Callable
from statistics import median
from typing import Any, ClassVar

import lightning as L
from omegaconf import DictConfig

from uncial.errors import UserError
from uncial.models.contracts import BlankDecoder
from uncial.models.recognizer import Recognizer
from uncial.problems.recognition.metric import RecognitionMetric
from uncial.training.callbacks.contract import Priority, TrainerState
from uncial.training.distributed.process_group import broadcast_from_rank_zero

log = logging.getLogger(__name__)

UNREAD = 0.95
"""From this share of lines read as empty on, a validation stands on the all-blank plateau."""

PLATEAU_STEPS = 200
"""A training that is younger reads nothing yet, as all do."""

VALIDATIONS = 2
"""So many in a row have to stand on the plateau."""

AMOUNT = 2.0
"""By how much the blank's score is lowered: its odds are divided by 7."""

MAX_HELP = 3

MEMORY = 20
"""Steps whose median is taken for the loss: single lines with a wrong truth, which real sets have, raise that of their
step to ten times the others'."""

RISE = 2.0
"""How much above its lowest value, and at least by a nat a character, the median loss of a diverging training is."""

REMEMBERED = ("_blank", "_help_due", "_helped", "_losses", "_lowest", "_told_rise")

ADVICE = (
    "what leads out of it: more steps, smaller batches (trainer.batch_width), another optimizer.lr, a heavier shortcut "
    "(model.shortcut=1), or callbacks.watchdog=help"
)


class Watchdog(L.Callback):
    """Says that the training stands on CTC's all-blank plateau, or that its loss rises.

    On the plateau, which two validations in a row must show after 200 steps, the blank is the best single answer to
    everything, and the loss stands still until the model tells characters apart. `empty_prediction_rate` gives the
    share of the last validation's lines with text that were read as empty. `lower_blank`, if given, is called with the
    amount by which it should lower the blank's score before the next step; three times at most."""

    priority: ClassVar[int] = Priority.WATCHING
    writes: ClassVar[frozenset[str]] = frozenset({TrainerState.BLANK_SCORE})

    def __init__(
        self, empty_prediction_rate: Callable[[], float], lower_blank: Callable[[float], None] | None = None
    ) -> None:
        self.empty_prediction_rate, self.lower_blank = empty_prediction_rate, lower_blank
        self._blank = self._helped = 0
        self._help_due = self._told_rise = False
        self._losses: list[float] = []
        self._lowest = math.inf

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        # Not at the validation, where an average may stand in for the weights.
        if self._help_due and self.lower_blank is not None:
            self.lower_blank(AMOUNT)
            self._help_due = False

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if not batch.loss_weight:
            return
        loss = float(outputs["loss"]) * trainer.accumulate_grad_batches / batch.loss_weight
        if not math.isfinite(loss):
            return
        self._losses = [*self._losses, loss][-MEMORY:]
        usual = median(self._losses)
        self._lowest = min(self._lowest, usual)
        if not self._told_rise and usual > max(RISE * self._lowest, self._lowest + 1):
            self._told_rise = True
            log.warning(
                f"The training diverges: by step {trainer.global_step} its loss has risen from {self._lowest:.4g} to "
                f"{usual:.4g}; lower optimizer.lr or trainer.gradient_clip, or lengthen scheduler.warmup_steps."
            )

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if trainer.sanity_checking:
            return
        is_blank = broadcast_from_rank_zero(self.empty_prediction_rate() >= UNREAD)  # It alone has the lines of all.
        self._blank = self._blank + 1 if is_blank and trainer.global_step >= PLATEAU_STEPS else 0
        if self._blank < VALIDATIONS:
            return
        if self.lower_blank is not None and self._helped < MAX_HELP:
            self._blank, self._helped, self._help_due = 0, self._helped + 1, True
            self._tell(trainer, f"the blank's score is lowered by {AMOUNT:g} ({self._helped} of {MAX_HELP} times)")
        elif self._blank == VALIDATIONS:
            self._tell(trainer, ADVICE)

    def _tell(self, trainer: L.Trainer, what: str) -> None:
        log.warning(f"After {trainer.global_step} steps the model still predicts only blanks; {what}.")

    def state_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in REMEMBERED}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        vars(self).update(state_dict)


def build_watchdog(config: DictConfig, recognizer: Recognizer, metric: RecognitionMetric) -> list[Watchdog]:
    """Return what recognises a training that goes wrong, if the config wants it. Raises `UserError` where it should
    lower the blank of a decoder that has none."""
    wanted = config.callbacks.get("watchdog") or "none"
    if wanted == "none":
        return []
    if wanted == "tell":
        return [Watchdog(metric.empty_prediction_rate)]
    if not isinstance(recognizer.decoder, BlankDecoder):
        raise UserError("callbacks.watchdog=help: this model's decoder has no blank to lower; choose tell or none.")
    return [Watchdog(metric.empty_prediction_rate, recognizer.decoder.lower_blank)]
