"""VGG16 with batch normalisation, as CRAFT has it (Baek et al. 2019; Simonyan and Zisserman 2015).

Its parts are called and numbered as in CRAFT's own files, whose weights fit it as they are (exchange/craft.py).
"""

from collections.abc import Iterator

from torch import Tensor, nn
from torch.nn import functional

STAGES = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
"""Channels of the convolutions, between which the image is halved."""

CUTS = (0, 12, 19, 29, 39)
"""The layers at which each of the first four slices begins, and at which the last of them ends."""

WIDE, DILATION = 1024, 6
"""Channels of the last slice, and the reach of its convolution."""


class VGG16(nn.Module):
    """See the module. `channels` and `strides` are those of its five feature maps, the finest first."""

    strides = (2, 4, 8, 16, 16)

    def __init__(self, in_channels: int, width: float = 1.0) -> None:
        """`width` is a factor on all channels."""
        super().__init__()
        layers = list(_make_layers(in_channels, width))
        for number in range(4):
            part = nn.Sequential()
            for place in range(CUTS[number], CUTS[number + 1]):
                part.add_module(str(place), layers[place])
            self.add_module(f"slice{number + 1}", part)
        deep, wide = _scale(STAGES[-1][-1], width), _scale(WIDE, width)
        self.slice5 = nn.Sequential(
            nn.MaxPool2d(3, 1, 1),
            nn.Conv2d(deep, wide, 3, padding=DILATION, dilation=DILATION),
            nn.Conv2d(wide, wide, 1),
        )
        self.channels = (*(_scale(stage[-1], width) for stage in STAGES[1:]), wide)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")

    def forward(self, images: Tensor) -> list[Tensor]:
        """Map images (B, C, H, W), H and W multiples of 16, to features (B, channels, H / stride, W / stride)."""
        found, features = [], images
        for number in range(1, 5):
            features = self.get_submodule(f"slice{number}")(features)
            # CRAFT's own network changes these in place where the next slice begins; the last is left as it is.
            features = functional.relu(features) if number < 4 else features
            found.append(features)
        return [*found, self.slice5(features)]


def _make_layers(in_channels: int, width: float) -> Iterator[nn.Module]:
    before = in_channels
    for number, stage in enumerate(STAGES):
        if number:
            yield nn.MaxPool2d(2, 2)
        for channels in stage:
            yield from (
                nn.Conv2d(before, _scale(channels, width), 3, padding=1),
                nn.BatchNorm2d(_scale(channels, width)),
            )
            yield nn.ReLU()
            before = _scale(channels, width)


def _scale(channels: int, width: float) -> int:
    return max(4, round(channels * width))
