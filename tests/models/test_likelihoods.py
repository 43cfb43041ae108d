"""How likely a model finds a text: over all alignments, and tempered where the model is surer than it is right."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from uncial.models.decoders.ctc import IMPOSSIBLE, fitted_temperature, text_likelihoods


def test_likelihoods_sum_over_all_alignments():
    frames = torch.log(torch.tensor([[0.5, 0.3, 0.2], [0.6, 0.1, 0.3]]))
    empty, one, both, long = text_likelihoods(frames, [[], [1], [1, 2], [1, 1]])
    assert np.exp([empty, one, both]) == pytest.approx([0.3, 0.5 * 0.1 + 0.3 * 0.6 + 0.3 * 0.1, 0.3 * 0.3])
    assert long == IMPOSSIBLE


def test_a_careless_model_is_tempered():
    """Frames that are right as often as they say want no temperature; made three times as sure they want it back."""
    random = np.random.default_rng(0)
    lines = []
    for _ in range(60):
        shares = random.dirichlet([0.5, 0.5, 0.5, 0.5], 12)
        labels = [int(random.choice(4, p=share)) for share in shares]
        collapsed = [label for before, label in pairwise([0, *labels]) if label not in (0, before)]
        lines.append((torch.log(torch.tensor(shares + 1e-9)), collapsed))
    careless = [(torch.log_softmax(3 * frames, -1), labels) for frames, labels in lines]
    assert fitted_temperature(lines) < 1.6
    assert 2 < fitted_temperature(careless) < 5
