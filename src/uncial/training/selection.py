"""Parts of a model by name: what `freeze`, `reinitialize` and `lr_factors` mean by their patterns."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from torch import nn

from uncial.config.keys import suggest_key
from uncial.errors import UserError

OUTPUTS = ("decoder", "shortcut")
"""The parts of a recogniser whose outputs are labels: the decoder, and the auxiliary one beside it."""

SHOWN_DEPTH = 3
"""How many names between dots an error shows of what exists."""


@dataclass(frozen=True)
class ModuleSelection:
    """Some of a model's modules and of its parameters and buffers, by their names (`head.layers.0`)."""

    modules: frozenset[str]
    tensors: frozenset[str]


def select_modules(model: nn.Module, patterns: Sequence[str], key: str) -> ModuleSelection:
    """Return what `patterns` name: modules with all below them, and single parameters; `*` stands for anything, dots
    too.

    A module is among the parts as well when all of its parameters are. Raises `UserError`, which names the config
    `key`, for a pattern that matches nothing.
    """
    modules = [name for name, _ in model.named_modules() if name]
    tensors = [name for name, _ in (*model.named_parameters(), *model.named_buffers())]
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in (*modules, *tensors)):
            raise UserError(f"{key}: {pattern} names no part of the model.{_describe_modules(model, pattern)}")
    chosen = {name for name in tensors if _is_named(name, patterns)}
    whole = {name for name in modules if _is_named(name, patterns) or _is_covered(model, name, chosen)}
    inside = {name for name in tensors if name.rpartition(".")[0] in whole}
    return ModuleSelection(frozenset(whole), frozenset(chosen | inside))


def list_top_modules(names: Iterable[str]) -> list[str]:
    """Return the first of the names between dots, each once, in order: `head.layers.0` lies in `head`."""
    return list(dict.fromkeys(name.partition(".")[0] for name in names))


def _is_named(name: str, patterns: Sequence[str]) -> bool:
    words = name.split(".")
    ancestors = [".".join(words[: end + 1]) for end in range(len(words))]
    return any(fnmatchcase(ancestor, pattern) for ancestor in ancestors for pattern in patterns)


def _is_covered(model: nn.Module, name: str, chosen: set[str]) -> bool:
    own = [f"{name}.{parameter}" for parameter, _ in model.get_submodule(name).named_parameters()]
    return bool(own) and chosen.issuperset(own)


def _describe_modules(model: nn.Module, pattern: str) -> str:
    named = [name for name, module in model.named_modules() if name and any(True for _ in module.parameters())]
    shown = [name for name in named if name.count(".") < SHOWN_DEPTH]
    return f"{suggest_key(pattern, shown)} There are {', '.join(shown)}."
