"""Muon: weights that are matrices take orthogonal steps, all other parameters those of AdamW."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from uncial.models.precision import computes_in_bf16
from uncial.training.optimizers.parameter_groups import MATRICES

POLYNOMIALS = (
    (8.237312490495555, -23.157747414558198, 16.680568411445915),
    (4.082441999064836, -2.893047735332586, 0.5252849256975647),
)
"""Coefficients of x, x³ and x⁵ that bring singular values towards 1, one polynomial after the other (Amsel et al., The
Polar Express, 2025). More of them take longer and are better by no more than chance (docs/benchmarks.md)."""

MARGIN = 1.02
"""Matrices are divided by so much more than their norm, so that rounding brings no singular value above 1."""

USUAL_STEP = 0.2
"""The root mean square of AdamW's steps, as a share of the learning rate (Liu et al., Muon is Scalable for LLM
Training, 2025): orthogonal steps are made as large, so that one rate suits both."""

WIDE = 3
"""From so many times as many columns as rows on the polynomials are computed of the small product of a matrix with
itself."""


class Muon(Optimizer):
    """Momentum whose matrices are made orthogonal before they are added, so that every direction learns as fast as
    the strongest (Jordan et al., Muon: An optimizer for hidden layers in neural networks, 2024).

    Filters of convolutions (out, in, …) count as matrices of `out` rows; weights in which a recurrent layer holds one
    matrix for each gate are taken apart (`parameter_groups`). Outputs, whose rows are labels, biases, normalisations
    and filters that read a single channel learn by AdamW (Loshchilov and Hutter, 2019). Matrices are made orthogonal
    in bf16, as other implementations do it, where the device computes in it: elsewhere that takes seconds a step.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float,
        momentum: float = 0.9,
        betas: tuple[float, float] = (0.9, 0.99),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:
        """`momentum` is Nesterov's, for matrices; `betas` and `eps` are AdamW's, for all else.

        Raises `ValueError` for a setting that no training can have.
        """
        for name, value in {"momentum": momentum, "betas[0]": betas[0], "betas[1]": betas[1]}.items():
            if not 0 <= value < 1:
                raise ValueError(f"{name} is {value}, a number from 0 to below 1 is needed")
        for name, value in {"lr": lr, "eps": eps, "weight_decay": weight_decay}.items():
            if value < 0:
                raise ValueError(f"{name} is {value}, which is below 0")
        settings = {"lr": lr, "momentum": momentum, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        super().__init__(params, settings)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            counts = group.get(MATRICES) or [1] * len(group["params"])
            alike: dict[tuple[Any, ...], list[tuple[Tensor, Tensor]]] = {}
            for parameter, count in zip(group["params"], counts, strict=True):
                if parameter.grad is None:
                    continue
                parameter.mul_(1 - group["lr"] * group["weight_decay"])
                if count and is_matrix(parameter):
                    matrices = to_matrices(_choose_quickest(self._with_momentum(parameter, group)), count)
                    kind = (*matrices.shape[1:], matrices.dtype, matrices.device)
                    alike.setdefault(kind, []).append((parameter, matrices))
                else:
                    self._step_as_adamw(parameter, group)
            for pairs in alike.values():
                _step_together(pairs, group["lr"])
        return loss

    def _with_momentum(self, parameter: Tensor, group: dict[str, Any]) -> Tensor:
        state, gradient = self.state[parameter], parameter.grad
        assert gradient is not None
        if not state:
            state["momentum"] = torch.zeros_like(parameter)
        mean = state["momentum"].lerp_(gradient, 1 - group["momentum"])
        return gradient.lerp(mean, group["momentum"])

    def _step_as_adamw(self, parameter: Tensor, group: dict[str, Any]) -> None:
        state, gradient = self.state[parameter], parameter.grad
        assert gradient is not None
        if not state:
            state.update(step=0, mean=torch.zeros_like(parameter), square=torch.zeros_like(parameter))
        state["step"] += 1
        slow, slower = group["betas"]
        state["mean"].lerp_(gradient, 1 - slow)
        state["square"].mul_(slower).addcmul_(gradient, gradient, value=1 - slower)
        scale = (state["square"] / (1 - slower ** state["step"])).sqrt_().add_(group["eps"])
        parameter.addcdiv_(state["mean"], scale, value=-group["lr"] / (1 - slow ** state["step"]))


def is_matrix(parameter: Tensor) -> bool:
    """Return whether a parameter takes orthogonal steps: it has several outputs, and several inputs that are
    channels."""
    return parameter.ndim > 1 and min(parameter.shape[:2]) > 1


def _choose_quickest(gradient: Tensor) -> Tensor:
    """In bf16 where it is in fp32 and its device computes in bf16, else as it is."""
    is_quicker = gradient.dtype == torch.float32 and computes_in_bf16(gradient.device.type)
    return gradient.bfloat16() if is_quicker else gradient


def to_matrices(weight: Tensor, count: int) -> Tensor:
    """Take a weight (out, in, …) apart into matrices (count, out / count, in · …), channels last as they are stored."""
    last = weight.permute(0, *range(2, weight.ndim), 1)
    return last.reshape(count, weight.shape[0] // count, -1)


def to_weight(matrices: Tensor, shape: torch.Size) -> Tensor:
    """Undo `to_matrices`."""
    last = matrices.reshape(shape[0], *shape[2:], shape[1])
    return last.permute(0, last.ndim - 1, *range(1, last.ndim - 1))


def orthogonalize(matrices: Tensor) -> Tensor:
    """Return matrices (n, rows, columns) with the same singular vectors and singular values of about 1."""
    if matrices.shape[1] > matrices.shape[2]:
        return orthogonalize(matrices.mT).mT
    size = torch.linalg.vector_norm(matrices, dim=(1, 2), keepdim=True)
    scaled = matrices / (MARGIN * size).clamp(min=torch.finfo(matrices.dtype).tiny)
    return _multiply_by_product(scaled) if matrices.shape[2] >= WIDE * matrices.shape[1] else _step_by_step(scaled)


def _step_by_step(matrices: Tensor) -> Tensor:
    for first, third, fifth in POLYNOMIALS:
        product = matrices @ matrices.mT
        inner = torch.baddbmm(product, product, product, beta=third, alpha=fifth)
        matrices = torch.baddbmm(matrices, inner, matrices, beta=first)
    return matrices


def _multiply_by_product(matrices: Tensor) -> Tensor:
    """Return the same, where each polynomial of X is a factor before it that depends on X Xᵀ alone."""
    product = matrices @ matrices.mT
    whole = one = torch.eye(product.shape[1], dtype=matrices.dtype, device=matrices.device).expand_as(product)
    for index, (first, third, fifth) in enumerate(POLYNOMIALS):
        factor = torch.baddbmm(product, product, product, beta=third, alpha=fifth) + first * one
        whole = factor @ whole if index else factor
        if index + 1 < len(POLYNOMIALS):
            product = factor @ product @ factor
    return whole @ matrices


def _step_together(pairs: list[tuple[Tensor, Tensor]], rate: float) -> None:
    """Step each parameter by its matrices, which all have one shape, after they have been made orthogonal."""
    matrices = torch.cat([matrices for _, matrices in pairs])
    steps = orthogonalize(matrices).split([len(own) for _, own in pairs])
    size = rate * USUAL_STEP * max(matrices.shape[1:]) ** 0.5
    for (parameter, _), step in zip(pairs, steps, strict=True):
        parameter.add_(to_weight(step, parameter.shape), alpha=-size)
