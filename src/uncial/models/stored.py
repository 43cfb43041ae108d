"""The model that a file describes: its card checked as plain data, built only where the file's table of tensors bears
it out."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules import module as torch_modules
from torch.overrides import TorchFunctionMode

from uncial.config.trust import find_targets, is_within
from uncial.errors import UserError
from uncial.models.build import build_model
from uncial.models.contracts import Model
from uncial.models.parts import PartsOfFile, find_part
from uncial.text.normalization import DEFAULT_PROFILE
from uncial.text.rules import TextRules

DEPTH = 32
"""Levels of lists and tables in a card; the config of a model has six."""

SHOWN = 60

LONGEST_CONFIG = 1 << 18
"""Characters of a model's config as JSON; those of this program have two thousand."""

LARGEST = 1e6
"""A temperature beyond which nothing is left of a confidence; fitted ones are 10 at most."""


def parse_card(text: str) -> dict[str, Any]:
    """Return the card that a file holds as JSON, without keys that are null. Raises `ValueError`, with the reason,
    where it is none."""
    try:
        card = json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(card, dict):
        raise ValueError("it is no table")
    _check_depth(card)
    stated = {key: value for key, value in card.items() if value is not None}
    if len(json.dumps(stated.get("model"))) > LONGEST_CONFIG:
        raise ValueError("its model has more settings than any")
    for key, (is_right, wanted) in KINDS.items():
        if key in stated and not is_right(stated[key]):
            raise ValueError(f"its {key} is {_format_shown(stated[key])}, where {wanted} is needed")
    return stated


def read_text_rules(card: Mapping[str, Any]) -> TextRules:
    """Return the rules for text that a model's card states; one that states none was trained in the order of the files.

    Raises `UserError` where they cannot be read.
    """
    stated = card.get("text")
    if isinstance(stated, dict):
        return TextRules.from_json(stated)
    return TextRules(str(card.get("normalization", DEFAULT_PROFILE)))


def _check_depth(card: Mapping[str, Any]) -> None:
    level: list[Any] = [card]
    for _ in range(DEPTH):
        inside = [list(value.values()) if isinstance(value, dict) else value for value in level]
        level = [one for values in inside for one in values if isinstance(one, dict | list)]
        if not level:
            return
    raise ValueError("it is nested too deeply")


def _format_shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _is_table(value: object) -> bool:
    return isinstance(value, dict)


def _is_word(value: object) -> bool:
    return isinstance(value, str)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _are_words(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str | None) for one in value)


def _is_calibration(value: object) -> bool:
    return isinstance(value, dict) and all(
        isinstance(one, int | float) and not isinstance(one, bool) and 0 < one < LARGEST for one in value.values()
    )


def _is_training(value: object) -> bool:
    return isinstance(value, dict) and _are_words(value.get("page_hashes", []))


KINDS: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "format": (_is_word, "a word"),
    "format_version": (_is_count, "a whole number"),
    "model": (_is_table, "a table"),
    "codec": (_is_table, "a table"),
    "preprocessing": (_is_table, "a table"),
    "text": (_is_table, "a table"),
    "normalization": (_is_word, "a word"),
    "calibration": (_is_calibration, "a table of temperatures above 0"),
    "problem": (_is_table, "a table"),
    "scores": (_is_table, "a table"),
    "training": (_is_training, "a table with a list of page_hashes"),
    "seen_before": (_are_words, "a list of words"),
    "lineage": (_are_words, "a list of words"),
    "averaged": (_are_words, "a list of words"),
    "seed": (_is_count, "a whole number"),
    "version": (_is_word, "a word"),
    "precision": (_is_word, "a word"),
}
"""Of what kind the value of each key is, where it has one."""

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
    targets = list(find_targets(config))
    if len(targets) > most:
        raise UserError(f"{MISFIT} (it names {len(targets):,} parts, and the file holds {len(table)} tensors).")
    kind = find_part(config, parts)
    if not issubclass(kind, Model):
        raise UserError(f"the file holds a {kind.__name__}, not a recogniser or another model.")
    known = kind.known_from_card(card)
    is_own = any(is_within(str(target), parts.trust) for _, target in targets)
    try:
        with limit_modules(len(table), most), torch.device("meta"), _WithoutFilling():
            sketch = _build(config, parts, known)
    except UserError:
        # A class of the user's own may compute with numbers while it is made.
        if not is_own:
            raise
    else:
        _compare(sketch, table)
    with limit_modules(len(table), most):
        model = _build(config, parts, known)
    _compare(model, table)
    return model.eval()


def _build(config: Mapping[str, Any], parts: PartsOfFile, known: Mapping[str, Any]) -> Model:
    try:
        return build_model(config, parts, **known)
    except UserError:
        raise
    except Exception as error:  # whatever a part makes of settings that nobody has checked
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise UserError(f"the model cannot be built ({reason}); use another copy of the file.") from error


def _check_alphabet(codec: Mapping[str, Any], table: Table) -> None:
    """Raise `UserError` for more labels than any side of a tensor has: before the codec itself is made."""
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
                f"{MISFIT} ({name} is {_format_shape(table.get(name))} there, {_format_shape(own.get(name))} by "
                "its config)."
            )


def _format_shape(shape: tuple[int, ...] | None) -> str:
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
def limit_modules(tensors: int, modules: int) -> Iterator[None]:
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
