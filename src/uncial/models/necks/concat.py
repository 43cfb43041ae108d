"""The decoder of CRAFT: a U-Net that joins channels (Ronneberger et al. 2015; Baek et al. 2019).

Its parts are called and numbered as in CRAFT's own files (exchange/craft.py).
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional


class ConcatNeck(nn.Module):
    """See the module. `out_channels` are those of its map, `stride` is that of the finest features."""

    def __init__(self, in_channels: Sequence[int], strides: Sequence[int]) -> None:
        """`in_channels` and `strides` are those of the encoder's features, the finest first."""
        super().__init__()
        before, middle = in_channels[-1], in_channels[-2]
        for number, finer in enumerate(in_channels[-2::-1], 1):
            after = max(1, middle // 2)
            self.add_module(f"upconv{number}", _make_block(before + finer, middle, after))
            before, middle = after, after
        self.steps = len(in_channels) - 1
        self.stride, self.out_channels = strides[0], before

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        """Map features, the finest first, to (B, out_channels, H / stride, W / stride)."""
        found = features[-1]
        for number, finer in enumerate(features[-2::-1], 1):
            if found.shape[-2:] != finer.shape[-2:]:
                found = functional.interpolate(found, size=finer.shape[-2:], mode="bilinear", align_corners=False)
            found = self.get_submodule(f"upconv{number}")(torch.cat([found, finer], 1))
        return found


def _make_block(before: int, middle: int, after: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, middle, 1),
        nn.BatchNorm2d(middle),
        nn.ReLU(),
        nn.Conv2d(middle, after, 3, padding=1),
        nn.BatchNorm2d(after),
        nn.ReLU(),
    )
