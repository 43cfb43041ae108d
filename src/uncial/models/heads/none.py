"""No head: the collapsed features are the sequence."""

from torch import Tensor, nn

from uncial.models.heads.collapse import HeightPooling


class NoHead(nn.Module):
    """Collapse the height, and nothing else: the backbone's field of view is all the context there is."""

    def __init__(self, in_channels: int, in_height: int, collapse: str = "max", dropout: float = 0.1) -> None:
        super().__init__()
        self.collapse = HeightPooling(collapse, in_channels, in_height)
        self.dropout = nn.Dropout(dropout)
        self.out_channels = self.collapse.out_channels

    def forward(self, features: Tensor, widths: Tensor) -> tuple[Tensor, Tensor]:
        """Map features (B, D, h, w) and widths (B,) to a sequence (B, T, D') and lengths (B,)."""
        return self.dropout(self.collapse(features)), widths
