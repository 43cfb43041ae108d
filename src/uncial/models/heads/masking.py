"""Stretches of a line hidden between backbone and head while training."""

import torch
from torch import Tensor, nn

from uncial.errors import UserError


class SpanMasks(nn.Module):
    """Replaces spans of columns by one learned column, so that the head learns to read on from the context.

    The span masks of Li et al., HTR-VT: Handwritten Text Recognition with Vision Transformer (2024), who hide 0.4 of
    the columns in spans of 8; in the manner of SpecAugment (Park et al., 2019). The spans of a line do not overlap, so
    that the share is what is asked. They are drawn on the CPU from torch's generator, which the training seeds for
    every step: the same on every device, and after a resume.
    """

    def __init__(self, channels: int, share: float = 0.4, length: int = 8) -> None:
        """`share` is the part of each line's columns that is hidden, 0 for none, `length` that of a span in columns."""
        super().__init__()
        if not 0 <= share < 1:
            raise UserError(f"model.span_masks.share is {share}; a part from 0 to below 1 is possible")
        if length < 1:
            raise UserError(f"model.span_masks.length is {length}; 1 or more columns are possible")
        self.share, self.length = share, length
        # No parameter without a use: processes that train together would wait for its gradient.
        self.column = nn.Parameter(torch.zeros(channels)) if share else None

    def forward(self, features: Tensor, widths: Tensor) -> Tensor:
        """Return features (B, D, h, w) of which spans are hidden while training; `widths` (B,) are their columns."""
        if self.column is None or not self.training:
            return features
        hidden = draw_hidden_columns(widths.tolist(), features.shape[3], self.share, self.length).to(features.device)
        return torch.where(hidden[:, None, None, :], self.column.to(features.dtype)[:, None, None], features)


def draw_hidden_columns(widths: list[int], columns: int, share: float, length: int) -> Tensor:
    """Return which columns are hidden, bool (B, columns): in each line as many whole spans as come nearest to `share`
    of its width and fit, at random places that do not overlap.
    """
    hidden = torch.zeros(len(widths), columns, dtype=torch.bool)
    for line, width in zip(hidden, widths, strict=True):
        spans = min(round(share * width / length), width // length)
        if spans:
            gaps = torch.randint(width - spans * length + 1, (spans,)).sort().values
            starts = gaps + length * torch.arange(spans)
            line[(starts[:, None] + torch.arange(length)).flatten()] = True
    return hidden
