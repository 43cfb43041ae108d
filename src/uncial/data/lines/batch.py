"""The batch form of line recognition."""

from dataclasses import dataclass

from torch import Tensor


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
