"""Which keys a person set: on the command line or in the experiment that was chosen."""

import re
from dataclasses import dataclass
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import OmegaConf

from uncial.config.keys import leaves


@dataclass(frozen=True)
class UserOverrides:
    """Below one config group: the dotted keys that were set, and what was chosen for each group, by the group's name
    with dots (`model`, `model.head`)."""

    keys: frozenset[str]
    choices: frozenset[str]


def user_overrides(group: str) -> UserOverrides:
    """What was set below `group`, by the command line and by the experiment."""
    keys: set[str] = set()
    choices: set[str] = set()
    for override in HydraConfig.get().overrides.task:
        name, equals, _ = override.lstrip("+~").partition("=")
        name = name.partition("@")[0].strip()
        if equals and ("/" in name or name == group):
            choices.add(name.replace("/", "."))
        else:
            keys.add(name)
    for experiment in _experiments():
        content = OmegaConf.to_container(OmegaConf.load(experiment), resolve=False)
        assert isinstance(content, dict)
        for entry in content.get("defaults", []):
            chosen = [re.sub(r"^override\s+/?", "", str(name)) for name in entry] if isinstance(entry, dict) else []
            choices.update(name.strip("/").replace("/", ".") for name in chosen)
        keys.update(key for key, _ in leaves(content))
    below = f"{group}."
    return UserOverrides(
        frozenset(key for key in keys if key.startswith(below)),
        frozenset(choice for choice in choices if choice == group or choice.startswith(below)),
    )


def _experiments() -> list[Path]:
    """The file of `experiment=NAME` in conf/ or in a folder that was given with --config-dir."""
    runtime = HydraConfig.get().runtime
    name = runtime.choices.get("experiment")
    if name is None:
        return []
    folders = [Path(source.path) for source in runtime.config_sources if source.schema == "file"]
    return [path for folder in folders if (path := folder / "experiment" / f"{name}.yaml").is_file()]
