"""The groups in which an optimizer holds the parameters: by weight decay and by learning rate."""

from collections.abc import Mapping
from typing import Any

from torch import nn
from torch.optim import Optimizer

from uncial.errors import UserError
from uncial.training.selection import OUTPUTS, select_modules

FACTOR = "lr_factor"
"""The key of a group that says by how much its learning rate differs."""

MATRICES = "matrices"
"""The key of a group that says how many matrices each of its parameters holds, 0 where its rows are labels."""


def build_parameter_groups(model: nn.Module, factors: Mapping[str, float] | None = None) -> list[dict[str, Any]]:
    """Return the trainable parameters in two groups, so that weight decay leaves out biases and the scales of
    normalisations, which have one dimension; and in two more for each further learning rate.

    `factors` says by how much the rate of a part differs, by the patterns of `select_modules`; of several that name a
    parameter the last one counts. Groups of what has more dimensions than one also hold the number of matrices in each,
    at `MATRICES`. Raises `UserError` for a pattern that matches nothing.
    """
    factor_of: dict[str, float] = {}
    for pattern, factor in (factors or {}).items():
        factor_of.update(dict.fromkeys(select_modules(model, [pattern], "lr_factors").tensors, float(factor)))
    matrices = _find_matrices(model)
    groups: dict[tuple[float, bool], dict[str, Any]] = {}
    for factor in sorted({1.0, *factor_of.values()}, key=lambda factor: (factor != 1.0, factor)):
        common = {} if factor == 1.0 else {FACTOR: factor}
        groups[factor, True] = {"params": [], MATRICES: [], **common}
        groups[factor, False] = {"params": [], "weight_decay": 0.0, **common}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            group = groups[factor_of.get(name, 1.0), parameter.ndim > 1]
            group["params"].append(parameter)
            if MATRICES in group:
                group[MATRICES].append(matrices.get(name, 1))
    return [group for group in groups.values() if group["params"]]


def _find_matrices(model: nn.Module) -> dict[str, int]:
    """Return how many matrices the weights hold that do not hold just one: torch stacks those of the gates of a
    recurrent layer, and those of queries, keys and values, while weights whose rows or columns stand for labels count
    as none."""
    found: dict[str, int] = {}
    for name, module in model.named_modules():
        for weight, parameter in module.named_parameters(prefix=name, recurse=False):
            own = weight.rpartition(".")[2]
            if weight.partition(".")[0] in OUTPUTS or isinstance(module, nn.Embedding):
                found[weight] = 0
            elif isinstance(module, nn.RNNBase) and own.startswith(("weight_ih", "weight_hh")):
                found[weight] = len(parameter) // module.hidden_size
            elif isinstance(module, nn.MultiheadAttention) and own == "in_proj_weight":
                found[weight] = 3
    return found


def apply_factors(optimizer: Optimizer) -> None:
    """Multiply the learning rate of each group by its factor. Called once, before a schedule takes the rates."""
    for group in optimizer.param_groups:
        group["lr"] *= group.get(FACTOR, 1.0)


def find_common_rate(optimizer: Optimizer) -> float:
    """Return the learning rate of parameters without a factor, whether or not there are any."""
    group = optimizer.param_groups[0]
    return float(group["lr"] / group.get(FACTOR, 1.0))


def check_factors(factors: Mapping[str, Any]) -> dict[str, float]:
    """Return `lr_factors` as numbers. Raises `UserError` for what is no number above 0."""
    for pattern, factor in factors.items():
        if isinstance(factor, bool) or not isinstance(factor, int | float) or factor <= 0:
            raise UserError(
                f"lr_factors.{pattern}={factor}: a number above 0 is needed; freeze={pattern} keeps a part as it is."
            )
    return {str(pattern): float(factor) for pattern, factor in factors.items()}
