"""Which lines make a batch: like widths under a budget of pixels in training, equal widths in evaluation."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from torch.utils.data import Sampler

from uncial.errors import UserError


class SampleIndex(NamedTuple):
    """One line of a batch: its position in the data set, and the epoch, on which its augmentation depends.

    The rest is the same for all lines of a batch, and is said where several processes share a step: what the batch
    counts for (`Batch.loss_weight`), and the least width in pixels to pad it to, so that padding is as in one process.
    """

    position: int
    epoch: int
    share: float = 1.0
    width: int = 0


def compute_batch_sizes(widths: np.ndarray, batch_width: int, max_lines: int) -> list[int]:
    """Return how many lines each batch holds when lines are taken in order of width, narrow ones first.

    A batch is as large as `max_lines` and its padded width in pixels (lines times the widest) allow.
    """
    sizes: list[int] = []
    size = 0
    for width in np.sort(widths).tolist():
        if size and (size == max_lines or width * (size + 1) > batch_width):
            sizes.append(size)
            size = 0
        size += 1
    if size:
        sizes.append(size)
    return sizes


def compute_training_order(widths: np.ndarray, sizes: Sequence[int], seed: int, epoch: int) -> list[list[int]]:
    """Batches of positions in `widths`, each position once, in an order that (seed, epoch) alone decides.

    Lines are sorted by width with a little noise, so that a line meets others from epoch to epoch, cut into batches of
    the given sizes, and the batches are shuffled.
    """
    random = np.random.default_rng((seed, epoch))
    order = np.lexsort((random.permutation(len(widths)), widths * random.uniform(0.985, 1.015, len(widths))))
    ends = np.cumsum(sizes)
    batches = [order[end - size : end].tolist() for size, end in zip(sizes, ends, strict=True)]
    return [batches[index] for index in random.permutation(len(batches))]


def make_evaluation_batches(widths: np.ndarray, batch_width: int, max_lines: int) -> list[list[int]]:
    """Batches of positions whose padded widths are equal, so that no line's result depends on its neighbours."""
    batches: list[list[int]] = []
    for width in np.unique(widths):
        positions = np.flatnonzero(widths == width).tolist()
        size = max(1, min(max_lines, batch_width // max(1, int(width))))
        batches += [positions[start : start + size] for start in range(0, len(positions), size)]
    return batches


class TrainingSampler(Sampler[list[SampleIndex]]):
    """Each line once an epoch, another order each epoch; every epoch has the same number of batches.

    The batches are those of one process, whoever takes part: the lines of each are dealt to `world_size` processes, so
    that all make the same steps, and process `rank` takes every `world_size`-th line. One that is left without a line
    repeats one of the others', which then counts for nothing. Which epoch an iteration is has to be said before it,
    with `set_epoch` or `start_at`.
    """

    def __init__(
        self, widths: np.ndarray, seed: int, batch_width: int, max_lines: int, rank: int = 0, world_size: int = 1
    ) -> None:
        if len(widths) < world_size:
            raise UserError(
                f"The train part holds {len(widths)} lines for {world_size} processes: "
                "give it more, or lower trainer.devices."
            )
        self.widths, self.seed, self.rank, self.world_size = widths, seed, rank, world_size
        self.sizes = compute_batch_sizes(widths, batch_width, max_lines)
        self.epoch = 0
        self.skip = 0

    @property
    def sampler(self) -> "TrainingSampler":
        """Itself: of a batch sampler Lightning tells this one at which epoch the training stands."""
        return self

    def set_epoch(self, epoch: int) -> None:
        """An iteration is this epoch's from now on, and a whole one unless the epoch has been started at a batch."""
        if epoch != self.epoch:
            self.start_at(epoch, 0)

    def start_at(self, epoch: int, batches_done: int) -> None:
        """An iteration is this epoch's from now on, without the batches that are already done."""
        self.epoch, self.skip = epoch, batches_done

    def __len__(self) -> int:
        return len(self.sizes)

    def __iter__(self) -> Iterator[list[SampleIndex]]:
        epoch, skip = self.epoch, self.skip
        for batch in compute_training_order(self.widths, self.sizes, self.seed, epoch)[skip:]:
            yield self._dealt(batch, epoch)

    def _dealt(self, batch: list[int], epoch: int) -> list[SampleIndex]:
        if self.world_size == 1:
            return [SampleIndex(position, epoch) for position in batch]
        own = batch[self.rank :: self.world_size]
        share = len(own) * self.world_size / len(batch)
        width = int(self.widths[batch].max())
        return [SampleIndex(position, epoch, share, width) for position in own or batch[:1]]


class EvaluationSampler(Sampler[list[SampleIndex]]):
    """The same batches of equal widths in the same order each time, narrow and wide ones mixed, so that how long the
    first of them take tells how long all do.

    Process `rank` of `world_size` takes every `world_size`-th of the batches. All have as many: one that is left
    without repeats the first batch, which then counts for nothing.
    """

    def __init__(
        self, widths: np.ndarray, batch_width: int, max_lines: int, rank: int = 0, world_size: int = 1
    ) -> None:
        batches = make_evaluation_batches(widths, batch_width, max_lines)
        self.batches = [batches[index] for index in np.random.default_rng(0).permutation(len(batches))]
        self.pixels = [int(widths[batch].sum()) for batch in self.batches]
        self.rank, self.world_size = rank, world_size

    def __len__(self) -> int:
        return -(-len(self.batches) // self.world_size)

    def share(self, count: int) -> float:
        """Of all columns of pixels that this process reads, those of its first `count` batches."""
        own = self.pixels[self.rank :: self.world_size]
        return sum(own[:count]) / sum(own) if own else 1.0

    def __iter__(self) -> Iterator[list[SampleIndex]]:
        for batch in self.batches[self.rank :: self.world_size]:
            yield [SampleIndex(position, 0) for position in batch]
        if self.rank >= len(self.batches) % self.world_size > 0:
            yield [SampleIndex(position, 0, share=0.0) for position in self.batches[0]]
