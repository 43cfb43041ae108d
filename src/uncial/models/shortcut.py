"""The auxiliary CTC output that leads past the head while training."""

from torch import Tensor, nn

from uncial.models.decoders.ctc import ctc_loss, log_softmax
from uncial.models.heads.collapse import Collapse


class Shortcut(nn.Module):
    """A 1x3 convolution over the backbone's columns with a CTC loss of its own, which trains the backbone early.

    Retsinas et al., Best Practices for a Handwritten Text Recognition System, 2022.
    """

    def __init__(self, in_channels: int, in_height: int, classes: int) -> None:
        super().__init__()
        self.collapse = Collapse("max", in_channels, in_height)
        self.output = nn.Conv1d(in_channels, classes, 3, padding=1)

    def loss(self, features: Tensor, widths: Tensor, targets: Tensor, target_lengths: Tensor) -> Tensor:
        """Return the mean CTC loss a line from features (B, D, h, w) and their widths (B,)."""
        scores = self.output(self.collapse(features).transpose(1, 2)).transpose(1, 2)
        return ctc_loss(log_softmax(scores), widths, targets, target_lengths)
