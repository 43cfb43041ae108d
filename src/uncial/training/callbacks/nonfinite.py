"""Skips steps whose loss or gradients are NaN or Inf, and names the lines that caused them."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import lightning as L
import torch
from lightning.pytorch.plugins import MixedPrecision
from torch import Tensor

from uncial.errors import DivergedError, UserError
from uncial.models.contracts import Batch
from uncial.reports.terminal.formatting import plural
from uncial.training.callbacks.contract import Priority, TrainerState
from uncial.training.distributed.process_group import all_gather

log = logging.getLogger(__name__)

MAX_NAMED = 5
MAX_SKIPPED_IN_A_ROW = 20
"""After so many skipped steps in a row the run ends."""

MAX_WITHOUT_LOSS = 3
"""After so many steps in a row none of whose lines has a finite loss, the training has diverged."""

REMEDY = "lower optimizer.lr, or set trainer.gradient_clip=1 or trainer.precision=32"
"""What keeps a training from diverging."""


class SkipNonFiniteSteps(L.Callback):
    """Skips an optimizer step as though its batches had not been, where their loss or gradients are NaN or Inf.

    `name_of` says what a batch's index stands for: the line's page and id. Raises `DivergedError` once the weights are
    NaN or Inf and after 3 steps in a row none of whose lines has a finite loss, `UserError` after 20 in a row with any.
    Under 16-bit precision infinite gradients are left to its loss scaling.
    """

    priority: ClassVar[int] = Priority.GRADIENTS
    writes: ClassVar[frozenset[str]] = frozenset({TrainerState.GRADIENTS})

    def __init__(self, name_of: Callable[[int], str]) -> None:
        self.name_of = name_of
        self._batches: list[Batch] = []
        self._bad: list[Batch] = []
        self._buffers: list[Tensor] = []
        self._skipped = self._without_loss = 0

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        if not self._batches:
            self._buffers = [buffer.detach().clone() for buffer in pl_module.buffers()]
        self._batches.append(batch)

    def on_before_backward(self, trainer: L.Trainer, pl_module: L.LightningModule, loss: Tensor) -> None:
        if not bool(loss.isfinite()):
            self._bad.append(self._batches[-1])

    def on_before_optimizer_step(
        self, trainer: L.Trainer, pl_module: L.LightningModule, optimizer: torch.optim.Optimizer
    ) -> None:
        batches, bad, self._batches, self._bad = self._batches, self._bad, [], []
        is_scaled = isinstance(trainer.precision_plugin, MixedPrecision) and trainer.precision_plugin.scaler is not None
        gradients = [parameter.grad for parameter in pl_module.parameters() if parameter.grad is not None]
        norm = torch.nn.utils.get_total_norm(gradients) if gradients and not is_scaled else torch.zeros(())
        is_sound = not bad and bool(norm.isfinite())
        if trainer.strategy.reduce_boolean_decision(is_sound, all=True):
            self._skipped = self._without_loss = 0
            return
        self._restore_buffers(pl_module)
        # Gradients are those of all processes: the lines may be those of another.
        with_loss = [part for part in all_gather(_list_lines(pl_module, bad)) if part.every]
        found = with_loss or all_gather(_list_lines(pl_module, batches))
        alone = [index for part in found for index in part.alone]
        every = [index for part in found for index in part.every]
        self._skipped += 1
        self._without_loss = self._without_loss + 1 if len(alone) == len(every) else 0
        names, what = self._format_lines(alone or every), "loss" if with_loss else "gradient"
        self._raise_if_diverged(trainer.global_step, is_finite(pl_module), what, names)
        log.warning(f"Skipping step {trainer.global_step + 1}: non-finite {what}; lines: {names}")
        if not is_scaled:  # The scaler skips the step itself, and needs the gradients for it.
            for parameter in pl_module.parameters():
                parameter.grad = None

    def state_dict(self) -> dict[str, Any]:
        return {"left_out": self._skipped, "without_any": self._without_loss}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._skipped, self._without_loss = state_dict["left_out"], state_dict["without_any"]

    def _restore_buffers(self, pl_module: L.LightningModule) -> None:
        """Give batch normalisations the statistics that they had before the lines of the step."""
        with torch.no_grad():
            for buffer, before in zip(pl_module.buffers(), self._buffers, strict=True):
                buffer.copy_(before)

    def _raise_if_diverged(self, steps: int, weights_are_finite: bool, what: str, names: str) -> None:
        if not weights_are_finite:
            raise build_divergence_error(steps, "the model weights contain NaN or Inf")
        if self._without_loss >= MAX_WITHOUT_LOSS:
            raise build_divergence_error(steps, f"no line has a finite loss, {self._without_loss} steps in a row")
        if self._skipped >= MAX_SKIPPED_IN_A_ROW:
            raise UserError(
                f"After {steps} steps the {what} has been NaN or Inf for {self._skipped} steps in a row, the last on "
                f"{names}: either the training has diverged, so {REMEDY}; or look at these lines with task=inspect."
            )

    def _format_lines(self, indices: list[int]) -> str:
        more = f" and {len(indices) - MAX_NAMED} more" if len(indices) > MAX_NAMED else ""
        return ", ".join(self.name_of(index) for index in indices[:MAX_NAMED]) + more


def build_divergence_error(steps: int, what: str) -> DivergedError:
    """Return the error of a training that has diverged after so many steps, as `what` shows."""
    return DivergedError(f"The training has diverged: after {plural(steps, 'step')} {what}; {REMEDY}.")


def is_finite(module: torch.nn.Module) -> bool:
    """Return whether no weight, and no statistic beside the weights, is NaN or Inf."""
    tensors = (*module.parameters(), *module.buffers())
    return all(bool(tensor.isfinite().all()) for tensor in tensors if tensor.is_floating_point())


@dataclass(frozen=True)
class _Lines:
    """The indices of the lines of some batches, and of those without a finite loss of their own."""

    every: list[int]
    alone: list[int]


def _list_lines(pl_module: Any, batches: list[Batch]) -> _Lines:
    counting = [batch for batch in batches if batch.loss_weight]
    alone = [index for batch in counting for index in _find_without_finite_loss(pl_module, batch)]
    return _Lines([index for batch in counting for index in batch.indices], alone)


def _find_without_finite_loss(pl_module: Any, batch: Batch) -> list[int]:
    """Return the indices of the batch's samples that have no finite loss alone."""
    model = pl_module.model
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad(), pl_module.trainer.precision_plugin.forward_context():
            losses = [model.loss(batch.select(position))["loss"] for position in range(len(batch.indices))]
    finally:
        model.train(was_training)
    return [index for index, loss in zip(batch.indices, losses, strict=True) if not bool(loss.isfinite())]
