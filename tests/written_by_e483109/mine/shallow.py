"""A backbone that is no part of the package, as a user writes one."""

from torch import Tensor, nn


class Shallow(nn.Module):
    """One convolution, of which squares of four by four are averaged."""

    def __init__(self, in_channels: int, height: int, channels: int = 8) -> None:
        super().__init__()
        self.width_stride, self.out_height, self.out_channels = 4, height // 4, channels
        convolution = nn.Conv2d(in_channels, channels, 3, padding=1)
        self.layers = nn.Sequential(convolution, nn.ReLU(), nn.AvgPool2d(4, ceil_mode=True))

    def forward(self, images: Tensor, widths: Tensor) -> tuple[Tensor, Tensor]:
        """Map images (B, C, H, W) and widths (B,) to features (B, channels, h, w) and their widths (B,)."""
        return self.layers(images), (widths + 3) // 4

    def frames(self, width: int) -> int:
        """Return the number of feature columns of an image of `width` pixels."""
        return (width + 3) // 4
