"""The loaders of a layout run: which pages are trained on, validated with and tested with, and how they are batched."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import lightning as L
import numpy as np
from torch.utils.data import DataLoader, Dataset

from uncial.data.lines.loader import build_loader
from uncial.data.lines.sampler import EvaluationSampler, TrainingSampler
from uncial.data.pages.dataset import PageBatch, TrainingPages, WholePages

AHEAD = 2
"""Batches that each loader process makes before they are asked for."""


@dataclass(frozen=True)
class PageLoading:
    """`batch_pages` windows make the batch of all devices together; `workers` are processes beside each main one."""

    batch_pages: int
    workers: int = 0


class PageDataModule(L.LightningDataModule):
    """Loaders over the parts (`train`, `val`, `test`) that the run needs.

    `read_position` says of a trainer in which epoch (from 0) it stands and how many batches of it are done, so that a
    run that is resumed trains on what comes next; None begins with the first.
    """

    def __init__(
        self,
        training: TrainingPages | None,
        evaluation: Mapping[str, WholePages],
        loading: PageLoading,
        seed: int,
        read_position: Callable[[L.Trainer], tuple[int, int]] | None = None,
    ) -> None:
        super().__init__()
        self.training, self.evaluation, self.loading = training, evaluation, loading
        self.seed, self.read_position = seed, read_position

    def train_dataloader(self) -> DataLoader[PageBatch]:
        assert self.training is not None
        sampler = build_page_sampler(len(self.training), self.loading, self.seed, *self._place())
        if self.trainer and self.read_position is not None:
            sampler.start_at(*self.read_position(self.trainer))
        return self._loader(self.training, sampler)

    def val_dataloader(self) -> DataLoader[PageBatch]:
        return self._evaluation("val")

    def test_dataloader(self) -> DataLoader[PageBatch]:
        return self._evaluation("test")

    def _evaluation(self, part: str) -> DataLoader[PageBatch]:
        pages = self.evaluation[part]
        return self._loader(pages, EvaluationSampler(np.ones(len(pages), np.int64), 1, 1, *self._place()))

    def _place(self) -> tuple[int, int]:
        """Return the number of this process, and how many there are."""
        return (self.trainer.global_rank, self.trainer.world_size) if self.trainer else (0, 1)

    def _loader(
        self, dataset: Dataset[PageBatch], sampler: TrainingSampler | EvaluationSampler
    ) -> DataLoader[PageBatch]:
        return build_loader(dataset, sampler, self.loading.workers, AHEAD)


def build_page_sampler(
    pages: int, loading: PageLoading, seed: int, rank: int = 0, world_size: int = 1
) -> TrainingSampler:
    """Return the batches of the training; its length is the number of batches of an epoch."""
    return TrainingSampler(np.ones(pages, np.int64), seed, loading.batch_pages, loading.batch_pages, rank, world_size)
