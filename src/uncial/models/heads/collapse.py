"""From a feature map to a sequence: what becomes of the height."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from uncial.errors import UserError

KINDS = ("max", "mean", "flatten")


class HeightPooling(nn.Module):
    """Collapse the height of features by `max`, `mean`, or `flatten`, which stacks the rows into the channels."""

    def __init__(self, kind: str, in_channels: int, in_height: int) -> None:
        """Raise `UserError` for another kind."""
        super().__init__()
        if kind not in KINDS:
            raise UserError(f"model.head.collapse is {kind!r}; choose one of {', '.join(KINDS)}.")
        self.kind = kind
        self.out_channels = in_channels * in_height if kind == "flatten" else in_channels

    def forward(self, features: Tensor) -> Tensor:
        """Map (B, D, h, w) to (B, w, D')."""
        if self.kind == "flatten":
            return features.permute(0, 3, 1, 2).flatten(2)
        if self.kind == "mean":
            return features.mean(dim=2).transpose(1, 2)
        # A pool of the full height: several times faster to train through than amax.
        return functional.max_pool2d(features, (features.shape[2], 1)).squeeze(2).transpose(1, 2)


def find_real_frames(sequence: Tensor, lengths: Tensor) -> Tensor:
    """Return a mask (B, T), true where a frame of `sequence` (B, T, D) is not padding."""
    return torch.arange(sequence.shape[1], device=sequence.device) < lengths.to(sequence.device)[:, None]


def drop_padding(sequence: Tensor, lengths: Tensor) -> Tensor:
    """Return `sequence` (B, T, D) with zeros in the frames beyond each line's length."""
    return sequence * find_real_frames(sequence, lengths)[:, :, None].to(sequence.dtype)
