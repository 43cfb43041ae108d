"""What was typed for a run, as it was typed."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import OmegaConf

from uncial.config.keys import iterate_leaves


def lines_as_typed(overrides: Any) -> list[str]:
    """Return the lines of a config's `hydra.overrides.task` or `.hydra`.

    One by one they would be resolved in the config that they stand in, where a key has another value than in a job of a
    sweep, or none.
    """
    plain: Any = OmegaConf.to_container(overrides, resolve=False) if OmegaConf.is_config(overrides) else overrides
    return [str(line) for line in plain]


def typed_lines() -> list[str]:
    """Return what was typed for this run, or job of a sweep, but for Hydra's own keys."""
    return lines_as_typed(HydraConfig.get().overrides.task)


def typed_overrides() -> list[Override]:
    """Return the lines of `typed_lines` as Hydra reads them."""
    return OverridesParser.create().parse_overrides(typed_lines())


@dataclass(frozen=True)
class UserOverrides:
    """Below one config group: the dotted keys that were set, and what was chosen for each group, by the group's name
    with dots (`model`, `model.head`)."""

    keys: frozenset[str]
    choices: frozenset[str]


def find_user_overrides(group: str) -> UserOverrides:
    """Return what was set below `group`, by the command line and by the experiment."""
    keys: set[str] = set()
    choices: set[str] = set()
    for override in typed_lines():
        name, equals, _ = override.lstrip("+~").partition("=")
        name = name.partition("@")[0].strip()
        if equals and ("/" in name or name == group):
            choices.add(name.replace("/", "."))
        else:
            keys.add(name)
    for experiment in _find_experiments():
        content = OmegaConf.to_container(OmegaConf.load(experiment), resolve=False)
        assert isinstance(content, dict)
        for entry in content.get("defaults", []):
            chosen = [re.sub(r"^override\s+/?", "", str(name)) for name in entry] if isinstance(entry, dict) else []
            choices.update(name.strip("/").replace("/", ".") for name in chosen)
        keys.update(key for key, _ in iterate_leaves(content))
    below = f"{group}."
    return UserOverrides(
        frozenset(key for key in keys if key.startswith(below)),
        frozenset(choice for choice in choices if choice == group or choice.startswith(below)),
    )


def _find_experiments() -> list[Path]:
    """Return the file of `experiment=NAME` in conf/ or in a folder that was given with --config-dir."""
    runtime = HydraConfig.get().runtime
    name = runtime.choices.get("experiment")
    if name is None:
        return []
    folders = [Path(source.path) for source in runtime.config_sources if source.schema == "file"]
    return [path for folder in folders if (path := folder / "experiment" / f"{name}.yaml").is_file()]


def is_typed(key: str) -> bool:
    """Return whether the key, or a group of it, was typed for this run, by itself or with what was chosen for the
    group."""
    return any(key == name or key.startswith(f"{name}.") for name in iterate_typed_names())


def iterate_typed_names() -> Iterator[str]:
    """Yield the dotted keys and groups that were typed for this run."""
    for override in typed_overrides():
        value = None if override.is_delete() or override.is_sweep_override() else override.value()
        if isinstance(value, dict) and value:
            below = {str(key): part for key, part in value.items()}
            yield from (name for name, _ in iterate_leaves(below, f"{override.key_or_group}."))
        else:
            yield override.key_or_group.replace("/", ".")
