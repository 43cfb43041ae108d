"""Arguments that Hydra would take for another, written so that it takes them for what is meant."""

from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import OmegaConf

from uncial.config.keys import group_choices, group_names, known_keys, nested_keys
from uncial.config.location import SEARCH_PATH
from uncial.config.overrides import hydra_quoted, hydra_value, quote_plain_names
from uncial.errors import UserError

TEMPLATES = "multirun_templates"
TARGET = "_target_"


def format_arguments(arguments: Sequence[str], conf: Path) -> list[str]:
    """The arguments as Hydra takes them for what is meant: names between quotation marks where they look like another
    kind of value, mappings in the place of what they replace, and the folder of the sweep templates at the end of a
    `hydra.searchpath`. For Hydra one that is typed takes the place of the one in conf/config.yaml, without which no
    `sweep=NAME` would be found."""
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
    folders = ",".join([*(hydra_value(one) for one in value), hydra_quoted(f"file://{templates}")])
    return f"{SEARCH_PATH}=[{folders}]"


def replace_parts(arguments: Sequence[str], conf: Path) -> list[str]:
    """The arguments with two in the place of each that gives a group, or another part of the config with a `_target_`,
    a mapping with one: what stands there is taken out, and the mapping put in.

    Hydra would lay it over the keys of what stands there. Raises `UserError` for a mapping that is no part of its own.
    """
    groups = {group.replace("/", "."): group for group in group_names(conf)}
    found = []
    for argument in arguments:
        key = argument.partition("=")[0].lstrip("+")
        if "{" not in argument or argument.startswith(("-", "~")) or not _is_part(key.replace("/", "."), groups, conf):
            found.append(argument)
            continue
        name = key.replace("/", ".")
        mappings = _mappings(argument)
        if mappings is None:
            found.append(argument)
            continue
        _check_mappings(argument, groups.get(name), mappings, conf)
        deleted = f"~{groups.get(name, name)}"
        found += [] if deleted in (*arguments, *found) or _is_deleted(deleted, arguments) else [deleted]
        found.append(f"+{name}={argument.partition('=')[2]}")
    return found


def _is_deleted(deleted: str, arguments: Sequence[str]) -> bool:
    return any(one.partition("=")[0] == deleted for one in arguments)


def _is_part(name: str, groups: dict[str, str], conf: Path) -> bool:
    """Whether the files of `conf` say that one part stands under this dotted name."""
    if name.startswith("hydra.") and name not in groups:
        return name in _hydra_parts(conf)
    return name in groups or any(isinstance(one, dict) and TARGET in one for one in known_keys(conf).get(name, []))


@cache
def _hydra_parts(conf: Path) -> frozenset[str]:
    """The dotted names of the parts that the files of conf/hydra describe within theirs."""
    found = set()
    for path in sorted(conf.glob("hydra/*/*.yaml")):
        prefix = ".".join(path.parent.relative_to(conf).parts)
        content = OmegaConf.to_container(OmegaConf.load(path), resolve=False)
        nested = nested_keys(content, f"{prefix}.")
        found |= {key for key, value in nested if isinstance(value, dict) and TARGET in value}
    return frozenset(found)


def _mappings(argument: str) -> list[Any] | None:
    """The values of an argument, several in a sweep, where at least one of them is a mapping; None for others."""
    parsed = _parsed(argument)
    if parsed is None:
        return None
    if parsed.is_choice_sweep():
        texts = [_parsed(f"x={text}") for text in parsed.sweep_string_iterator()]
        values = [None if one is None else one.value() for one in texts]
    else:
        values = [None if parsed.is_sweep_override() else parsed.value()]
    return values if any(isinstance(one, dict) for one in values) else None


def _check_mappings(argument: str, group: str | None, values: Iterable[Any], conf: Path) -> None:
    """Raise `UserError` where not every value is a mapping with a `_target_`."""
    values = list(values)
    key = argument.partition("=")[0].lstrip("+")
    if all(isinstance(one, dict) and TARGET in one for one in values):
        return
    choices = f" Choices: {', '.join(group_choices(conf, group))}." if group else ""
    if len(values) > 1:
        raise UserError(
            f"{argument}: only mappings with a _target_ can stand beside each other, and no names: write each of them "
            f"as a file of {group or key}, and give the names of the files.{choices}"
        )
    told = f"{key} is chosen by a name.{choices} " if group else ""
    raise UserError(
        f"{argument}: {told}Single keys of it are set by {key.replace('/', '.')}.KEY=VALUE; a mapping takes the "
        "place of all of them where it has a _target_."
    )


def _parsed(argument: str) -> Override | None:
    try:
        return OverridesParser.create().parse_override(argument)
    except Exception:
        return None  # Which check_arguments says.
