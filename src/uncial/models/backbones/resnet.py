"""The residual backbone of Retsinas et al., Best Practices for a Handwritten Text Recognition System, 2022."""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from uncial.errors import UserError
from uncial.models.backbones.blocks import ConvolutionBlock, ceil_divide, halve


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with the input added, through a 1x1 convolution where the channels change."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.first = ConvolutionBlock(in_channels, out_channels)
        self.second = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(out_channels)
        self.shortcut: nn.Module = nn.Identity()
        if in_channels != out_channels:
            self.shortcut = nn.Sequential(
                nn.Conv2d(in_channels, out_channels, 1, bias=False), nn.BatchNorm2d(out_channels)
            )

    def forward(self, features: Tensor) -> Tensor:
        """Map (B, D, h, w) to (B, D', h, w)."""
        return functional.relu(self.norm(self.second(self.first(features))) + self.shortcut(features))


class ResNetBackbone(nn.Module):
    """A 7x7 stem, then groups of residual blocks with a 2x2 max-pool between them."""

    def __init__(
        self,
        in_channels: int,
        height: int,
        stem: int = 32,
        stem_stride: int = 2,
        stages: Sequence[Sequence[int]] = ((64, 2), (128, 4), (256, 4)),
        dropout: float = 0.0,
    ) -> None:
        """`stages` holds for each stage its channels and its number of residual blocks. `stem_stride` shrinks the
        height, and the width by 2.

        Raises `UserError` for a stage that is not two positive numbers, or another stem stride than 2 or 4.
        """
        super().__init__()
        if stem_stride not in (2, 4):
            raise UserError(f"model.backbone.stem_stride is {stem_stride}; 2 and 4 are possible.")
        self.width_stride, self.out_height = 2, ceil_divide(height, stem_stride)
        layers: list[nn.Module] = [ConvolutionBlock(in_channels, stem, 7, (stem_stride, 2))]
        channels = stem
        for index, stage in enumerate(stages):
            if len(stage) != 2 or min(stage) < 1:
                raise UserError(
                    f"model.backbone.stages[{index}] is {list(stage)}; write [channels, blocks], each 1 or more."
                )
            if index:
                along = 2 if index == 1 else 1
                layers.append(nn.MaxPool2d((2, along), ceil_mode=True))
                self.width_stride *= along
                self.out_height = ceil_divide(self.out_height, 2)
            for _ in range(stage[1]):
                layers.append(ResidualBlock(channels, stage[0]))
                channels = stage[0]
            if dropout:
                layers.append(nn.Dropout2d(dropout))
        self.layers = nn.Sequential(*layers)
        self.out_channels = channels

    def forward(self, images: Tensor, widths: Tensor) -> tuple[Tensor, Tensor]:
        """Map images (B, C, H, W) and widths (B,) to features (B, D, h, w) and their widths (B,)."""
        return self.layers(images), halve(widths, self.width_stride)

    def frames(self, width: int) -> int:
        """Return the number of feature columns of an image of `width` pixels."""
        return ceil_divide(width, self.width_stride)
