"""Muon by its defaults, over plain parameters and with a closure, and the polynomials that make matrices orthogonal."""

import inspect

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf
from program import ROOT
from torch import nn

from uncial.training.optimizers.muon import Muon, is_matrix, orthogonalize
from uncial.training.optimizers.parameter_groups import build_parameter_groups

pytestmark = pytest.mark.usefixtures("in_fp32")


def random(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def step_all(parameters, optimizer):
    """Give each parameter a gradient of its own and make one step."""
    for index, parameter in enumerate(parameters):
        parameter.grad = random(index, *parameter.shape)
    optimizer.step()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0.03, 0.98), min_size=1, max_size=12), st.integers(0, 2**31))
def test_singular_values_of_any_size_come_near_one(values, seed):
    """Of a hundredth of the matrix's norm and of all of it. A coefficient that is off throws some of them far away."""
    scaled = torch.tensor(values, dtype=torch.float64)
    scaled = scaled / scaled.norm()
    size = len(values)
    left, _ = torch.linalg.qr(random(seed, size, size).double())
    right, _ = torch.linalg.qr(random(seed + 1, size + 2, size).double())
    matrix = left @ torch.diag(scaled) @ right.mT
    found = (left.mT @ orthogonalize(matrix[None])[0] @ right).diagonal()
    assert torch.all((found > 0.1) & (found < 2)), found


def test_without_settings_it_steps_as_the_config_says():
    keys = OmegaConf.to_container(OmegaConf.load(ROOT / "conf" / "optimizer" / "muon.yaml"))
    parameters = inspect.signature(Muon).parameters
    stated = {name: tuple(key) if name == "betas" else key for name, key in keys.items() if name in parameters}
    assert stated.keys() == {"lr", "momentum", "betas", "eps", "weight_decay"}
    assert Muon([nn.Parameter(torch.ones(2, 2))], lr=stated["lr"]).defaults == stated


def test_plain_parameters_are_a_matrix_each():
    """As from a loop of one's own, which builds no groups."""
    own, grouped = (nn.Sequential(nn.Linear(6, 4), nn.Linear(4, 8)) for _ in range(2))
    grouped.load_state_dict(own.state_dict())
    keys = {"lr": 0.1, "weight_decay": 0.0}
    step_all(list(own.parameters()), Muon(own.parameters(), **keys))
    step_all(list(grouped.parameters()), Muon(build_parameter_groups(grouped), **keys))
    for found, expected in zip(own.parameters(), grouped.parameters(), strict=True):
        torch.testing.assert_close(found, expected)


def test_a_group_that_counts_the_matrices_of_some_parameters_only_is_refused():
    """None of them is left where it is without a word."""
    parameters = [nn.Parameter(torch.ones(4, 4)) for _ in range(2)]
    with pytest.raises(ValueError, match="argument"):
        step_all(parameters, Muon([{"params": parameters, "matrices": [1]}], lr=0.1))


def test_what_follows_a_parameter_without_a_gradient_learns():
    first, second = (nn.Parameter(torch.ones(4, 4)) for _ in range(2))
    optimizer = Muon([first, second], lr=0.1)
    second.grad = random(1, 4, 4)
    optimizer.step()
    assert torch.equal(first, torch.ones(4, 4))
    assert not torch.equal(second, torch.ones(4, 4))


def test_the_closure_computes_the_gradients_and_its_loss_is_returned():
    weight = nn.Parameter(random(1, 4, 4))
    optimizer = Muon([weight], lr=0.1)

    def closure():
        loss = weight.square().sum()
        loss.backward()
        return loss.item()

    before = float(weight.detach().square().sum())
    assert optimizer.step(closure) == pytest.approx(before)
    assert float(weight.detach().square().sum()) < before


@pytest.mark.parametrize("name", ["momentum", "lr", "eps", "weight_decay", "betas[0]", "betas[1]"])
@pytest.mark.parametrize("wrong", [-0.5, -3.0])
def test_each_setting_below_0_is_named(name, wrong):
    keys = {"lr": 0.1, name: wrong}
    if name.startswith("betas"):
        keys = {"lr": 0.1, "betas": (wrong, 0.9) if name == "betas[0]" else (0.9, wrong)}
    with pytest.raises(ValueError, match=name.replace("[", r"\[").replace("]", r"\]")) as told:
        Muon([nn.Parameter(torch.ones(2, 2))], **keys)
    assert str(wrong) in str(told.value)


@pytest.mark.parametrize("betas", [(1.0, 0.9), (0.9, 1.0)])
def test_means_that_never_forget_or_never_learn(betas):
    """1 would keep the first value for ever; 0 keeps none and is allowed."""
    parameter = [nn.Parameter(torch.ones(2, 2))]
    with pytest.raises(ValueError, match="betas"):
        Muon(parameter, lr=0.1, betas=betas)
    with pytest.raises(ValueError, match="momentum"):
        Muon(parameter, lr=0.1, momentum=1.0)
    step_all(parameter, Muon(parameter, lr=0.0, momentum=0.0, betas=(0.0, 0.0), eps=0.0, weight_decay=0.0))
    assert torch.equal(parameter[0], torch.ones(2, 2)), "at a rate of 0 nothing moves"


def test_a_layer_without_outputs_has_nothing_to_step():
    empty = nn.Parameter(torch.ones(0, 5))
    assert not is_matrix(empty)
    step_all([empty], Muon([empty], lr=0.1))
