"""Values of Python as the overrides that the command line takes, so that both compose the same config."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf

from uncial.config.keys import group_choices, group_names, iterate_leaves
from uncial.config.overrides import PLAIN_VALUE, quote_for_hydra
from uncial.config.saved_yaml import escape_references
from uncial.config.task_keys import STATEMENT
from uncial.errors import UserError

SPECIAL = "\\()[]{}:=, \t"
"""What Hydra's grammar takes in the key of a table behind a backslash alone."""


def build_overrides(values: Mapping[str, Any], conf: Path) -> list[str]:
    """Return the overrides that set dotted keys, and groups by the names of their files, to these values as they are:
    no text is taken for a number, a list or a reference. Below a group a mapping may stand for its keys.

    Raises `UserError` for a value that no config can hold.
    """
    groups = {name.replace("/", ".") for name in group_names(conf)} | {"hydra", "hydra.run"}
    return [_format_override(key, value) for key, value in _flatten(values, groups)]


def find_overrides(config: DictConfig, base: DictConfig, choices: Mapping[str, str]) -> list[str]:
    """Return the overrides that make the composed config of `base`, which was composed with `choices` alone."""
    given, default = _without_statement(config), _without_statement(base)
    before, resolved = dict(iterate_leaves(default)), dict(iterate_leaves(_without_statement(base, resolve=True)))
    found = [f"{group}={name}" for group, name in choices.items()]
    for key, value in iterate_leaves(given):
        if value == "???" or (key in before and before[key] == value):
            continue
        try:
            meant = OmegaConf.select(config, key)
        except Exception:
            meant = value  # which the composition of it says
        meant = OmegaConf.to_container(meant, resolve=True) if OmegaConf.is_config(meant) else meant
        if key not in resolved or resolved[key] != meant:
            # Two plus signs where the key may be there or not: below a mapping that one of the two has empty.
            found.append(_format_override(key if key in before else f"++{key}", meant))
    return found


def guess_choices(config: DictConfig, defaults: Mapping[str, Any], conf: Path) -> dict[str, str]:
    """Return which file of each group a composed config was most likely composed of, where it is not that of
    `defaults`.

    A wrong guess costs nothing but longer overrides: each value that differs is an override by itself.
    """
    plain = OmegaConf.to_container(config, resolve=False)
    assert isinstance(plain, dict)
    values = dict(iterate_leaves(plain))
    found = {}
    for group in group_names(conf):
        usual = defaults.get(group)
        if group.partition("/")[0] in ("hydra", "experiment", "sweep") or not isinstance(usual, str):
            continue
        likeness = {name: _count_likeness(values, group, name, conf) for name in group_choices(conf, group)}
        best = max(likeness, key=lambda name: (likeness[name], name == usual))
        if best != usual:
            found[group] = best
    return found


def _count_likeness(values: Mapping[str, Any], group: str, name: str, conf: Path) -> int:
    """Return how many values of a group's file the config has, less those that it has otherwise."""
    path = conf / group / f"{name}.yaml"
    content = OmegaConf.to_container(OmegaConf.load(path), resolve=False)
    is_global = path.read_text(encoding="utf-8").startswith("# @package _global_")
    prefix = "" if is_global else f"{group.replace('/', '.')}."
    own = dict(iterate_leaves(content, prefix)) if isinstance(content, dict) else {}
    own = {key: value for key, value in own.items() if "defaults" not in key.split(".")}
    same = sum(key in values and values[key] == value for key, value in own.items())
    return 2 * same - len(own)


def _without_statement(config: DictConfig, resolve: bool = False) -> dict[str, Any]:
    """Return a config as plain types, without what is no matter of a run."""
    plain = OmegaConf.to_container(config, resolve=False)
    assert isinstance(plain, dict)
    plain.pop("hydra", None)
    if isinstance(plain.get("task"), dict):
        plain["task"] = {key: value for key, value in plain["task"].items() if key not in STATEMENT}
    if not resolve:
        return {str(key): value for key, value in plain.items()}
    whole = OmegaConf.to_container(OmegaConf.create(plain), resolve=True)
    assert isinstance(whole, dict)
    return {str(key): value for key, value in whole.items()}


def _flatten(values: Mapping[str, Any], groups: set[str], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if not isinstance(name, str) or not name.strip():
            raise UserError(f"{name!r} is no key: keys are texts, as 'data.root'.")
        key = f"{prefix}{name}"
        is_group = key.replace("/", ".") in groups
        if isinstance(value, DictConfig):
            value = OmegaConf.to_container(value, resolve=True)
        if is_group and isinstance(value, Mapping) and "_target_" not in value:
            yield from _flatten(value, groups, f"{key.replace('/', '.')}.")
        else:
            yield key, value


def _format_override(key: str, value: Any) -> str:
    if any(sign in key for sign in "=\n\t '\"[]{}"):
        raise UserError(f"{key!r} is no key: a key is the part before the equals sign, as 'data.root'.")
    if key.startswith("~"):
        return key
    return f"{key}={_format_value(_to_plain(value, key))}"


def _to_plain(value: Any, key: str) -> Any:
    """Return the value as YAML can hold it; what looks like a reference is text."""
    if OmegaConf.is_config(value):
        value = OmegaConf.to_container(value, resolve=True)
    if isinstance(value, PathLike):
        value = fspath(value)
    elif not isinstance(value, str | bytes) and hasattr(value, "tolist"):
        value = value.tolist()  # of numpy
    if isinstance(value, Mapping):
        return {str(name): _to_plain(one, key) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_to_plain(one, key) for one in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return escape_references(value)
    raise UserError(
        f"{key}: {type(value).__name__} is no value of a config; texts, numbers, True, False, None, paths, lists and "
        "mappings are."
    )


def _format_value(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{','.join(map(_format_value, value))}]"
    if isinstance(value, dict):
        return f"{{{','.join(f'{_escape_key(name)}:{_format_value(one)}' for name, one in value.items())}}}"
    if isinstance(value, int | float):
        return repr(value)
    return value if _is_plain(value) else quote_for_hydra(value)


def _is_plain(text: str) -> bool:
    """Return whether Hydra's grammar reads the text without quotation marks as what it is."""
    if not PLAIN_VALUE.fullmatch(text):
        return False
    try:
        return bool(OverridesParser.create().parse_override(f"x={text}").value() == text)
    except Exception:
        return False


def _escape_key(name: str) -> str:
    return "".join(f"\\{sign}" if sign in SPECIAL else sign for sign in name)


@contextmanager
def unimported_script() -> Iterator[None]:
    """Processes that are started meanwhile do not run the caller's script again, which they have no need of: it works
    without `if __name__ == "__main__":` too."""
    script: Any = sys.modules["__main__"]
    hidden = {name: getattr(script, name) for name in ("__file__", "__spec__") if hasattr(script, name)}
    script.__spec__ = None
    if "__file__" in hidden:
        del script.__file__
    try:
        yield
    finally:
        for name, value in hidden.items():
            setattr(script, name, value)
