"""Trainings whose validations get the scores that a test writes down for their steps, in one session or in several."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lightning as L
import torch
from scripted_training import Batch, Line, Rates, bare_trainer
from torch.utils.data import DataLoader

from uncial.files import replace_text_file
from uncial.metrics.contract import MetricResult
from uncial.runs.files import RunFolder
from uncial.training.callbacks.best_model import BestModel
from uncial.training.checkpointing.callback import Checkpoints
from uncial.training.checkpointing.retention import CheckpointPolicy
from uncial.training.distributed.signals import StopRequest
from uncial.training.module import TrainingModule
from uncial.training.schedulers import schedules
from uncial.training.schedulers.length import RunLength
from uncial.training.schedulers.plan import LengthConfig


class ScoreOfStep(L.Callback):
    """A metric whose score is the one that is written down for the step, in whatever session it is validated; and the
    callback that tells it the step. The check before the training has the step 0."""

    def __init__(self, scores: Mapping[int, float]) -> None:
        self.scores, self.step = scores, 0

    def on_validation_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.step = trainer.global_step

    def reset(self) -> None:
        pass

    def update(self, batch: Any, predictions: Any) -> None:
        pass

    def aggregate(self, processes: Any) -> None:
        pass

    def compute(self) -> MetricResult:
        return MetricResult({"cer": self.scores[self.step]})


class LeftByKill(L.Callback):
    """Copies the folder as a kill after this step would leave it."""

    def __init__(self, step: int, folder: Path, to: Path) -> None:
        self.step, self.folder, self.to = step, folder, to

    def on_train_batch_end(self, trainer: L.Trainer, *_: Any) -> None:
        if trainer.global_step == self.step and not self.to.exists():
            shutil.copytree(self.folder, self.to)


def train_session(
    folder: Path,
    scores: Mapping[int, float],
    wanted: LengthConfig,
    *callbacks: L.Callback,
    batches: int = 3,
    mode: str = "min",
    schedule: Any = None,
    accumulate: int = 1,
) -> Rates:
    """One session of the run in the folder, which goes on from what is there. Epochs have so many `batches`. The file
    best.json says after which step the best model was kept."""
    folder.mkdir(exist_ok=True)
    metric, rates, last = ScoreOfStep(scores), Rates(), folder / RunFolder.last_checkpoint
    length = RunLength(wanted, batches, batches, 0, RunFolder(folder).steps)
    optimizer = lambda groups: torch.optim.SGD(groups, lr=1.0)  # noqa: E731
    schedule = schedule or schedules.constant()
    module = TrainingModule(Line(), metric, optimizer, schedule, length, seed=1)

    def save(kept: dict[str, float]) -> None:
        with replace_text_file(folder / "best.json") as file:
            json.dump({"step": metric.step, "cer": kept["val/cer"]}, file)

    describe = lambda kept: json.dumps(kept)  # noqa: E731
    states = Checkpoints(folder, CheckpointPolicy(), "val/cer", mode, describe, {}, StopRequest())
    listening = [schedule] if isinstance(schedule, L.Callback) else []
    every = [states, length, *listening, metric, BestModel("val/cer", mode, save), rates, *callbacks]
    trainer = bare_trainer(folder, every, num_sanity_val_steps=1, accumulate_grad_batches=accumulate)
    loader = lambda count: DataLoader([Batch()] * count, batch_size=None)  # noqa: E731
    trainer.fit(module, loader(batches), loader(1), ckpt_path=last if last.is_file() else None, weights_only=True)
    return rates
