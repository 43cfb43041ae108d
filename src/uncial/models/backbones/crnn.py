"""The small, fast backbone of the default model: a strided stem and a few plain convolutions between max-pools."""

from collections.abc import Sequence

from torch import Tensor, nn

from uncial.errors import UserError
from uncial.models.backbones.blocks import ConvolutionBlock, ceil_divide, halve


class CRNNBackbone(nn.Module):
    """A stem of stride 2, then stages of 3x3 convolutions, each begun by a max-pool.

    After Shi et al., An End-to-End Trainable Neural Network for Image-based Sequence Recognition, 2015; the strided
    stem is this project's: a convolution over the whole height and width costs more time on a CPU than all the others.
    """

    def __init__(
        self,
        in_channels: int,
        height: int,
        stem: int = 32,
        stem_kernel: int = 5,
        stages: Sequence[Sequence[int]] = ((64, 2, 2, 2), (128, 2, 2, 1), (192, 2, 2, 1)),
        activation: str = "relu",
        residual: bool = True,
        dropout: float = 0.1,
    ) -> None:
        """`stages` holds for each stage its channels, its number of convolutions, and the factors by which the
        pool before it shrinks height and width. `dropout` drops whole channels after each stage but the first.

        Raises `UserError` for a stage that is not four positive numbers, and for an even kernel.
        """
        super().__init__()
        if stem_kernel % 2 == 0:
            raise UserError(f"model.backbone.stem_kernel is {stem_kernel}; an odd number of pixels is needed.")
        self.width_stride, self.out_height = 2, ceil_divide(height, 2)
        layers: list[nn.Module] = [ConvolutionBlock(in_channels, stem, stem_kernel, 2, activation)]
        channels = stem
        for index, stage in enumerate(stages):
            if len(stage) != 4 or min(stage) < 1:
                raise UserError(
                    f"model.backbone.stages[{index}] is {list(stage)}; "
                    "write [channels, convolutions, pool height, pool width], each 1 or more."
                )
            wide, convolutions, down, along = stage
            if (down, along) != (1, 1):
                layers.append(nn.MaxPool2d((down, along), ceil_mode=True))
            for _ in range(convolutions):
                layers.append(ConvolutionBlock(channels, wide, 3, 1, activation, residual))
                channels = wide
            if dropout and index:
                layers.append(nn.Dropout2d(dropout))
            self.width_stride *= along
            self.out_height = ceil_divide(self.out_height, down)
        self.layers = nn.Sequential(*layers)
        self.out_channels = channels

    def forward(self, images: Tensor, widths: Tensor) -> tuple[Tensor, Tensor]:
        """Map images (B, C, H, W) and widths (B,) to features (B, D, h, w) and their widths (B,)."""
        return self.layers(images), halve(widths, self.width_stride)

    def frames(self, width: int) -> int:
        """Return the number of feature columns of an image of `width` pixels."""
        return ceil_divide(width, self.width_stride)
