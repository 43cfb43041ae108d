"""The loss of a batch, where it is finite and where it is not."""

import torch
from torch.nn import functional

from uncial.models.contracts import Targets
from uncial.models.decoders.ctc import compute_ctc_loss


def test_the_loss_is_that_of_torch_and_nan_where_that_would_hide_an_overflow():
    torch.manual_seed(0)
    for _ in range(50):
        lines, frames, classes = (int(torch.randint(2, most, ())) for most in (9, 40, 30))
        scores = torch.randn(lines, frames, classes, requires_grad=True)
        lengths, labels = torch.randint(1, frames + 1, (lines,)), torch.randint(0, frames, (lines,))
        targets = torch.randint(1, classes, (int(labels.sum()),))
        found = scores.log_softmax(-1)
        expected = functional.ctc_loss(found.transpose(0, 1), targets, lengths, labels, zero_infinity=True)
        loss = compute_ctc_loss(found, lengths, Targets(targets, labels))
        assert torch.equal(loss, expected)
        slopes = [torch.autograd.grad(one, scores, retain_graph=True)[0] for one in (loss, expected)]
        assert torch.equal(*slopes)
    lost = torch.full((1, 10, 5), -3e38)
    assert compute_ctc_loss(lost, torch.tensor([10]), Targets(torch.tensor([1, 2]), torch.tensor([2]))).isnan()
