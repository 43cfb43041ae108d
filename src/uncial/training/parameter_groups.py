"""The groups in which an optimizer holds the parameters: by weight decay and by learning rate."""

from collections.abc import Mapping
from typing import Any

from torch import nn
from torch.optim import Optimizer

from uncial.errors import UserError
from uncial.training.parts import parts_of

FACTOR = "lr_factor"
"""The key of a group that says by how much its learning rate differs."""


def parameter_groups(model: nn.Module, factors: Mapping[str, float] | None = None) -> list[dict[str, Any]]:
    """Return the trainable parameters in two groups, so that weight decay leaves out biases and the scales of
    normalisations, which have one dimension; and in two more for each further learning rate.

    `factors` says by how much the rate of a part differs, by the patterns of `parts_of`; of several that name a
    parameter the last one counts. Raises `UserError` for a pattern that matches nothing.
    """
    factor_of: dict[str, float] = {}
    for pattern, factor in (factors or {}).items():
        factor_of.update(dict.fromkeys(parts_of(model, [pattern], "lr_factors").tensors, float(factor)))
    groups: dict[tuple[float, bool], dict[str, Any]] = {}
    for factor in sorted({1.0, *factor_of.values()}, key=lambda factor: (factor != 1.0, factor)):
        common = {} if factor == 1.0 else {FACTOR: factor}
        groups[factor, True] = {"params": [], **common}
        groups[factor, False] = {"params": [], "weight_decay": 0.0, **common}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            groups[factor_of.get(name, 1.0), parameter.ndim > 1]["params"].append(parameter)
    return [group for group in groups.values() if group["params"]]


def apply_factors(optimizer: Optimizer) -> None:
    """Multiply the learning rate of each group by its factor. Called once, before a schedule takes the rates."""
    for group in optimizer.param_groups:
        group["lr"] *= group.get(FACTOR, 1.0)


def common_rate(optimizer: Optimizer) -> float:
    """Return the learning rate of parameters without a factor, whether or not there are any."""
    group = optimizer.param_groups[0]
    return float(group["lr"] / group.get(FACTOR, 1.0))


def checked_factors(factors: Mapping[str, Any]) -> dict[str, float]:
    """Return `lr_factors` as numbers. Raises `UserError` for what is no number above 0."""
    for pattern, factor in factors.items():
        if isinstance(factor, bool) or not isinstance(factor, int | float) or factor <= 0:
            raise UserError(
                f"lr_factors.{pattern}={factor}: a number above 0 is needed; freeze={pattern} keeps a part as it is."
            )
    return {str(pattern): float(factor) for pattern, factor in factors.items()}
