"""Models that are none of ours: a backbone from outside the project, and a second kind of model."""

import re
from dataclasses import dataclass

import pytest
import torch
from scripted_training import bare_trainer
from torch import Tensor, nn
from torch.utils.data import DataLoader

from uncial.metrics.contract import MetricResult
from uncial.models.contracts import Model
from uncial.models.files import load_card
from uncial.training.callbacks.best_model import BestModel
from uncial.training.checkpointing.callback import Checkpoints
from uncial.training.checkpointing.retention import CheckpointPolicy
from uncial.training.distributed.signals import StopRequest
from uncial.training.module import TrainingModule
from uncial.training.schedulers.length import RunLength
from uncial.training.schedulers.plan import LengthConfig

BACKBONE = '''
from torch import nn
from torch.nn import functional


class Strips(nn.Module):
    """Four-pixel slices of the line, each seen by one linear layer."""

    def __init__(self, in_channels, height, width=4, channels=16):
        super().__init__()
        self.width, self.out_channels, self.out_height = width, channels, 1
        self.look = nn.Conv2d(in_channels, channels, (height, width), stride=width)

    def forward(self, images, widths):
        missing = -images.shape[3] % self.width
        return self.look(functional.pad(images, (0, missing))).relu(), (widths + self.width - 1) // self.width

    def frames(self, width):
        return -(-width // self.width)
'''


@pytest.fixture
def outside(tmp_path, monkeypatch):
    """A folder outside the project with conf/model/backbone/strips.yaml and my_strips.py."""
    (tmp_path / "my_strips.py").write_text(BACKBONE, encoding="utf-8")
    config = tmp_path / "my_conf/model/backbone/strips.yaml"
    config.parent.mkdir(parents=True)
    config.write_text("_target_: my_strips.Strips\n_partial_: true\nwidth: 4\nchannels: 24\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path / "my_conf"


def test_a_backbone_from_outside_trains_and_tests(run, outside, drawn):
    data = ("data=page", f"data.root={drawn / 'page'}")
    own = (
        "model/backbone=strips",
        "model.backbone.channels=8",
        "model.preprocessing.height=32",
        "model.head.hidden=16",
    )
    ended = run("--config-dir", str(outside), *data, *own, "trainer.max_steps=3", "trainer.validations=1")
    assert ended.code == 0, ended
    assert load_card(ended.folder)["model"]["backbone"]["_target_"] == "my_strips.Strips"
    test = ("task=test", f"checkpoint={ended.folder}", *data, "data.subset=val")
    refused = run(*test, into="refused")
    assert refused.code == 1
    assert "my_strips.Strips" in refused.output
    assert "trust=[my_strips]" in refused.output
    scored = run(*test, "trust=[my_strips]", into="scored")
    assert scored.code == 0, scored
    assert scored.metrics["test"]["cer"] == ended.metrics["val"]["cer"]


def test_a_backbone_that_cannot_be_imported_is_named(run, outside, drawn):
    (outside / "model/backbone/strips.yaml").write_text(
        "_target_: my_stripes.Strips\n_partial_: true\n", encoding="utf-8"
    )
    arguments = ("model/backbone=strips", "data=page", f"data.root={drawn / 'page'}")
    ended = run("--config-dir", str(outside), *arguments)
    assert ended.code == 1
    assert "my_stripes" in ended.output.strip().splitlines()[-1]


@dataclass
class Masks:
    """Pages, (B, 1, H, W) floats, and where their baselines lie, (B, H, W) of 0 and 1."""

    pages: Tensor
    baselines: Tensor
    indices: list[int]
    loss_weight: float = 1.0
    infeasible: tuple[int, ...] = ()

    def select(self, position):
        own = slice(position, position + 1)
        return Masks(self.pages[own], self.baselines[own], self.indices[own])


class Segmenter(Model):
    """One convolution that marks pixels on a baseline."""

    def __init__(self):
        super().__init__()
        self.look = nn.Conv2d(1, 1, 3, padding=1)

    def loss(self, batch):
        found = self.look(batch.pages)[:, 0]
        return {"loss": nn.functional.binary_cross_entropy_with_logits(found, batch.baselines)}

    @torch.no_grad()
    def predict(self, batch):
        return list(self.look(batch.pages)[:, 0] > 0)


class PixelsMissed:
    """The share of baseline pixels that were not found."""

    def __init__(self):
        self.reset()

    def reset(self):
        self.missed = self.all = 0

    def update(self, batch, predictions):
        for truth, found in zip(batch.baselines, predictions, strict=True):
            self.missed += int((truth.bool() & ~found).sum())
            self.all += int(truth.sum())

    def aggregate(self, processes):
        self.missed, self.all = (sum(processes.all_gather(own)) for own in (self.missed, self.all))

    def compute(self):
        return MetricResult({"missed": self.missed / max(self.all, 1)})


def masks(count, seed):
    generator = torch.Generator().manual_seed(seed)
    batches = []
    for number in range(count):
        baselines = torch.zeros(4, 12, 12)
        baselines[range(4), torch.randint(0, 12, (4,), generator=generator)] = 1
        noise = 0.1 * torch.rand(4, 1, 12, 12, generator=generator)
        batches.append(Masks(baselines[:, None] + noise, baselines, list(range(4 * number, 4 * number + 4))))
    return DataLoader(batches, batch_size=None)


def test_a_segmenter_is_trained_by_the_same_module(tmp_path):
    saved = []
    best = BestModel("val/missed", "min", saved.append)
    states = Checkpoints(tmp_path, CheckpointPolicy(), "val/missed", "min", lambda scores: "{}", {}, StopRequest())
    length = RunLength(LengthConfig(steps=80, validations=4), 5, 20, 10, tmp_path / "steps.txt")
    optimizer = lambda groups: torch.optim.Adam(groups, lr=0.1)  # noqa: E731
    module = TrainingModule(Segmenter(), PixelsMissed(), optimizer, lambda step, plan: 1.0, length, seed=1)
    trainer = bare_trainer(tmp_path, [states, length, best], num_sanity_val_steps=1)
    trainer.fit(module, masks(5, seed=1), masks(2, seed=2))
    assert trainer.global_step == 80
    assert 1 <= len(saved) <= 4
    assert best.scores["val/missed"] < 0.1 < saved[0]["val/loss"] + 1
    assert (tmp_path / "last.ckpt").is_file()
    torch.load(tmp_path / "last.ckpt", weights_only=True)
    assert re.fullmatch(r"val/\w+", next(iter(best.scores)))
