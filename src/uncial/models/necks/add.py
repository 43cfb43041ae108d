"""A decoder of pages: from the coarsest features to the finest, each step added to what the encoder saw there.

Sums instead of joined channels (U-Net's) cost a quarter less and lost nothing.
"""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from uncial.errors import UserError
from uncial.models.backbones.blocks import ConvolutionBlock
from uncial.models.backbones.page import choose_size

SIZES: dict[str, tuple[int, ...]] = {"tiny": (64, 64, 48), "base": (128, 96, 64), "large": (192, 160, 96)}
"""Channels at the strides 16, 8 and 4."""


class AddNeck(nn.Module):
    """See the module. `out_channels` are those of its map, `stride` is that of the finest features."""

    def __init__(
        self, in_channels: Sequence[int], strides: Sequence[int] = (), size: str = "base", activation: str = "silu"
    ) -> None:
        """`in_channels` and `strides` are those of the encoder's features, four of them, the finest first."""
        super().__init__()
        if len(in_channels) != 4:
            raise UserError(
                f"model.neck: add joins features at four scales, and the backbone gives {len(in_channels)}."
            )
        self.stride = strides[0] if strides else 4
        widths = choose_size(size, SIZES, "model.neck.size")
        finer = list(in_channels)[-2::-1]
        before = (in_channels[-1], *widths)
        self.upward = nn.ModuleList(nn.Conv2d(a, b, 1) for a, b in zip(before, widths, strict=False))
        self.lateral = nn.ModuleList(nn.Conv2d(a, b, 1) for a, b in zip(finer, widths, strict=True))
        self.mix = nn.ModuleList(ConvolutionBlock(width, width, activation_name=activation) for width in widths)
        self.out_channels = widths[-1]

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        """Map features, the finest first, to (B, out_channels, H / 4, W / 4)."""
        found = features[-1]
        for up, across, mix, finer in zip(self.upward, self.lateral, self.mix, features[-2::-1], strict=True):
            found = mix(functional.interpolate(up(found), size=finer.shape[-2:], mode="nearest") + across(finer))
        return found
