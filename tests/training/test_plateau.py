"""The rate that falls when the score stands still: when it falls, and how far."""

import lightning as L
import torch
from torch import nn
from torch.utils.data import DataLoader

from uncial.training.length import RunLength
from uncial.training.module import TrainingModule
from uncial.training.plan import Wanted
from uncial.training.plateau import Plateau


class Line(nn.Module):
    def __init__(self):
        super().__init__()
        self.rise = nn.Parameter(torch.zeros(1))

    def loss(self, batch):
        return {"loss": (self.rise - 1).square().sum()}

    def predict(self, batch):
        return []


class Batch:
    indices = (0,)


class Scripted:
    """Gives the validations the scores that are written down for them, and one to the check before the training."""

    def __init__(self, scores):
        self.left = [9.0, *scores]

    def update(self, batch, predictions):
        pass

    def counts(self):
        return [0]

    def scores(self, counts):
        return {"cer": self.left.pop(0)}

    def samples(self):
        return []

    def reset(self):
        pass


class Rates(L.Callback):
    def __init__(self):
        self.of_steps = []

    def on_before_optimizer_step(self, trainer, pl_module, optimizer):
        self.of_steps.append(optimizer.param_groups[0]["lr"])


def rates_with(scores, tmp_path, **keys):
    """The rate of each step, in shares of its height, of which every second one is followed by a validation."""
    given = {"gamma": 0.5, "patience": 2, "min_delta": 0.0, "cooldown": 0, "final": 0.1, **keys}
    schedule, rates = Plateau(**given, monitor="val/cer", mode="min"), Rates()
    length = RunLength(Wanted(steps=2 * len(scores), every_steps=2), 3, 3, 0, tmp_path / "steps.txt")
    optimizer = lambda groups: torch.optim.SGD(groups, lr=0.1)  # noqa: E731
    module = TrainingModule(Line(), Scripted(scores), optimizer, schedule, length, seed=1)
    trainer = L.Trainer(
        accelerator="cpu",
        max_epochs=-1,
        check_val_every_n_epoch=None,
        val_check_interval=2**31,
        num_sanity_val_steps=1,
        callbacks=[length, schedule, rates],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=tmp_path,
    )
    loader = lambda batches: DataLoader([Batch()] * batches, batch_size=None)  # noqa: E731
    trainer.fit(module, loader(3), loader(1))
    return [round(rate / 0.1, 6) for rate in rates.of_steps]


def test_the_step_behind_the_last_awaited_validation_has_the_lower_rate(tmp_path):
    """The best comes first, so that the third and the fifth lower the rate for the steps behind them, to its least."""
    assert rates_with([0.5, 0.6, 0.5, 0.7, 0.5, 0.8, 0.5, 0.8, 0.8, 0.8], tmp_path) == [
        *[1.0] * 6,
        *[0.5] * 4,
        *[0.25] * 4,
        *[0.125] * 4,
        *[0.1] * 2,
    ]


def test_small_gains_and_validations_after_a_fall_do_not_count(tmp_path):
    scores = [0.5, 0.49, 0.48, 0.47, 0.46, 0.38, 0.1, 0.1]
    assert rates_with(scores, tmp_path, min_delta=0.1, cooldown=1, patience=1) == [*[1.0] * 4, *[0.5] * 4, *[0.25] * 8]
