"""The encoder of pages: plain convolutions at four scales, and at the coarsest one what a whole row and column hold.

Its cost is 8 (tiny), 25 (base) and 75 (large) thousand million multiplications for each megapixel with the neck `add`
and the head `layout`; the first convolution sees blocks of four by four pixels as channels, where a stride would pass
pixels over.
"""

import torch
from torch import Tensor, nn

from uncial.errors import UserError
from uncial.models.backbones.blocks import ConvolutionBlock, activation

SIZES: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "tiny": ((32, 64, 96, 128), (1, 1, 1, 1)),
    "base": ((64, 96, 160, 224), (1, 2, 2, 2)),
    "large": ((96, 160, 288, 448), (2, 3, 3, 3)),
}
"""Channels and residual blocks at the strides 4, 8, 16 and 32."""


def choose_size(name: str, sizes: dict[str, tuple], key: str) -> tuple:
    """Return what a table says of a size. Raises `UserError` for one that it has not."""
    if name not in sizes:
        raise UserError(f"{key} is {name!r}; choose one of {', '.join(sizes)}.")
    return sizes[name]


class ResidualBlock(nn.Module):
    """Two convolutions, whose result is added to what they were given."""

    def __init__(self, channels: int, activation_name: str) -> None:
        super().__init__()
        self.first = ConvolutionBlock(channels, channels, activation_name=activation_name)
        self.second = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        self.activation = activation(activation_name)

    def forward(self, features: Tensor) -> Tensor:
        """Map (B, D, h, w) to the same shape."""
        found: Tensor = self.activation(features + self.norm(self.second(self.first(features))))
        return found


class AxialContext(nn.Module):
    """Adds to each place what its whole row and its whole column hold, and where on the page it is: columns and margins
    are known by what stands far away."""

    def __init__(self, channels: int, activation_name: str) -> None:
        super().__init__()
        self.of_row, self.of_column = nn.Conv2d(channels, channels, 1), nn.Conv2d(channels, channels, 1)
        self.mix = ConvolutionBlock(channels + 2, channels, activation_name=activation_name)

    def forward(self, features: Tensor) -> Tensor:
        """Map (B, D, h, w) to the same shape."""
        batch, _, height, width = features.shape
        down = torch.linspace(-1, 1, height, device=features.device, dtype=features.dtype).view(1, 1, height, 1)
        right = torch.linspace(-1, 1, width, device=features.device, dtype=features.dtype).view(1, 1, 1, width)
        wide = features + self.of_row(features.mean(3, keepdim=True)) + self.of_column(features.mean(2, keepdim=True))
        places = [axis.expand(batch, 1, height, width).to(wide.dtype) for axis in (down, right)]
        found: Tensor = self.mix(torch.cat([wide, *places], 1))
        return found


class PageEncoder(nn.Module):
    """See the module. `channels` and `strides` are those of its four feature maps, the finest first."""

    strides = (4, 8, 16, 32)

    def __init__(self, in_channels: int, size: str = "base", activation: str = "silu", context: bool = True) -> None:
        """`size` is tiny, base or large; without `context` a place knows what is near it alone."""
        super().__init__()
        self.channels, blocks = choose_size(size, SIZES, "model.backbone.size")
        self.unshuffle = nn.PixelUnshuffle(4)
        before = (in_channels * 16, *self.channels)
        self.stages = nn.ModuleList(
            nn.Sequential(
                ConvolutionBlock(before[place], channels, stride=1 if place == 0 else 2, activation_name=activation),
                *(ResidualBlock(channels, activation) for _ in range(count)),
            )
            for place, (channels, count) in enumerate(zip(self.channels, blocks, strict=True))
        )
        self.context = AxialContext(self.channels[-1], activation) if context else nn.Identity()

    def forward(self, images: Tensor) -> list[Tensor]:
        """Map images (B, C, H, W), H and W multiples of 32, to features (B, channels, H / stride, W / stride)."""
        features = self.unshuffle(images).contiguous(memory_format=torch.channels_last)
        found = []
        for stage in self.stages:
            features = stage(features)
            found.append(features)
        return [*found[:-1], self.context(found[-1])]
