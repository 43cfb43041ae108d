"""Parts of models from plain data: which classes a model's file may name, and how they are put together.

Nothing but those classes is imported, and no text is taken for anything else than itself.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any, Protocol, get_type_hints

from torch import nn

from uncial.config.moved import find_current_path
from uncial.config.trust import NAME, explain_refusal, is_within
from uncial.errors import UserError
from uncial.models.contracts import PlainPart
from uncial.models.preprocessing import Preprocessing

ROOM = "uncial.models"
TORCH = "torch.nn"

SPECIAL = ("_target_", "_partial_", "_args_", "_convert_", "_recursive_")
"""Keys that say how a part is made and are no arguments of it; Hydra's names."""

PLACES = ("device", "dtype")
"""Arguments of torch's modules that would take memory while shapes are compared, which is done without any."""

COPYING = ("Transformer", "TransformerEncoder", "TransformerDecoder")
"""Modules of torch that copy a layer any number of times before anything can be counted."""

MADE_OF_PARTS = ("Callable", "Preprocessing", "Codec", "TextRules", "Any")
"""In the annotation of an argument: it is no number and not made of numbers."""


class Parts(Protocol):
    """Which classes a model may be made of."""

    def find(self, key: str, target: str) -> type:
        """Return the class of this dotted path, which stands under `key`. Raises `UserError` for one that may not be
        used."""
        ...

    def check(self, part: type, given: Mapping[str, Any], positional: Iterable[Any], key: str) -> None:
        """Raise `UserError` for arguments that the class may not be given."""
        ...


@dataclass(frozen=True)
class PartsOfFile:
    """What the model's file `where` may name: classes of this package, of torch.nn, and of the modules `trust`."""

    trust: Sequence[str]
    where: object

    def find(self, key: str, target: str) -> type:
        if is_within(target, self.trust):
            return _import(key, target)
        found = _find_own_class(target) or _find_torch_class(target)
        if found is None:
            raise UserError(explain_refusal(self.where, key, target))
        return found

    def check(self, part: type, given: Mapping[str, Any], positional: Iterable[Any], key: str) -> None:
        if not is_within(part.__module__, (TORCH,)):
            return
        if places := [name for name in PLACES if name in given]:
            raise UserError(f"{key}.{places[0]}: where a model lies is not its file's to say; use another copy.")
        if any(isinstance(value, str) for value in positional):
            raise UserError(f"{key}._args_ holds a text, which torch's {part.__name__} could take for a device.")


@dataclass(frozen=True)
class PartsOfProgram:
    """What the user's own config may name: every class of modules that can be imported."""

    def find(self, key: str, target: str) -> type:
        return _import(key, target)

    def check(self, part: type, given: Mapping[str, Any], positional: Iterable[Any], key: str) -> None:
        pass


def build_part(config: Any, parts: Parts, key: str = "model") -> Any:
    """Make what plain data describe: of a mapping with a `_target_` an object of that class, or with `_partial_` a
    function that completes it; the rest stays what it is.

    Raises `UserError` for a target that is no class of modules or a preprocessing, or that `parts` refuse.
    """
    if isinstance(config, list | tuple):
        return [build_part(value, parts, f"{key}[{index}]") for index, value in enumerate(config)]
    if not isinstance(config, Mapping):
        return config
    if "_target_" not in config:
        return {name: build_part(value, parts, f"{key}.{name}") for name, value in config.items()}
    part = find_part(config, parts, key)
    is_nested = config.get("_recursive_", True)
    given = {str(name): value for name, value in config.items() if name not in SPECIAL}
    positional = config.get("_args_") or []
    if not isinstance(positional, list | tuple):
        raise UserError(f"{key}._args_ is {positional!r}; a list is needed.")
    if is_nested:
        given = {name: build_part(value, parts, f"{key}.{name}") for name, value in given.items()}
        positional = [build_part(value, parts, f"{key}._args_[{number}]") for number, value in enumerate(positional)]
    parts.check(part, given, positional, key)
    _check_kinds(part, given, key)
    return partial(part, *positional, **given) if config.get("_partial_") else part(*positional, **given)


def find_part(config: Mapping[str, Any], parts: Parts, key: str = "model") -> type:
    """Return the class that a part's config names. Raises `UserError` as `build_part` does."""
    target = config.get("_target_")
    if not isinstance(target, str) or not NAME.fullmatch(target):
        raise UserError(f"{key}._target_ is {target!r}, which is no part of a model; name a class of torch modules.")
    return parts.find(f"{key}._target_", find_current_path(target))


def _check_kinds(part: type, given: Mapping[str, Any], key: str) -> None:
    """Raise `UserError` where a class of this package would be given a text, or a table, in the place of a number:
    `"%1000000000d" % 2` is a text of a gigabyte."""
    if not is_within(part.__module__, (ROOM,)):
        return
    kinds = get_type_hints(part.__init__)  # type: ignore[misc]
    for name, value in given.items():
        kind = kinds.get(name)
        if kind is str:
            if not isinstance(value, str | None):
                raise UserError(f"{key}.{name} is {shorten(value)}; a word is needed.")
        elif kind is not None and not any(word in str(kind) for word in MADE_OF_PARTS):
            _check_numbers(value, f"{key}.{name}")


def _check_numbers(value: Any, key: str, depth: int = 3) -> None:
    if isinstance(value, list | tuple) and depth:
        for one in value:
            _check_numbers(one, key, depth - 1)
    elif isinstance(value, Mapping) and depth:
        for name, one in value.items():
            _check_numbers(one, f"{key}.{name}", 0)
    elif not isinstance(value, int | float | None):
        raise UserError(f"{key} is {shorten(value)}; a number is needed.")


def shorten(value: object) -> str:
    """Return a value as messages show it."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}…"


def _find_own_class(target: str) -> type | None:
    """Return a class that a module of this package defines. What a module has only imported is none of its own."""
    module, _, name = target.rpartition(".")
    if not is_within(module, (ROOM,)):
        return None
    try:
        found = getattr(import_module(module), name, None)
    except ImportError:
        return None
    return found if _is_part(found) and found.__module__ == module else None


def _find_torch_class(target: str) -> type | None:
    """Return a class of torch.nn, by the short or the long path."""
    module, _, name = target.rpartition(".")
    found = getattr(nn, name, None)
    if not _is_part(found) or not is_within(found.__module__, ("torch.nn.modules",)) or name in COPYING:
        return None
    return found if module in (TORCH, found.__module__) else None


def _import(key: str, target: str) -> type:
    module, _, name = target.rpartition(".")
    try:
        found = getattr(import_module(module), name, None)
    except (ImportError, ValueError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        raise UserError(f"'{target}' cannot be imported: {reason}; is it installed?") from error
    if not _is_part(found):
        raise UserError(f"{key} is '{target}', which is no part of a model; name a class of torch modules.")
    assert isinstance(found, type)
    return found


def _is_part(found: Any) -> bool:
    return isinstance(found, type) and issubclass(found, nn.Module | Preprocessing | PlainPart)
