"""Gated depthwise convolutions over the columns: context without recurrence."""

from torch import Tensor, nn
from torch.nn import functional

from uncial.models.heads.collapse import HeightPooling, drop_padding


class GatedConvolution(nn.Module):
    """A residual block: normalise, widen and gate, convolve each channel along the line, and project back.

    After the convolution module of Gulati et al., Conformer, 2020, with layer instead of batch normalisation.
    """

    def __init__(self, channels: int, kernel: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.widen = nn.Linear(channels, 2 * channels)
        self.along = nn.Conv1d(channels, channels, kernel, padding=kernel // 2, groups=channels)
        self.project = nn.Linear(channels, channels)
        self.dropout = nn.Dropout(dropout)

    def forward(self, sequence: Tensor, lengths: Tensor) -> Tensor:
        """Map (B, T, D) to (B, T, D); frames beyond the lengths (B,) do not reach the others."""
        gated = drop_padding(functional.glu(self.widen(self.norm(sequence))), lengths)
        mixed = self.along(gated.transpose(1, 2)).transpose(1, 2)
        return sequence + self.dropout(self.project(functional.silu(mixed)))


class ConvHead(nn.Module):
    """Layers of gated convolutions of one width."""

    def __init__(
        self,
        in_channels: int,
        in_height: int,
        collapse: str = "max",
        layers: int = 4,
        channels: int = 256,
        kernel: int = 9,
        dropout: float = 0.1,
    ) -> None:
        """`kernel` is the reach of a layer in frames, an odd number."""
        super().__init__()
        self.collapse = HeightPooling(collapse, in_channels, in_height)
        self.entry = nn.Linear(self.collapse.out_channels, channels)
        self.layers = nn.ModuleList(GatedConvolution(channels, kernel | 1, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(channels)
        self.out_channels = channels

    def forward(self, features: Tensor, widths: Tensor) -> tuple[Tensor, Tensor]:
        """Map features (B, D, h, w) and widths (B,) to a sequence (B, T, channels) and lengths (B,)."""
        sequence = self.entry(self.collapse(features))
        for layer in self.layers:
            sequence = layer(sequence, widths)
        return self.norm(sequence), widths
