"""The head of CRAFT: convolutions alone, at the scale of the features.

Its layers are numbered as in CRAFT's own files (exchange/craft.py).
"""

from torch import Tensor, nn


class ConvolutionHead(nn.Module):
    """Five convolutions, the last of which gives the maps."""

    scale = 1

    def __init__(self, in_channels: int, maps: int) -> None:
        super().__init__()
        half = max(1, in_channels // 2)
        self.layers = nn.Sequential(
            nn.Conv2d(in_channels, in_channels, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(in_channels, in_channels, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(in_channels, half, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(half, half, 1),
            nn.ReLU(),
            nn.Conv2d(half, maps, 1),
        )

    def forward(self, features: Tensor) -> Tensor:
        """Map features (B, D, h, w) to maps (B, maps, h, w)."""
        found: Tensor = self.layers(features)
        return found
