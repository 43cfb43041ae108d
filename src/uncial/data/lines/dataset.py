"""Lines of a store as a torch dataset, and the batch that is made of them."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from uncial.data.lines.sampler import SampleIndex
from uncial.data.store.store import Store
from uncial.text.codec import Codec
from uncial.text.rules import TextRules


@dataclass(slots=True)
class Batch:
    """Preprocessed line images, padded on the right with background to one width, and their texts.

    `images` is (B, C, H, W) uint8, ink dark on a light background (padding 255). `widths` is (B,) int64: the pixels of
    each line that are not padding. `targets` is (sum of target_lengths,) int64, the encoded texts one after the other;
    both are empty tensors where lines have no text. `texts` holds the normalised ground truth, None where a line has
    none. `indices` are the rows of the compiled store. `loss_weight` is what the batch's mean loss is multiplied by, so
    that the mean over the processes that share a step is the mean over all its lines; 0 where the lines are others' and
    the batch only keeps a process in step. `infeasible` are the lines, by their place in the batch, whose text has no
    room in their image, so that they add nothing to the loss."""

    images: Tensor
    widths: Tensor
    targets: Tensor
    target_lengths: Tensor
    texts: list[str | None]
    indices: list[int]
    loss_weight: float = 1.0
    infeasible: tuple[int, ...] = ()

    def select(self, position: int) -> "Batch":
        """Return the batch of its line at `position` only, as wide as before."""
        start = int(self.target_lengths[:position].sum())
        return Batch(
            images=self.images[position : position + 1],
            widths=self.widths[position : position + 1],
            targets=self.targets[start : start + int(self.target_lengths[position])],
            target_lengths=self.target_lengths[position : position + 1],
            texts=self.texts[position : position + 1],
            indices=self.indices[position : position + 1],
            infeasible=(0,) if position in self.infeasible else (),
        )


BACKGROUND = 255

Preprocess = Callable[[np.ndarray], np.ndarray]
"""Strip (h, w[, 3]) uint8 to the model's line image (H, W[, 3]) uint8."""

Augment = Callable[[np.ndarray, int, int, int], np.ndarray]
"""Line image, seed, epoch and row of the store to a line image of the same size."""


class LineDataset(Dataset[Batch]):
    """The lines of a store that belong to one part of the split.

    A whole batch is asked for at once, so that padding and encoding are done in the worker. What a line looks like is
    a function of (seed, epoch, line) alone. `infeasible` are rows of the store whose text has no room in their image,
    which batches tell of.
    """

    def __init__(
        self,
        store: Store,
        rows: np.ndarray,
        preprocess: Preprocess,
        codec: Codec,
        rules: TextRules,
        augment: Augment | None = None,
        seed: int = 0,
        infeasible: Collection[int] = (),
    ) -> None:
        self.store, self.rows, self.preprocess, self.augment, self.seed = store, rows, preprocess, augment, seed
        self.codec, self.rules, self.infeasible = codec, rules, frozenset(infeasible)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, pick: SampleIndex) -> Batch:
        return self.__getitems__([pick])

    def __getitems__(self, picks: Sequence[SampleIndex]) -> Batch:
        rows = [int(self.rows[pick.position]) for pick in picks]
        images = [self._image(row, pick.epoch) for row, pick in zip(rows, picks, strict=True)]
        texts = [self.rules.prepare(self.store.value(row, "text")) for row in rows]
        batch = make_batch(images, texts, rows, self.codec, self.rules, least_width=picks[0].width)
        batch.loss_weight = picks[0].share
        batch.infeasible = tuple(place for place, row in enumerate(rows) if row in self.infeasible)
        self.store.let_go()
        return batch

    def _image(self, row: int, epoch: int) -> np.ndarray:
        image = self.preprocess(self.store.strip(row))
        return image if self.augment is None else self.augment(image, self.seed, epoch, row)


def make_batch(
    images: Sequence[np.ndarray],
    texts: Sequence[str | None],
    indices: Sequence[int],
    codec: Codec | None,
    rules: TextRules | None = None,
    least_width: int = 0,
) -> Batch:
    """Joins preprocessed line images, (H, w) or (H, w, C) uint8 each, into one batch padded with background, to
    `least_width` where all are narrower.

    The targets are in the order in which the characters stand on the line, by `rules`, or in that of the texts where
    none are given. Characters that the codec cannot write are left out of the targets, but stay in the texts: the
    score counts them.
    """
    widths = [image.shape[1] for image in images]
    height, channels = images[0].shape[0], 1 if images[0].ndim == 2 else images[0].shape[2]
    pixels = np.full((len(images), channels, height, max(least_width, *widths)), BACKGROUND, dtype=np.uint8)
    for place, image in zip(pixels, images, strict=True):
        place[:, :, : image.shape[1]] = image[None] if image.ndim == 2 else image.transpose(2, 0, 1)
    labels = [_encode_labels(text, codec, rules or TextRules()) for text in texts]
    return Batch(
        images=torch.from_numpy(pixels),
        widths=torch.tensor(widths),
        targets=torch.tensor([label for line in labels for label in line], dtype=torch.int64),
        target_lengths=torch.tensor([len(line) for line in labels]),
        texts=list(texts),
        indices=list(indices),
    )


def _encode_labels(text: str | None, codec: Codec | None, rules: TextRules) -> list[int]:
    return [] if not text or codec is None else codec.encode_known(rules.to_visual(text))
