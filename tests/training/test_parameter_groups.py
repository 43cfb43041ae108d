"""The groups of an optimizer: each parameter once, at its own rate, those without a factor first."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from uncial.errors import UserError
from uncial.training.optimizers.parameter_groups import (
    apply_factors,
    build_parameter_groups,
    check_factors,
    find_common_rate,
)

PARTS = ("backbone", "head", "decoder")
FACTORS = st.sampled_from([0.1, 0.5, 1.0, 2.0, 3.0, 10.0])


def make_model():
    model = nn.Module()
    model.backbone, model.head, model.decoder = nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 2)
    return model


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(PARTS), FACTORS, max_size=3), st.floats(1e-4, 1.0))
def test_each_parameter_goes_at_the_rate_of_its_part(factors, rate):
    model = make_model()
    optimizer = torch.optim.SGD(build_parameter_groups(model, factors), lr=rate)
    apply_factors(optimizer)
    found = {parameter: group["lr"] for group in optimizer.param_groups for parameter in group["params"]}
    assert sum(len(group["params"]) for group in optimizer.param_groups) == len(found) == 6
    for name, parameter in model.named_parameters():
        assert found[parameter] == pytest.approx(rate * factors.get(name.partition(".")[0], 1.0))
    assert find_common_rate(optimizer) == pytest.approx(rate)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(PARTS), FACTORS, min_size=1, max_size=2))
def test_the_common_rate_comes_first_whatever_others_there_are(factors):
    """The state of an optimizer is saved by the order of its groups: what has no factor, and by rising factors then."""
    optimizer = torch.optim.SGD(build_parameter_groups(make_model(), factors), lr=1.0)
    apply_factors(optimizer)
    rates = [group["lr"] for group in optimizer.param_groups]
    others = sorted({factor for factor in factors.values() if factor != 1.0})
    assert list(dict.fromkeys(rates)) == [1.0, *others]


def test_a_later_pattern_counts_and_what_does_not_learn_is_in_no_group():
    model = make_model()
    model.head.requires_grad_(False)
    groups = build_parameter_groups(model, {"*": 2.0, "decoder": 0.5})
    factors = {parameter: group.get("lr_factor", 1.0) for group in groups for parameter in group["params"]}
    assert {name: factors.get(parameter) for name, parameter in model.named_parameters()} == {
        "backbone.weight": 2.0,
        "backbone.bias": 2.0,
        "head.weight": None,
        "head.bias": None,
        "decoder.weight": 0.5,
        "decoder.bias": 0.5,
    }


@given(st.floats(min_value=0, exclude_min=True, allow_infinity=False) | st.integers(1, 9))
def test_any_factor_above_0_is_taken(factor):
    assert check_factors({"head": factor}) == {"head": float(factor)}


@pytest.mark.parametrize("factor", [0, 0.0, -0.5, True, False, "2", None, [2]])
def test_what_is_no_factor_is_refused_with_its_key(factor):
    with pytest.raises(UserError, match=r"lr_factors\.head="):
        check_factors({"head": factor})
