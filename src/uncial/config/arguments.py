"""Arguments that Hydra would take for another, written so that it takes them for what is meant."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import OmegaConf

from uncial.config.keys import group_choices, group_names, iterate_nested_keys, list_known_keys
from uncial.config.location import SEARCH_PATH
from uncial.config.overrides import format_hydra_value, quote_for_hydra, quote_plain_names
from uncial.errors import UserError

TEMPLATES = "multirun_templates"
TARGET = "_target_"


def format_arguments(arguments: Sequence[str], conf: Path) -> list[str]:
    """Return the arguments as Hydra takes them for what is meant: names between quotation marks where they look like
    another kind of value, mappings in the place of what they replace, and the folder of the sweep templates at the end
    of a `hydra.searchpath`. For Hydra one that is typed takes the place of the one in conf/config.yaml, without which
    no `sweep=NAME` would be found."""
    templates = conf.parent / TEMPLATES
    found = [
        _with_templates(one, templates) if one.lstrip("+").startswith(f"{SEARCH_PATH}=") else one for one in arguments
    ]
    return quote_plain_names(replace_parts(found, conf), conf)


def _with_templates(argument: str, templates: Path) -> str:
    parsed = _parsed(argument)
    value = None if parsed is None else parsed.value()
    if parsed is None or not isinstance(value, list) or f"file://{templates}" in value:
        return argument  # What is no list, Hydra says.
    folders = ",".join([*(format_hydra_value(one) for one in value), quote_for_hydra(f"file://{templates}")])
    return f"{SEARCH_PATH}=[{folders}]"


def replace_parts(arguments: Sequence[str], conf: Path) -> list[str]:
    """Return the arguments with two in the place of each that gives a group, or another part of the config with a
    `_target_`, a mapping with one: what stands there is taken out, and the mapping put in.

    Hydra would lay it over the keys of what stands there. Raises `UserError` for a mapping that chooses no part of its
    own where one is chosen.
    """
    groups = {group.replace("/", "."): group for group in group_names(conf)}
    found: list[str] = []
    for argument in arguments:
        key = argument.partition("=")[0].lstrip("+")
        name = key.replace("/", ".")
        is_other = "{" not in argument or argument.startswith(("-", "~")) or not _is_part(name, groups, conf)
        values = [] if is_other else _values(argument)
        if any(isinstance(one, dict) for one in values):
            _check_mappings(argument, key if key in groups.values() else None, values, conf)
        if not values or not all(_has_target(one) for one in values):
            found.append(argument)
            continue
        deleted = f"~{groups.get(name, name)}"
        found += [] if _is_deleted(name, [*arguments, *found]) else [deleted]
        found.append(f"+{name}={argument.partition('=')[2]}")
    return found


def _is_deleted(name: str, arguments: Sequence[str]) -> bool:
    """Return whether an argument takes out what stands under this dotted name, as a group or as a key."""
    return any(one.startswith("~") and one[1:].partition("=")[0].replace("/", ".") == name for one in arguments)


def _is_part(name: str, groups: dict[str, str], conf: Path) -> bool:
    """Return whether the files of `conf` say that one part stands under this dotted name."""
    if name.startswith("hydra.") and name not in groups:
        return name in _hydra_parts(conf)
    return name in groups or any(map(_has_target, list_known_keys(conf).get(name, [])))


@cache
def _hydra_parts(conf: Path) -> frozenset[str]:
    """Return the dotted names of the parts that the files of conf/hydra describe within theirs."""
    found = set()
    for path in sorted(conf.glob("hydra/*/*.yaml")):
        prefix = ".".join(path.parent.relative_to(conf).parts)
        content = OmegaConf.to_container(OmegaConf.load(path), resolve=False)
        nested = iterate_nested_keys(content, f"{prefix}.")
        found |= {key for key, value in nested if isinstance(value, dict) and TARGET in value}
    return frozenset(found)


def _values(argument: str) -> list[Any]:
    """Return the value of an argument, or the several that a sweep lists; none where it cannot be read."""
    parsed = _parsed(argument)
    if parsed is None or (parsed.is_sweep_override() and not parsed.is_choice_sweep()):
        return []
    if not parsed.is_choice_sweep():
        return [parsed.value()]
    texts = [_parsed(f"x={text}") for text in parsed.sweep_string_iterator()]
    return [None if one is None else one.value() for one in texts]


def _has_target(value: Any) -> bool:
    return isinstance(value, dict) and TARGET in value


def _check_mappings(argument: str, group: str | None, values: Sequence[Any], conf: Path) -> None:
    """Raise `UserError` for values of which only some are mappings with a `_target_`, and for one mapping without it
    where a file of `group` is chosen."""
    key = argument.partition("=")[0].lstrip("+")
    choices = f" Choices: {', '.join(group_choices(conf, group))}." if group else ""
    with_target = sum(map(_has_target, values))
    if 0 < with_target < len(values):
        raise UserError(
            f"{argument}: a mapping with a _target_ takes the place of what stands there, and the other values do not: "
            f"write each of them as a file of the group, and give the names of the files.{choices}"
        )
    if group and not with_target and len(values) == 1:
        raise UserError(
            f"{argument}: {key} is chosen by a name.{choices} Single keys of it are set by "
            f"{key.replace('/', '.')}.KEY=VALUE; a mapping takes the place of all of them where it has a _target_."
        )


def _parsed(argument: str) -> Override | None:
    try:
        return OverridesParser.create().parse_override(argument)
    except Exception:
        return None  # Which check_arguments says.
