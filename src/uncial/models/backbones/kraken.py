"""The convolutions of the recognition network that kraken trains by default, for comparison.

kraken 7 writes it in VGSL as `[1,120,0,1 Cr3,13,32 Do0.1,2 Mp2,2 Cr3,13,32 Do0.1,2 Mp2,2 Cr3,9,64 Do0.1,2 Mp2,2
Cr3,9,64 Do0.1,2 S1(1x0)1,3 Lbx200 Do0.1,2 Lbx200 Do.1,2 Lbx200 Do]`; what follows the convolutions is the head `bilstm`
with three layers of 200, the height flattened into the channels.
"""

from torch import Tensor, nn

from uncial.models.backbones.blocks import ceil_divide, halve

LAYERS = ((32, 13, True), (32, 13, True), (64, 9, True), (64, 9, False))
"""Channels, width of the kernel (3 high), and whether a 2x2 pool follows."""


class KrakenBackbone(nn.Module):
    """Four wide convolutions with ReLU, dropout of whole channels, and three 2x2 max-pools."""

    def __init__(self, in_channels: int, height: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.width_stride, self.out_height = 1, height
        layers: list[nn.Module] = []
        channels = in_channels
        for wide, kernel, pool in LAYERS:
            layers += [nn.Conv2d(channels, wide, (3, kernel), padding=(1, kernel // 2)), nn.ReLU(inplace=True)]
            layers.append(nn.Dropout2d(dropout))
            if pool:
                layers.append(nn.MaxPool2d(2, ceil_mode=True))
                self.width_stride *= 2
                self.out_height = ceil_divide(self.out_height, 2)
            channels = wide
        self.layers = nn.Sequential(*layers)
        self.out_channels = channels

    def forward(self, images: Tensor, widths: Tensor) -> tuple[Tensor, Tensor]:
        """Map images (B, C, H, W) and widths (B,) to features (B, D, h, w) and their widths (B,)."""
        return self.layers(images), halve(widths, self.width_stride)

    def frames(self, width: int) -> int:
        """Return the number of feature columns of an image of `width` pixels."""
        return ceil_divide(width, self.width_stride)
