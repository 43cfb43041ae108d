"""The settings of all rooms: which classes state them, and how they are built from a composed config."""

import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, fields
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from omegaconf import DictConfig, ListConfig, OmegaConf

from uncial.config.settings import KeyRule, Settings, is_settings, list_key_rules
from uncial.config.trust import list_trusted_modules
from uncial.errors import UserError

MODULES = (
    "uncial.data.settings",
    "uncial.metrics.settings",
    "uncial.models.settings",
    "uncial.pipelines.settings",
    "uncial.problems.settings",
    "uncial.reports.settings",
    "uncial.runs.settings",
    "uncial.training.settings",
)
"""The modules that hold settings. By name: they lie in rooms above this one, and are imported when
they are asked for."""

T = TypeVar("T", bound=Settings)


@cache
def list_settings_classes() -> Mapping[str, type[Settings]]:
    """Return the classes of settings by their groups."""
    return dict(_iterate_classes())


def _iterate_classes() -> Iterator[tuple[str, type[Settings]]]:
    for name in MODULES:
        for value in vars(import_module(name)).values():
            if is_settings(value) and value.__module__ == name and hasattr(value, "GROUP"):
                yield value.GROUP, value


@cache
def list_rules() -> Mapping[str, KeyRule]:
    """Return what each key takes of which a class of settings says so, by its dotted name."""
    return {
        f"{group}.{name}" if group else name: rule
        for group, settings in list_settings_classes().items()
        for name, rule in list_key_rules(settings).items()
    }


def get_default(key: str) -> Any:
    """Return what a config file without this key means by that."""
    group, _, name = key.rpartition(".")
    return next(field.default for field in fields(list_settings_classes()[group]) if field.name == name)  # type: ignore[arg-type]


def build_settings(settings: type[T], config: DictConfig) -> T:
    """Return the settings with the values of their group in the whole config.

    Raises `UserError` for a value that is missing, or null where that is not allowed.
    """
    return _build(settings, _read_values(settings, config), f"{settings.GROUP}." if settings.GROUP else "")


def is_complete(settings: type[Settings], config: DictConfig) -> bool:
    """Return whether the whole config has a value for each key of the settings that needs one."""
    node = OmegaConf.select(config, settings.GROUP) if settings.GROUP else config
    if not isinstance(node, DictConfig):
        return False
    needed = [field.name for field in fields(settings) if field.default is MISSING]  # type: ignore[arg-type]
    return all(name in node for name in needed) and not any(OmegaConf.is_missing(node, name) for name in node)


def _read_values(settings: type[Settings], config: DictConfig) -> dict[str, Any]:
    """Return the values that the config has for the settings, as plain types."""
    node = OmegaConf.select(config, settings.GROUP) if settings.GROUP else config
    names = [field.name for field in fields(settings) if field.name in node]  # type: ignore[arg-type]
    given = {name: node[name] for name in names if not OmegaConf.is_missing(node, name)}
    return {
        name: OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value
        for name, value in given.items()
    }


def _build(settings: type[T], values: Mapping[str, Any], prefix: str) -> T:
    hints, rules_here, found = typing.get_type_hints(settings), list_key_rules(settings), {}
    for field in fields(settings):  # type: ignore[arg-type]
        key, value = f"{prefix}{field.name}", values.get(field.name, field.default)
        if value is MISSING or value == "???":
            raise UserError(f"{key} has to be given: add {key}=… to the command.")
        if is_settings(hints[field.name]):
            found[field.name] = _build(hints[field.name], value, f"{key}.")
        else:
            found[field.name] = _convert(value, rules_here[field.name], key)
    return settings(**found)


def _convert(value: Any, rule: KeyRule, key: str) -> Any:
    if value is None and rule.is_nullable:
        return None
    if rule.is_list:
        entries = value if isinstance(value, list | tuple) else [] if value is None else [value]
        return tuple(_convert_one(entry, rule) for entry in entries)
    if value is None:
        raise UserError(f"{key}=null: {rule.key.expected or 'a value is needed'}.")
    return tuple(value) if rule.takes_list and isinstance(value, list) else _convert_one(value, rule)


def _convert_one(value: Any, rule: KeyRule) -> Any:
    """Return the value as its kind; as it is where there are several kinds, and for a table."""
    [kind] = rule.kinds if len(rule.kinds) == 1 else (None,)
    return kind(value) if kind in (bool, int, float, str, Path) and value is not None else value


def as_tuple(value: Any) -> tuple[str, ...]:
    """Return a key that takes one value, a list of them, or null."""
    if value is None:
        return ()
    if isinstance(value, ListConfig | list | tuple):
        return tuple(str(item) for item in value)
    return (str(value),)


def list_trusted(config: DictConfig) -> tuple[str, ...]:
    """Return the modules whose classes a model may be made of: those of `trust` and of UNCIAL_TRUST."""
    return list_trusted_modules(as_tuple(config.get("trust")))


def format_trust(config: DictConfig) -> tuple[str, ...]:
    """Return the argument by which a command trusts what this run does; none where it trusts nothing of others."""
    names = as_tuple(config.get("trust"))
    return (f"trust=[{','.join(names)}]",) if names else ()


def check_choice(value: Any, key: str, choices: Sequence[str]) -> str:
    """Return the value of a key. Raises `UserError` where it is none of the choices."""
    if value not in choices:
        raise UserError(f"{key}={value}: choose one of {', '.join(choices)}.")
    return str(value)


def list_checkpoints(config: DictConfig) -> tuple[str, ...]:
    """Return the models that the task works with, one or several. Raises `UserError` where none is named."""
    if config.checkpoint is None:
        raise UserError(
            f"task={config.task.name} needs a model: add checkpoint=RUN, "
            "a run folder of outputs/ or its best.safetensors, or base/layout, which finds lines and regions."
        )
    return as_tuple(config.checkpoint)


def get_checkpoint(config: DictConfig) -> Path:
    """Return the model that the task works with. Raises `UserError` where none is named."""
    list_checkpoints(config)
    if isinstance(config.checkpoint, ListConfig):
        raise UserError(
            f"checkpoint={list(config.checkpoint)}: task={config.task.name} works with one model; "
            "task=compare compares several."
        )
    return Path(str(config.checkpoint))
