"""The auxiliary CTC output: three columns around each frame, none of them shifted."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from uncial.models.contracts import Targets
from uncial.models.decoders.auxiliary_ctc import Shortcut


@pytest.mark.parametrize("height", [1, 4])
def test_its_loss_is_that_of_a_convolution_over_the_columns(height):
    """torch's own of width 3 with zeros beside, over the highest of each column."""
    torch.manual_seed(1)
    shortcut = Shortcut(5, height, 7)
    features, widths = torch.randn(2, 5, height, 11), torch.tensor([11, 8])
    targets = Targets(torch.tensor([3, 1, 1, 6, 2]), torch.tensor([3, 2]))
    convolution = nn.Conv1d(5, 7, 3, padding=1)
    with torch.no_grad():
        convolution.weight.copy_(shortcut.output.weight.unflatten(1, (3, 5)).mT)
        convolution.bias.copy_(shortcut.output.bias)
    scores = convolution(features.amax(2)).permute(2, 0, 1).log_softmax(-1)
    expected = functional.ctc_loss(scores, targets.labels, widths, targets.lengths)
    torch.testing.assert_close(shortcut.loss(features, widths, targets), expected)


def test_it_learns_what_stands_beside_a_frame():
    """A text of which each column alone says nothing: where the letter stands shows one column before it."""
    torch.manual_seed(1)
    shortcut = Shortcut(2, 1, 3)
    optimizer = torch.optim.Adam(shortcut.parameters(), lr=0.05)
    features = torch.zeros(1, 2, 1, 9)
    features[0, 0, 0, 2] = features[0, 1, 0, 6] = 1
    targets = Targets(torch.tensor([1, 2]), torch.tensor([2]))
    for _ in range(150):
        loss = shortcut.loss(features, torch.tensor([9]), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.1
