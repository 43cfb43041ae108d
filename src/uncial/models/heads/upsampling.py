"""The head of DBNet: a branch for each map, at the scale of the image (Liao et al. 2020)."""

import torch
from torch import Tensor, nn

from uncial.models.backbones.blocks import ConvolutionBlock


class UpsamplingHead(nn.Module):
    """For each map a convolution and two learned steps, each of which doubles its size."""

    scale = 4

    def __init__(self, in_channels: int, maps: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList(_make_branch(in_channels) for _ in range(maps))

    def forward(self, features: Tensor) -> Tensor:
        """Map features (B, D, h, w) to maps (B, maps, 4 h, 4 w): logarithms of odds."""
        return torch.cat([branch(features) for branch in self.branches], 1)


def _make_branch(channels: int) -> nn.Sequential:
    part = max(1, channels // 4)
    return nn.Sequential(
        ConvolutionBlock(channels, part),
        nn.ConvTranspose2d(part, part, 2, 2),
        nn.BatchNorm2d(part),
        nn.ReLU(),
        nn.ConvTranspose2d(part, 1, 2, 2),
    )
