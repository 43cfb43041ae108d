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
from uncial.data.lines.batch import Batch
from uncial.errors import UserError
from uncial.models.build import build_model
from uncial.models.parts import PartsOfFile
from uncial.models.recognizer import Recognizer
from uncial.text.codec import codec_from_json
from uncial.text.normalization import DEFAULT_PROFILE
from uncial.text.rules import TextRules

Table = Mapping[str, tuple[int, ...]]
"""The shapes of a file's tensors by their names."""

MISFIT = "the weights do not fit the model that the file describes"

FILLING = ("uniform_", "normal_", "erfinv_", "mul_", "add_", "clamp_", "copy_", "zero_", "fill_", "__setitem__")
"""Methods of tensors that give them their first values."""

PARTS, PARTS_A_TENSOR = 1000, 20
"""Bounds of how many modules a model is made of."""

TRIED = 128
"""Pixels of width of the line that a model is tried with."""


def build_stored(card: Mapping[str, Any], parts: PartsOfFile, table: Table) -> Recognizer:
    """Return the model of a card, with weights that are not yet the file's.

    It is first put together without memory, and its tensors compared with those of the file. Raises `UserError` where
    it cannot be built, is no recogniser, or has other tensors than the file.
    """
    config = card.get("model")
    if not isinstance(config, dict) or not isinstance(card.get("codec"), dict):
        raise UserError("the file lacks the model's config or its codec; it may be damaged, use another copy.")
    _check_alphabet(card["codec"], table)
    most = PARTS + PARTS_A_TENSOR * len(table)
    targets = list(targets_in(config))
    if len(targets) > most:
        raise UserError(f"{MISFIT} (it names {len(targets):,} parts, and the file holds {len(table)} tensors).")
    known = {"codec": codec_from_json(card["codec"]), "text": text_rules_of(card)}
    is_own = any(is_within(str(target), parts.trust) for _, target in targets)
    try:
        with counted(len(table), most), torch.device("meta"), _WithoutFilling():
            sketch = _recognizer(config, parts, known)
    except UserError:
        # A class of the user's own may compute with numbers while it is made.
        if not is_own:
            raise
    else:
        _compare(sketch, table)
    with counted(len(table), most):
        model = _recognizer(config, parts, known)
    _compare(model, table)
    return model.eval()


def try_out(recognizer: Recognizer) -> None:
    """Raise `UserError` where the model cannot read a line, which no number of its config or its weights alone says."""
    preprocessing = recognizer.preprocessing
    width = preprocessing.padded_width(TRIED)
    images = torch.full((1, preprocessing.channels, preprocessing.height, width), 255, dtype=torch.uint8)
    images[..., ::8] = 0
    nothing = torch.zeros(0, dtype=torch.int64)
    batch = Batch(images, torch.tensor([width]), nothing, torch.zeros(1, dtype=torch.int64), [None], [0])
    try:
        confidence = recognizer.predict(batch)[0].confidence
    except Exception as error:  # whatever a part makes of settings that fit no other
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise UserError(f"the model cannot read a line ({reason}); use another copy of the file.") from error
    if not 0 <= confidence <= 1:
        raise UserError("the model's outputs are NaN or Inf, as after a training that diverged; use another model.")


def text_rules_of(card: Mapping[str, Any]) -> TextRules:
    """Return the rules for text that a model's card states; one that states none was trained in the order of the files.

    Raises `UserError` where they cannot be read.
    """
    stated = card.get("text")
    if isinstance(stated, dict):
        return TextRules.from_json(stated)
    return TextRules(str(card.get("normalization", DEFAULT_PROFILE)))


def _recognizer(config: Mapping[str, Any], parts: PartsOfFile, known: Mapping[str, Any]) -> Recognizer:
    try:
        model = build_model(config, parts, **known)
    except UserError:
        raise
    except Exception as error:  # whatever a part makes of settings that nobody has checked
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise UserError(f"the model cannot be built ({reason}); use another copy of the file.") from error
    if not isinstance(model, Recognizer):
        raise UserError(f"the file holds a {type(model).__name__}, not a recogniser.")
    return model


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
