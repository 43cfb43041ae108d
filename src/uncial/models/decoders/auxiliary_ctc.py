"""The auxiliary CTC output that leads past the head while training."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from uncial.models.contracts import Targets
from uncial.models.decoders.ctc import compute_ctc_loss, log_softmax
from uncial.models.heads.collapse import HeightPooling


class Shortcut(nn.Module):
    """A 1x3 convolution over the backbone's columns with a CTC loss of its own, which trains the backbone early.

    It is for any decoder, as the labels are those of the codec, of which none is 0, the blank.
    Retsinas et al., Best Practices for a Handwritten Text Recognition System, 2022.
    """

    def __init__(self, in_channels: int, in_height: int, classes: int) -> None:
        super().__init__()
        self.collapse = HeightPooling("max", in_channels, in_height)
        self.output = nn.Linear(3 * in_channels, classes)

    def loss(self, features: Tensor, widths: Tensor, targets: Targets) -> Tensor:
        """Return the mean CTC loss a line from features (B, D, h, w) and their widths (B,)."""
        columns = functional.pad(self.collapse(features), (0, 0, 1, 1))
        triples = torch.cat((columns[:, :-2], columns[:, 1:-1], columns[:, 2:]), dim=2)
        return compute_ctc_loss(log_softmax(self.output(triples)), widths, targets)
