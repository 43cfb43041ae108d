"""The batch form of line recognition."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(slots=True)
class Batch:
    """Preprocessed line images, padded on the right with background to one width, and their texts.

    `images` is (B, C, H, W) uint8, ink dark on a light background (padding 255). `widths` is (B,) int64: the pixels of
    each line that are not padding. `targets` is (sum of target_lengths,) int64, the encoded texts one after the other;
    both are empty tensors where lines have no text. `texts` holds the normalised ground truth, None where a line has
    none. `indices` are the rows of the compiled store.
    """

    images: Tensor
    widths: Tensor
    targets: Tensor
    target_lengths: Tensor
    texts: list[str | None]
    indices: list[int]

    def alone(self, row: int) -> "Batch":
        """The batch of its line `row` only, as wide as before."""
        start = int(self.target_lengths[:row].sum())
        return Batch(
            images=self.images[row : row + 1],
            widths=self.widths[row : row + 1],
            targets=self.targets[start : start + int(self.target_lengths[row])],
            target_lengths=self.target_lengths[row : row + 1],
            texts=self.texts[row : row + 1],
            indices=self.indices[row : row + 1],
        )
