"""The model that a card describes, built only where the file's table of tensors bears it out."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules import module as torch_modules
from torch.overrides import TorchFunctionMode

from uncial.config.trust import is_within, targets_in
from uncial.errors import UserError
from uncial.models.build import build_model
from uncial.models.contracts import Model
from uncial.models.parts import PartsOfFile, find_part

Table = Mapping[str, tuple[int, ...]]
"""The shapes of a file's tensors by their names."""

MISFIT = "the weights do not fit the model that the file describes"

FILLING = ("uniform_", "normal_", "erfinv_", "mul_", "add_", "clamp_", "copy_", "zero_", "fill_", "__setitem__")
"""Methods of tensors that give them their first values."""

PARTS, PARTS_A_TENSOR = 1000, 20
"""Bounds of how many modules a model is made of."""


def build_stored(card: Mapping[str, Any], parts: PartsOfFile, table: Table) -> Model:
    """Return the model of a card, with weights that are not yet the file's.

    It is first put together without memory, and its tensors compared with those of the file. Raises `UserError` where
    it cannot be built, is no model, or has other tensors than the file.
    """
    config = card.get("model")
    if not isinstance(config, dict):
        raise UserError("the file lacks the model's config or its codec; it may be damaged, use another copy.")
    if isinstance(card.get("codec"), dict):
        _check_alphabet(card["codec"], table)
    most = PARTS + PARTS_A_TENSOR * len(table)
    targets = list(targets_in(config))
    if len(targets) > most:
        raise UserError(f"{MISFIT} (it names {len(targets):,} parts, and the file holds {len(table)} tensors).")
    kind = find_part(config, parts)
    if not issubclass(kind, Model):
        raise UserError(f"the file holds a {kind.__name__}, not a recogniser or another model.")
    known = kind.known_from_card(card)
    is_own = any(is_within(str(target), parts.trust) for _, target in targets)
    try:
        with counted(len(table), most), torch.device("meta"), _WithoutFilling():
            sketch = _built(config, parts, known)
    except UserError:
        # A class of the user's own may compute with numbers while it is made.
        if not is_own:
            raise
    else:
        _compare(sketch, table)
    with counted(len(table), most):
        model = _built(config, parts, known)
    _compare(model, table)
    return model.eval()


def _built(config: Mapping[str, Any], parts: PartsOfFile, known: Mapping[str, Any]) -> Model:
    try:
        return build_model(config, parts, **known)
    except UserError:
        raise
    except Exception as error:  # whatever a part makes of settings that nobody has checked
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise UserError(f"the model cannot be built ({reason}); use another copy of the file.") from error


def _check_alphabet(codec: Mapping[str, Any], table: Table) -> None:
    """Raises `UserError` for more labels than any side of a tensor has: before the codec itself is made."""
    entries = [value for value in codec.values() if isinstance(value, list | dict)]
    most = max(map(len, entries), default=0)
    longest = max((side for shape in table.values() for side in shape), default=0)
    if most > longest:
        raise UserError(f"{MISFIT} (its alphabet has {most:,} entries, the largest tensor {longest:,} rows).")


def _compare(model: nn.Module, table: Table) -> None:
    own = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    for name in (*own, *table):
        if own.get(name) != table.get(name):
            raise UserError(
                f"{MISFIT} ({name} is {_shape(table.get(name))} there, {_shape(own.get(name))} by its config)."
            )


def _shape(shape: tuple[int, ...] | None) -> str:
    return "missing" if shape is None else "x".join(map(str, shape)) or "one number"


class _WithoutFilling(TorchFunctionMode):
    """Lets the first weights be, which are drawn for nothing: without memory torch would import seconds of code."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        if getattr(func, "__name__", "") in FILLING and args:
            return args[0]
        return func(*args, **(kwargs or {}))


@contextmanager
def counted(tensors: int, modules: int) -> Iterator[None]:
    """While a model is built, raise `UserError` as soon as it has many more tensors or modules than a file can hold."""
    thread, left = threading.get_ident(), {"tensors": 100 + 4 * tensors, "modules": modules}

    def count(what: str) -> None:
        if threading.get_ident() != thread:
            return
        left[what] -= 1
        if left[what] < 0:
            raise UserError(f"{MISFIT} (it would have many more {what} than the file's {tensors} tensors).")

    def count_tensor(_: nn.Module, name: str, value: Tensor | None) -> None:
        count("tensors")

    def count_module(_: nn.Module, name: str, value: nn.Module | None) -> None:
        count("modules")

    handles = (
        torch_modules.register_module_parameter_registration_hook(count_tensor),
        torch_modules.register_module_buffer_registration_hook(count_tensor),
        torch_modules.register_module_module_registration_hook(count_module),
    )
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
