"""A Transformer encoder over the columns."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from uncial.errors import UserError
from uncial.models.heads.collapse import HeightPooling, find_real_frames

POSITIONS = ("rotary", "sinusoidal")


class TransformerLayer(nn.Module):
    """Self-attention and a feed-forward network, each normalised before and added after (Xiong et al., 2020)."""

    def __init__(self, channels: int, attention_heads: int, expansion: int, dropout: float) -> None:
        super().__init__()
        self.attention_heads = attention_heads
        self.dropout_probability = dropout
        self.attention_norm = nn.LayerNorm(channels)
        self.inputs = nn.Linear(channels, 3 * channels)
        self.output = nn.Linear(channels, channels)
        self.forward_norm = nn.LayerNorm(channels)
        self.feed_forward = nn.Sequential(
            nn.Linear(channels, expansion * channels),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(expansion * channels, channels),
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, sequence: Tensor, mask: Tensor, rotation: tuple[Tensor, Tensor] | None) -> Tensor:
        """Map (B, T, D) to (B, T, D). `mask` (B, 1, 1, T) is true for the frames that may be attended to."""
        sequence = sequence + self.dropout(self._attend(self.attention_norm(sequence), mask, rotation))
        return sequence + self.dropout(self.feed_forward(self.forward_norm(sequence)))

    def _attend(self, sequence: Tensor, mask: Tensor, rotation: tuple[Tensor, Tensor] | None) -> Tensor:
        batch, frames, channels = sequence.shape
        parts = self.inputs(sequence).view(batch, frames, 3, self.attention_heads, channels // self.attention_heads)
        queries, keys, values = parts.permute(2, 0, 3, 1, 4)
        if rotation is not None:
            queries, keys = rotate(queries, *rotation), rotate(keys, *rotation)
        attended = functional.scaled_dot_product_attention(
            queries, keys, values, attn_mask=mask, dropout_p=self.dropout_probability if self.training else 0.0
        )
        return self.output(attended.transpose(1, 2).reshape(batch, frames, channels))


class TransformerHead(nn.Module):
    """Pre-norm Transformer layers.

    Positions are rotary (Su et al., RoFormer, 2021) or sinusoidal (Vaswani et al., Attention Is All You Need, 2017).
    """

    def __init__(
        self,
        in_channels: int,
        in_height: int,
        collapse: str = "max",
        layers: int = 4,
        channels: int = 256,
        attention_heads: int = 4,
        expansion: int = 4,
        positions: str = "rotary",
        dropout: float = 0.1,
    ) -> None:
        """`expansion` is the width of the feed-forward networks in multiples of `channels`.

        Raises `UserError` where `channels` is no multiple of twice `attention_heads`, or for other `positions`.
        """
        super().__init__()
        if channels % (2 * attention_heads):
            raise UserError(
                f"model.head.channels is {channels}; "
                f"it must be a multiple of twice model.head.attention_heads ({attention_heads})."
            )
        if positions not in POSITIONS:
            raise UserError(f"model.head.positions is {positions!r}; choose one of {', '.join(POSITIONS)}.")
        self.positions = positions
        self.size = channels // attention_heads if positions == "rotary" else channels
        self.collapse = HeightPooling(collapse, in_channels, in_height)
        self.entry = nn.Linear(self.collapse.out_channels, channels)
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.ModuleList(
            TransformerLayer(channels, attention_heads, expansion, dropout) for _ in range(layers)
        )
        self.norm = nn.LayerNorm(channels)
        self.out_channels = channels

    def forward(self, features: Tensor, widths: Tensor) -> tuple[Tensor, Tensor]:
        """Map features (B, D, h, w) and widths (B,) to a sequence (B, T, channels) and lengths (B,)."""
        sequence = self.entry(self.collapse(features))
        sines, cosines = compute_angles(sequence.shape[1], self.size, sequence.device)
        rotation = None
        if self.positions == "rotary":
            rotation = (sines.to(sequence.dtype), cosines.to(sequence.dtype))
        else:
            sequence = sequence + torch.cat((sines, cosines), dim=-1).to(sequence.dtype)
        sequence = self.dropout(sequence)
        mask = find_real_frames(sequence, widths)[:, None, None, :]
        for layer in self.layers:
            sequence = layer(sequence, mask, rotation)
        return self.norm(sequence), widths


def compute_angles(frames: int, size: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return sines and cosines, each (frames, size / 2), at wavelengths from 2 pi to 20,000 pi frames."""
    rates = 10_000.0 ** (-torch.arange(0, size, 2, device=device, dtype=torch.float32) / size)
    phases = torch.arange(frames, device=device, dtype=torch.float32)[:, None] * rates
    return phases.sin(), phases.cos()


def rotate(vectors: Tensor, sines: Tensor, cosines: Tensor) -> Tensor:
    """Rotate the two halves of vectors (B, N, T, size) against each other by the angles of their positions."""
    first, second = vectors.chunk(2, dim=-1)
    return torch.cat((first * cosines - second * sines, first * sines + second * cosines), dim=-1)
