"""Parts of a model that do not change for the first steps of a run, or for all of it."""

import logging
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import lightning as L
from torch import nn
from torch.optim import Optimizer

from uncial.errors import UserError
from uncial.training.callbacks.contract import Priority, TrainerState
from uncial.training.schedulers.length import RunLength
from uncial.training.schedulers.plan import StepPlan
from uncial.training.selection import OUTPUTS, ModuleSelection, list_top_modules, select_modules

log = logging.getLogger(__name__)

UNITS = ("step", "sample", "epoch")


@dataclass(frozen=True, slots=True)
class Duration:
    """A number of steps, samples (lines that are learned from) or epochs."""

    number: float
    unit: str

    def steps(self, plan: StepPlan) -> int:
        """In optimizer steps, the last one begun counting. Samples are counted by their mean number in a step."""
        unit = {"step": 1.0, "sample": 1 / plan.lines, "epoch": float(plan.epoch)}[self.unit]
        return math.ceil(self.number * unit - 1e-9)


def parse_freeze_duration(text: str | float | None) -> Duration | None:
    """Read `freeze_for`, None for none. Raises `UserError` where number or unit are missing."""
    if text is None:
        return None
    found = re.fullmatch(r"\s*(\d+(?:[._]\d+)*)[\s_-]*([A-Za-z]+)\s*", str(text))
    unit = found[2].lower().removesuffix("s") if found else ""
    if found is None or unit not in UNITS:
        raise UserError(
            f"freeze_for={text}: a number and its unit are needed, steps, samples or epochs, "
            "for instance 'freeze_for=500 steps' or freeze_for=2_epochs."
        )
    return Duration(float(found[1].replace("_", "")), unit)


class Freezing(L.Callback):
    """Holds parts of the model still for `duration`, None being the whole run, then lets them learn.

    Frozen parts get no gradients, so that neither weight decay nor momentum moves them; their normalisation keeps its
    statistics and their dropout is off. The optimizer holds them from the start, with the same learning rate as without
    freezing, and makes its state of them at their first step. Whether they are frozen depends on the step alone, so a
    resumed run goes on the same.
    """

    priority: ClassVar[int] = Priority.FREEZING
    writes: ClassVar[frozenset[str]] = frozenset({TrainerState.FROZEN_PARTS})

    def __init__(self, model: nn.Module, parts: ModuleSelection, duration: Duration | None, length: RunLength) -> None:
        """Raise `UserError` where nothing would be left to learn."""
        trainable = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
        self.parameters = [parameter for name, parameter in trainable.items() if name in parts.tensors]
        if trainable and len(self.parameters) == len(trainable):
            raise UserError("freeze names all parts of the model, so that nothing would learn; leave one out.")
        modules = [module for name, module in model.named_modules() if name in parts.modules]
        # cuDNN computes no gradients through recurrent layers that are not in training, and these behave alike in both
        # but for their own dropout.
        self.modules = [module for module in modules if not isinstance(module, nn.RNNBase)]
        self.recurrent = [(module, module.dropout) for module in modules if isinstance(module, nn.RNNBase)]
        self.names, self.share = list_top_modules(sorted(parts.tensors)), _compute_share(model, self.parameters)
        self.duration, self.length, self.steps = duration, length, math.inf
        self._holds = False

    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if self.duration is not None:
            self.steps = self.duration.steps(self.length.plan)
        if trainer.global_step < self.steps:
            until = "for the whole run" if self.steps == math.inf else f"for the first {self.steps:,} steps"
            log.info(f"Frozen {until}: {', '.join(self.names)} ({self.share:.0%} of the parameters)")

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        frozen = trainer.global_step < self.steps
        if frozen:
            self._hold(frozen=True, single=trainer.world_size == 1)
        elif self._holds:
            self._hold(frozen=False, single=trainer.world_size == 1)
            log.info(f"Step {trainer.global_step:,}: no longer frozen: {', '.join(self.names)}")

    def on_before_optimizer_step(self, trainer: L.Trainer, pl_module: L.LightningModule, optimizer: Optimizer) -> None:
        if self._holds:
            for parameter in self.parameters:
                parameter.grad = None

    def _hold(self, frozen: bool, single: bool) -> None:
        # At every step: a validation in between puts all modules back into training.
        for module in self.modules:
            module.training = not frozen
        for recurrent, dropout in self.recurrent:
            recurrent.dropout = 0.0 if frozen else dropout
        # Several processes wait for the gradients of every parameter that had some when they began.
        if single:
            for parameter in self.parameters:
                parameter.requires_grad_(not frozen)
        self._holds = frozen


def select_frozen_parts(model: nn.Module, freeze: str | Sequence[str] | None) -> ModuleSelection | None:
    """Return what `freeze` means: None for `none`; all but decoders; or the parts that a pattern or a list of them
    names. Raises `UserError` for a pattern that matches nothing.
    """
    if not freeze or freeze == "none":
        return None
    if freeze == "all_but_decoder":
        children = [name for name, _ in model.named_children()]
        if "decoder" not in children:
            raise UserError(f"freeze=all_but_decoder: this model has no decoder; it has {', '.join(children)}.")
        return select_modules(model, [name for name in children if name not in OUTPUTS], "freeze")
    return select_modules(model, [freeze] if isinstance(freeze, str) else list(freeze), "freeze")


def _compute_share(model: nn.Module, parameters: Sequence[nn.Parameter]) -> float:
    return sum(parameter.numel() for parameter in parameters) / max(1, sum(p.numel() for p in model.parameters()))
