"""What runs of the tests are made of that the shipped configs do not have; named there by `_target_`."""

from typing import Any

import lightning as L
import torch
from torch import Tensor

from uncial.models.contracts import Targets
from uncial.models.decoders.ctc import CTCDecoder
from uncial.text.codec import Codec


class Recorder(L.Callback):
    """The weights before and after each step, and at the end of each validation. `last` is the newest one."""

    last: "Recorder"

    def __init__(self) -> None:
        self.before: list[dict[str, Tensor]] = []
        self.after: list[dict[str, Tensor]] = []
        self.validated: dict[int, dict[str, Tensor]] = {}
        Recorder.last = self

    def on_train_batch_start(self, trainer: L.Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:
        self.before.append(_copied(pl_module.model))

    def on_train_batch_end(self, trainer: L.Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        self.after.append(_copied(pl_module.model))

    def on_validation_end(self, trainer: L.Trainer, pl_module: Any) -> None:
        self.validated[trainer.global_step] = _copied(pl_module.model)


def _copied(model: torch.nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


class NoLossAfter(CTCDecoder):
    """A batch has no number as its loss where a text begins with the label `first`, or always if that is 0."""

    def __init__(self, in_channels: int, codec: Codec, first: int) -> None:
        super().__init__(in_channels, codec)
        self.first = first

    def loss(self, sequence: Tensor, lengths: Tensor, targets: Targets) -> Tensor:
        firsts = targets.labels[targets.lengths.cumsum(0) - targets.lengths]
        loss = super().loss(sequence, lengths, targets)
        return loss * torch.nan if bool(((firsts == self.first) | (self.first == 0)).any()) else loss
