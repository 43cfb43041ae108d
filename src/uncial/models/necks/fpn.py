"""A feature pyramid (Lin et al. 2017) as DBNet has it: what is coarse is added to what is finer, and all of it joined
at the finest scale (Liao et al. 2020)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from uncial.models.backbones.blocks import ConvolutionBlock


class FPNNeck(nn.Module):
    """See the module. `out_channels` are those of its map, `stride` is that of the finest features."""

    def __init__(self, in_channels: Sequence[int], strides: Sequence[int], channels: int = 256) -> None:
        """`in_channels` and `strides` are those of the encoder's features, the finest first; `channels` those of each
        scale of the pyramid."""
        super().__init__()
        part = max(1, channels // len(in_channels))
        self.stride, self.out_channels = strides[0], part * len(in_channels)
        self.lateral = nn.ModuleList(nn.Conv2d(one, channels, 1, bias=False) for one in in_channels)
        self.smooth = nn.ModuleList(ConvolutionBlock(channels, part) for _ in in_channels)

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        """Map features, the finest first, to (B, out_channels, H / stride, W / stride)."""
        levels = [lateral(one) for lateral, one in zip(self.lateral, features, strict=True)]
        for place in range(len(levels) - 2, -1, -1):
            levels[place] = levels[place] + functional.interpolate(levels[place + 1], size=levels[place].shape[-2:])
        size = levels[0].shape[-2:]
        joined = [
            functional.interpolate(smooth(level), size=size) for smooth, level in zip(self.smooth, levels, strict=True)
        ]
        return torch.cat(joined, 1)
