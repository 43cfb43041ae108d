"""Where classes lie that models and runs of earlier versions name by another dotted path."""

from collections.abc import Mapping
from typing import Any

MOVED: Mapping[str, str] = {}
"""Modules, and classes and functions of them, by the path that was written and the path of today."""


def current_path(target: str) -> str:
    """The dotted path of today for one that an earlier version may have written."""
    if target in MOVED:
        return MOVED[target]
    module, _, name = target.rpartition(".")
    return f"{MOVED[module]}.{name}" if module in MOVED else target


def with_current_paths(plain: Any) -> Any:
    """A copy of plain data in which every `_target_` is a path of today."""
    if isinstance(plain, Mapping):
        return {
            key: current_path(value) if key == "_target_" and isinstance(value, str) else with_current_paths(value)
            for key, value in plain.items()
        }
    return [with_current_paths(value) for value in plain] if isinstance(plain, list | tuple) else plain
