"""A problem with no text in it, as a user may write one: a model marks the ink in the images of lines.

Tests write its configs (`write_configs`) and run it by `--config-dir`, as a problem of one's own.
"""

import json
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import lightning as L
import numpy as np
import torch
from omegaconf import OmegaConf
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader

from uncial.config.schema import get_checkpoint, list_trusted
from uncial.metrics.contract import MetricResult
from uncial.models.contracts import Model
from uncial.models.files import load_any_model
from uncial.problems.ground_truth import compute_data_fingerprint, load_ground_truth, write_splits
from uncial.problems.problem import BestModelWriter, Problem, Setup, build_problem_card
from uncial.problems.splitting import choose_split, choose_training_split
from uncial.problems.trainer import check_training, open_loggers
from uncial.runs.files import RunFolder
from uncial.runs.folder import run_folder, write_config
from uncial.runs.tables import write_metrics
from uncial.training.checkpointing.loops import read_position
from uncial.training.distributed.process_group import is_rank_zero
from uncial.training.loggers.outcome import Outcome
from uncial.training.loggers.tracking import show_outcome
from uncial.training.module import ScoringModule
from uncial.training.trainer import build_evaluation_trainer

SIZE = 24, 96
"""Height and width of the images that the model sees."""

MODEL = """
defaults:
  - override /problem@_global_.problem: ink
  - _self_
name: ink
_target_: toy_ink.InkSegmenter
_partial_: true
channels: 4
monitor: val/missed
mode: min
"""

PROBLEM = """
_target_: toy_ink.InkProblem
name: ink
darkness: 0.5
reads: [data, trainer]
"""


def write_configs(folder: Path) -> None:
    for name, text in (("model", MODEL), ("problem", PROBLEM)):
        (folder / name).mkdir(parents=True)
        (folder / name / "ink.yaml").write_text(text, encoding="utf-8")


@dataclass
class InkBatch:
    """Images (B, 1, H, W) from 0 to 1, and where their ink is (B, H, W)."""

    images: torch.Tensor
    ink: torch.Tensor
    indices: list
    loss_weight: float = 1.0
    infeasible: tuple = ()

    def select(self, position):
        own = slice(position, position + 1)
        return InkBatch(self.images[own], self.ink[own], self.indices[own])


class InkSegmenter(Model):
    def __init__(self, channels):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(1, channels, 3, padding=1), nn.ReLU(), nn.Conv2d(channels, 1, 1))

    def loss(self, batch):
        found = self.layers(batch.images)[:, 0]
        return {"loss": functional.binary_cross_entropy_with_logits(found, batch.ink)}

    @torch.no_grad()
    def predict(self, batch):
        return list(self.layers(batch.images)[:, 0] > 0)


class InkMetric:
    def __init__(self):
        self.reset()

    def reset(self):
        self.missed = self.total = 0

    def update(self, batch, predictions):
        for truth, found in zip(batch.ink, predictions, strict=True):
            self.missed += int((truth.bool() != found).sum())
            self.total += truth.numel()

    def aggregate(self, processes):
        self.missed, self.total = (sum(processes.all_gather(count)) for count in (self.missed, self.total))

    def compute(self):
        return MetricResult({"missed": self.missed / max(1, self.total)})


class InkData(L.LightningDataModule):
    def __init__(self, batches, lines=4):
        super().__init__()
        self.batches = batches

    def train_dataloader(self):
        _, done = read_position(self.trainer)
        return DataLoader(self.batches["train"][done:], batch_size=None)

    def val_dataloader(self):
        return DataLoader(self.batches["val"], batch_size=None)

    def test_dataloader(self):
        return DataLoader(self.batches["test"], batch_size=None)


def batches_of(store, rows, darkness, size=4):
    found = []
    for start in range(0, len(rows), size):
        own = [int(row) for row in rows[start : start + size]]
        images = torch.stack([_image(store.strip(row)) for row in own])
        found.append(InkBatch(images[:, None], (images < darkness).float(), own))
    return found


def _image(strip):
    gray = torch.from_numpy(np.array(strip if strip.ndim == 2 else strip[..., 0])).float() / 255
    return functional.interpolate(gray[None, None], SIZE, mode="bilinear")[0, 0]


class InkProblem(Problem):
    model_class = InkSegmenter

    def __init__(self, darkness):
        self.darkness, self.metric = darkness, InkMetric()

    def check(self, config):
        check_training(config, self._new(config), self.metric)

    def load(self, run):
        return load_ground_truth(run.config, choose_training_split(run))

    def fingerprint(self, truth):
        return compute_data_fingerprint(truth)

    def setup(self, run, truth):
        config = run.config
        model = load_any_model(run.state.path, list_trusted(config))[0].train() if run.state else self._new(config)
        batches = {part: batches_of(truth.store, truth.rows[part], self.darkness) for part in ("train", "val")}
        if is_rank_zero():
            write_splits(run.folder, truth)
        card = {
            "model": OmegaConf.to_container(config.model, resolve=True),
            **build_problem_card(config),
            "version": version("uncial"),
        }
        writer = BestModelWriter(run.folder, model, card)
        lines = len(truth.rows["train"])
        return Setup(model, InkData(batches), self.metric, writer, lines, len(batches["train"]))

    def report(self, run, truth, setup, stats):
        card = json.loads(setup.writer.card_json({}))
        assert card["problem"]["name"] == "ink"
        scores = load_any_model(RunFolder(run.folder).best_model, list_trusted(run.config))[1]["scores"]
        write_metrics(RunFolder(run.folder).metrics, {"val": scores, "train": {"steps": stats.steps}})

    def outcome(self, run, truth):
        return Outcome(json.loads((RunFolder(run.folder).metrics).read_text())["val"], [], [])

    def test(self, config):
        model, _ = load_any_model(get_checkpoint(config), list_trusted(config))
        folder = run_folder()
        write_config(config, folder)
        truth = load_ground_truth(config, choose_split(config))
        rows = truth.rows[str(config.data.subset or "test")]
        trainer = build_evaluation_trainer(config.trainer, folder, [])
        data = InkData({"test": batches_of(truth.store, rows, self.darkness)})
        with open_loggers(config, folder) as loggers:
            trainer.test(ScoringModule(model, self.metric), data, verbose=False)
            scores = {name.removeprefix("test/"): float(value) for name, value in trainer.callback_metrics.items()}
            write_metrics(RunFolder(folder).metrics, {"test": scores})
            show_outcome(loggers, lambda: Outcome(scores, [], []))

    def _new(self, config):
        plain = OmegaConf.to_container(config.model, resolve=True)
        return InkSegmenter(plain["channels"])
