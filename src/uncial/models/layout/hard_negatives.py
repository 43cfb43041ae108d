"""The mean loss over text and over as many of the worst places beside it: else what is easy would drown it."""

import torch
from torch import Tensor

FALLBACK = 500
"""Places that count on maps without any text."""


def choose_pixels(losses: Tensor, is_text: Tensor, known: Tensor, ratio: float) -> Tensor:
    """Return the mean of `losses` (B, h, w) over the known pixels of text and the `ratio` times as many others that
    lose most, all pages together; on maps without text over the `FALLBACK` worst."""
    positive = is_text & known
    negative = known & ~is_text
    count = int(positive.sum())
    wanted = min(int(ratio * count) if count else FALLBACK, int(negative.sum()))
    worst = torch.topk(torch.where(negative, losses, losses.new_full((), -1.0)).flatten(), wanted).values
    total = torch.where(positive, losses, 0.0).sum() + worst.sum()
    return total / max(1, count + wanted)
