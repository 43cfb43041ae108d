"""Muon over several steps: what one step cannot tell, against the definitions in plain NumPy and torch's AdamW."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from uncial.training.optimizers.muon import POLYNOMIALS, Muon
from uncial.training.optimizers.parameter_groups import build_parameter_groups

STEPS = 6
KEYS = {"lr": 0.05, "momentum": 0.8, "betas": (0.7, 0.95), "eps": 1e-3, "weight_decay": 0.3}


pytestmark = pytest.mark.usefixtures("in_fp32")


def gradients_of(module, seed):
    """Of each step other ones, and of other sizes."""
    random = torch.Generator().manual_seed(seed)
    return {
        name: (1 + seed % 3) * torch.randn(*value.shape, generator=random) for name, value in module.named_parameters()
    }


def make_steps(module, optimizer, seeds):
    """The weights after each step."""
    found = []
    for seed in seeds:
        for name, gradient in gradients_of(module, seed).items():
            module.get_parameter(name).grad = gradient
        optimizer.step()
        found.append({name: value.detach().clone() for name, value in module.named_parameters()})
    return found


def orthogonal(matrix):
    """The polynomials of the singular values, after Amsel et al.: the vectors stay."""
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    values = values / (1.02 * np.linalg.norm(values))
    for first, third, fifth in POLYNOMIALS:
        values = first * values + third * values**3 + fifth * values**5
    return left @ np.diag(values) @ right


def expected_matrices(weight, gradients, lr, momentum, weight_decay, **other):
    """A matrix after each step by Nesterov's momentum as a moving average (Jordan et al.), decay apart from it
    (Loshchilov and Hutter)."""
    mean, found = np.zeros_like(weight), []
    for gradient in gradients:
        mean = momentum * mean + (1 - momentum) * gradient
        ahead = momentum * mean + (1 - momentum) * gradient
        weight = (1 - lr * weight_decay) * weight - lr * 0.2 * np.sqrt(max(weight.shape)) * orthogonal(ahead)
        found.append(weight)
    return found


@pytest.mark.parametrize("shape", [(6, 9), (9, 6), (4, 40)], ids=["wide", "tall", "very wide"])
def test_matrices_move_by_nesterovs_momentum_made_orthogonal(shape):
    torch.manual_seed(1)
    module = nn.Linear(shape[1], shape[0], bias=False)
    weight = module.weight.detach().double().numpy()
    gradients = [gradients_of(module, seed)["weight"].double().numpy() for seed in range(STEPS)]
    steps = make_steps(module, Muon(build_parameter_groups(module), **KEYS), range(STEPS))
    for found, expected in zip(steps, expected_matrices(weight, gradients, **KEYS), strict=True):
        assert torch.allclose(found["weight"].double(), torch.from_numpy(expected), atol=1e-5)


def test_what_is_no_matrix_moves_as_with_adamw():
    """Its two betas, the corrections of the first steps, epsilon and the decay."""
    torch.manual_seed(1)
    module = nn.Sequential(nn.LayerNorm(7), nn.Conv2d(1, 5, 3))
    other = copy.deepcopy(module)
    keys = {name: value for name, value in KEYS.items() if name != "momentum"}
    found = make_steps(module, Muon(build_parameter_groups(module), **KEYS), range(STEPS))
    expected = make_steps(other, torch.optim.AdamW(build_parameter_groups(other), **keys), range(STEPS))
    for own, theirs in zip(found, expected, strict=True):
        assert all(torch.allclose(own[name], theirs[name], atol=1e-6) for name in own)


def test_a_run_that_goes_on_from_a_state_makes_the_same_steps():
    """The momentum, both means and the count of the steps are in it."""
    torch.manual_seed(1)
    module = nn.Sequential(nn.Linear(7, 5), nn.LayerNorm(5))
    optimizer = Muon(build_parameter_groups(module), **KEYS)
    make_steps(module, optimizer, range(3))
    resumed = copy.deepcopy(module)
    again = Muon(build_parameter_groups(resumed), **KEYS)
    again.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    whole, parts = (make_steps(*pair, range(3, STEPS)) for pair in ((module, optimizer), (resumed, again)))
    for one, other in zip(whole, parts, strict=True):
        assert all(torch.equal(one[name], other[name]) for name in one)
