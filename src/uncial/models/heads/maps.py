"""The head of a layout model: from features at stride 4 to maps at stride 2."""

from torch import Tensor, nn

from uncial.models.backbones.blocks import ConvolutionBlock


class MapHead(nn.Module):
    """One convolution, and the maps of four neighbouring pixels as channels."""

    scale = 2

    def __init__(self, in_channels: int, maps: int, activation: str = "silu") -> None:
        super().__init__()
        self.mix = ConvolutionBlock(in_channels, in_channels, activation_name=activation)
        self.project = nn.Conv2d(in_channels, maps * 4, 1)
        self.shuffle = nn.PixelShuffle(2)
        nn.init.normal_(self.project.weight, std=0.01)

    def forward(self, features: Tensor) -> Tensor:
        """Map features (B, D, h, w) to maps (B, maps, 2 h, 2 w): logarithms of odds where they are probabilities."""
        found: Tensor = self.shuffle(self.project(self.mix(features)))
        return found
