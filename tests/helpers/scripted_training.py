"""A training with nothing but the schedule, the length and the scores that a test gives it."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lightning as L
import torch
from torch import nn
from torch.utils.data import DataLoader

from uncial.metrics.contract import MetricResult
from uncial.models.contracts import Model
from uncial.runs.files import RunFolder
from uncial.training.module import TrainingModule
from uncial.training.schedulers.length import RunLength
from uncial.training.schedulers.plan import LengthConfig


class Line(Model):
    def __init__(self):
        super().__init__()
        self.rise = nn.Parameter(torch.zeros(1))

    def loss(self, batch):
        return {"loss": (self.rise - 1).abs().sum()}

    def predict(self, batch):
        return []


class Batch:
    indices = (0,)
    loss_weight = 1.0
    infeasible = ()

    def select(self, position):
        return self


class Scripted:
    """Gives the validations the scores that are written down for them, and one to the check before the training."""

    def __init__(self, scores):
        self.left = [9.0, *scores]

    def update(self, batch, predictions):
        pass

    def aggregate(self, processes):
        pass

    def compute(self):
        return MetricResult({"cer": self.left.pop(0)})

    def reset(self):
        pass


class Rates(L.Callback):
    """The rate of each step, and the steps that were followed by a validation."""

    def __init__(self):
        self.of_steps = []
        self.validated = []

    def on_before_optimizer_step(self, trainer, pl_module, optimizer):
        self.of_steps.append(optimizer.param_groups[0]["lr"])

    def on_validation_end(self, trainer, pl_module):
        if not trainer.sanity_checking:
            self.validated.append(trainer.global_step)


class Snapshot(L.Callback):
    """Copies the folder as a kill after this step would leave it."""

    def __init__(self, step: int, folder: Path, to: Path) -> None:
        self.step, self.folder, self.to = step, folder, to

    def on_train_batch_end(self, trainer, *_):
        if trainer.global_step == self.step and not self.to.exists():
            shutil.copytree(self.folder, self.to)


def bare_trainer(folder: Path, callbacks: Sequence[L.Callback], **settings: Any) -> L.Trainer:
    """A trainer whose length and validations a `RunLength` among the callbacks decides, and that says and keeps
    nothing."""
    return L.Trainer(
        accelerator="cpu",
        max_epochs=-1,
        check_val_every_n_epoch=None,
        val_check_interval=2**31,
        callbacks=list(callbacks),
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=folder,
        **settings,
    )


def train_scripted(
    folder: Path, schedule: Any, wanted: LengthConfig, scores: Sequence[float], measured_steps: int = 0
) -> Rates:
    """Epochs of three steps at the height 1 of the rate; a schedule that is a callback hears the scores."""
    rates = Rates()
    length = RunLength(wanted, 3, 3, measured_steps, RunFolder(folder).steps)
    optimizer = lambda groups: torch.optim.SGD(groups, lr=1.0)  # noqa: E731
    module = TrainingModule(Line(), Scripted(scores), optimizer, schedule, length, seed=1)
    listening = [schedule] if isinstance(schedule, L.Callback) else []
    trainer = bare_trainer(folder, [length, *listening, rates], num_sanity_val_steps=1)
    loader = lambda batches: DataLoader([Batch()] * batches, batch_size=None)  # noqa: E731
    trainer.fit(module, loader(3), loader(1))
    return rates
