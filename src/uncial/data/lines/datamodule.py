"""The loaders of a run: which lines are trained on, validated with and tested with, and how they are batched."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import lightning as L
import numpy as np
from torch.utils.data import DataLoader

from uncial.data.lines.dataset import Batch, LineDataset
from uncial.data.lines.loader import build_loader
from uncial.data.lines.sampler import EvaluationSampler, TrainingSampler

AHEAD = 4
"""Batches that each loader process makes before they are asked for."""


@dataclass(frozen=True)
class LoaderConfig:
    """How lines become batches.

    `batch_width` bounds a batch's padded width (lines times the widest) in pixels of model input, `max_lines` its
    lines; in validation and test the other two. In training the batch is that of all devices together. `workers` are
    processes beside each main one.
    """

    batch_width: int
    max_lines: int
    evaluation_batch_width: int
    evaluation_max_lines: int
    workers: int = 0


@dataclass(frozen=True)
class SplitSubset:
    """The lines of one side of the split, and the width in pixels of each as the model pads it: (lines,) int64."""

    dataset: LineDataset
    widths: np.ndarray


class LineDataModule(L.LightningDataModule):
    """Loaders over the parts (`train`, `val`, `test`) that the run needs.

    `read_position` says of a trainer in which epoch (from 0) it stands and how many batches of it are done, so that a
    run that is resumed trains on the lines that come next; None begins with the first.
    """

    def __init__(
        self,
        parts: Mapping[str, SplitSubset],
        loading: LoaderConfig,
        seed: int,
        read_position: Callable[[L.Trainer], tuple[int, int]] | None = None,
    ) -> None:
        super().__init__()
        self.parts, self.loading, self.seed, self.read_position = parts, loading, seed, read_position

    def train_dataloader(self) -> DataLoader[Batch]:
        part = self.parts["train"]
        sampler = build_training_sampler(part, self.loading, self.seed, *self._place())
        if self.trainer and self.read_position is not None:
            sampler.start_at(*self.read_position(self.trainer))
        return self._loader(part.dataset, sampler)

    def val_dataloader(self) -> DataLoader[Batch]:
        return self._evaluation(self.parts["val"])

    def test_dataloader(self) -> DataLoader[Batch]:
        return self._evaluation(self.parts["test"])

    def _evaluation(self, part: SplitSubset) -> DataLoader[Batch]:
        how = self.loading
        sampler = EvaluationSampler(part.widths, how.evaluation_batch_width, how.evaluation_max_lines, *self._place())
        return self._loader(part.dataset, sampler)

    def _place(self) -> tuple[int, int]:
        """Return the number of this process, and how many there are."""
        return (self.trainer.global_rank, self.trainer.world_size) if self.trainer else (0, 1)

    def _loader(self, dataset: LineDataset, sampler: TrainingSampler | EvaluationSampler) -> DataLoader[Batch]:
        return build_loader(dataset, sampler, self.loading.workers, AHEAD)


def build_training_sampler(
    part: SplitSubset, loading: LoaderConfig, seed: int, rank: int = 0, world_size: int = 1
) -> TrainingSampler:
    """Return the batches of the training; its length is the number of batches of an epoch."""
    return TrainingSampler(part.widths, seed, loading.batch_width, loading.max_lines, rank, world_size)
