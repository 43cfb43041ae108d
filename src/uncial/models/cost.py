"""What a model costs: its parameters, and the floating-point operations with which it predicts a sample."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import UninitializedParameter
from torch.nn.utils.rnn import PackedSequence
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

HEAVY = re.compile(
    r"\w*mm|\w*mv|v?dot|ger|conv|convolution|linear|matmul|attention|transformer|rnn|lstm|gru|linalg|fft|cdist|pdist|"
    r"dist|trilinear|inverse|solve|svd|qr|eig|cholesky|det|logdet|slogdet|lu|geqrf|orgqr|ormqr|matrix|multihead|gemm"
)
"""Parts of the names of operations that do more than pass over their tensors. One without a formula is not counted as
nothing; the others, such as activations, normalisations and pools, are, as is usual."""

LIGHT = ("upsample_", "_upsample_", "linalg_vector_norm", "linalg_cross", "linalg_diagonal", "linalg_vecdot")
"""Names that hold such a part all the same."""

GATES = {"RNN_TANH": 1, "RNN_RELU": 1, "GRU": 3, "LSTM": 4}


@dataclass(frozen=True)
class PartCost:
    """A part of a model: its name in the model, its class, and its parameters."""

    name: str
    kind: str
    parameters: int


@dataclass(frozen=True)
class Flops:
    """Floating-point operations, a multiplication and an addition counting as two; None where some part could not be
    counted, which `not_counted` names with the reason."""

    count: int | None
    not_counted: tuple[str, ...] = ()


def count_parameters(module: nn.Module) -> int:
    """Return the number of weights, shared ones once; those of lazy modules that have no shape yet are left out."""
    return sum(weight.numel() for weight in module.parameters() if not isinstance(weight, UninitializedParameter))


def list_parts(model: nn.Module) -> list[PartCost]:
    """Return the parts that the model is made of, in its order."""
    return [PartCost(name, type(part).__name__, count_parameters(part)) for name, part in model.named_children()]


def count_flops(model: nn.Module, predict: Callable[[], Any], samples: int = 1) -> Flops:
    """Return the operations of `predict()`, which lets the model predict so many samples, divided by their number.

    Products of matrices, convolutions and attention are counted by the formulas of torch.utils.flop_counter, to which
    `register_flop_formula` adds those of operations of one's own; recurrent layers by theirs, whatever kernel computes
    them. The model is in evaluation meanwhile, and is left as it was.
    """
    counter = _Counter(model)
    try:
        with _evaluating(model), _watched(model, counter), torch.no_grad(), counter:
            predict()
    except Exception as error:  # whatever a model of one's own makes of being watched
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        return Flops(None, (f"{counter.place()}: {reason}",))
    if counter.unknown:
        return Flops(None, tuple(f"{place}: no formula for {name}" for place, name in counter.unknown))
    return Flops(round(counter.count / samples))


class _Counter(TorchDispatchMode):
    """Adds up the formulas of the operations that run under it, and names those that have none and need one."""

    supports_higher_order_operators = True

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model, self.count = model, 0
        self.unknown: dict[tuple[str, str], None] = {}
        self.modules: list[tuple[str, nn.Module]] = []
        self.paused = 0

    def place(self) -> str:
        """Return where the model is at work, as a person knows it."""
        inner = [(name, module) for name, module in self.modules if name]
        return f"{inner[-1][0]} ({type(inner[-1][1]).__name__})" if inner else type(self.model).__name__

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        named = dict(kwargs or {})
        operation = getattr(func, "_overloadpacket", func)
        if operation not in flop_registry and hasattr(func, "decompose"):
            with self:
                found = func.decompose(*args, **named)
            if found is not NotImplemented:
                return found
        result = func(*args, **named)
        if self.paused:
            return result
        if operation in flop_registry:
            self.count += int(flop_registry[operation](*args, **named, out_val=result))
        elif _needs_formula(str(getattr(func, "namespace", "")), str(func)):
            self.unknown[(self.place(), str(func))] = None
        return result


def _needs_formula(namespace: str, name: str) -> bool:
    if namespace != "aten":
        return namespace not in ("prim", "prims")
    short = name.removeprefix("aten.").partition(".")[0]
    parts = [part for part in re.split(r"[_\d]+", short) if part]
    return not short.startswith(LIGHT) and any(HEAVY.fullmatch(part) for part in parts)


@contextmanager
def _watched(model: nn.Module, counter: _Counter) -> Iterator[None]:
    """Tell the counter which module is at work, and of recurrent layers what they do."""

    def enter(name: str) -> Callable[..., None]:
        def hook(module: nn.Module, args: Any) -> None:
            counter.modules.append((name, module))
            counter.paused += isinstance(module, nn.RNNBase)

        return hook

    def leave(module: nn.Module, args: Any, kwargs: Any, result: Any) -> None:
        counter.modules.pop()
        if isinstance(module, nn.RNNBase):
            counter.paused -= 1
            counter.count += recurrent_flops(module, args[0] if args else kwargs["input"])

    hooks: list[Any] = []
    try:
        for name, module in model.named_modules():
            hooks.append(module.register_forward_pre_hook(enter(name), prepend=True))
            hooks.append(module.register_forward_hook(leave, with_kwargs=True))
        yield
    finally:
        for hook in hooks:
            hook.remove()


def recurrent_flops(layer: nn.RNNBase, sequence: Tensor | PackedSequence) -> int:
    """Return the operations of an RNN, GRU or LSTM: for each frame, direction and layer twice the weights by which what
    comes in and what was remembered are multiplied."""
    data = sequence.data if isinstance(sequence, PackedSequence) else sequence
    frames = data.numel() // data.shape[-1]
    directions, remembered = 1 + layer.bidirectional, layer.proj_size or layer.hidden_size
    weights, width = 0, layer.input_size
    for _ in range(layer.num_layers):
        weights += directions * GATES[layer.mode] * layer.hidden_size * (width + remembered)
        weights += directions * layer.hidden_size * layer.proj_size
        width = directions * remembered
    return 2 * frames * weights


@contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    """The model in evaluation; each module and the random numbers are as before at the end."""
    was = {module: module.training for module in model.modules()}
    # Fused kernels of attention have no formula; their parts have.
    fused = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with torch.random.fork_rng(devices=[]):  # the model is still on the processor
            model.eval()
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fused)
        for module, training in was.items():
            module.training = training
