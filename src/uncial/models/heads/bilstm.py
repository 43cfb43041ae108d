"""Bidirectional LSTM layers over the columns."""

from torch import Tensor, nn

from uncial.models.heads.collapse import HeightPooling, drop_padding


class ChannelDropout(nn.Module):
    """Dropout of a channel over the whole line, as kraken's `Do0.1,2` does after an LSTM."""

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout1d(probability)

    def forward(self, sequence: Tensor) -> Tensor:
        """Map (B, T, D) to (B, T, D)."""
        return self.dropout(sequence.transpose(1, 2)).transpose(1, 2)


class BiLSTMHead(nn.Module):
    """One or more bidirectional LSTM layers.

    Sequences are not packed: oneDNN's LSTM takes none, and the batches hold lines of like width. Padding reaches the
    layers as zeros.
    """

    def __init__(
        self,
        in_channels: int,
        in_height: int,
        collapse: str = "max",
        layers: int = 2,
        hidden: int = 192,
        dropout: float = 0.2,
        output_dropout: float = 0.2,
        drop_channels: bool = True,
    ) -> None:
        """`hidden` counts the cells of one direction. `dropout` acts before and between layers, `output_dropout` after
        the last; with `drop_channels` the dropout between layers drops a channel over the whole line, and there is none
        before the first.
        """
        super().__init__()
        self.collapse = HeightPooling(collapse, in_channels, in_height)
        width = self.collapse.out_channels
        self.layers = nn.ModuleList()
        self.dropouts = nn.ModuleList()
        for index in range(layers):
            self.layers.append(nn.LSTM(width, hidden, batch_first=True, bidirectional=True))
            last = index + 1 == layers
            if last:
                self.dropouts.append(nn.Dropout(output_dropout))
            else:
                self.dropouts.append(ChannelDropout(dropout) if drop_channels else nn.Dropout(dropout))
            width = 2 * hidden
        self.before = nn.Identity() if drop_channels else nn.Dropout(dropout)
        self.out_channels = width

    def forward(self, features: Tensor, widths: Tensor) -> tuple[Tensor, Tensor]:
        """Map features (B, D, h, w) and widths (B,) to a sequence (B, T, 2 hidden) and lengths (B,)."""
        sequence = self.before(drop_padding(self.collapse(features), widths))
        for layer, dropout in zip(self.layers, self.dropouts, strict=True):
            sequence = dropout(layer(sequence)[0])
        return sequence, widths
