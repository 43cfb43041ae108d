"""What `--help` says: the words of conf/hydra/help/uncial.yaml, with the choices of every group."""

from collections.abc import Sequence
from pathlib import Path
from string import Template

from omegaconf import OmegaConf

ALONE = (["--help"], ["-h"])
"""Arguments with which nothing that is typed changes what is said."""


def is_help_alone(arguments: Sequence[str]) -> bool:
    return list(arguments) in ALONE


def format_help(conf: Path) -> str:
    """The text that Hydra would make of it, which composes a config for that and copies all of its own once for each
    group: half a second."""
    config = OmegaConf.create({"hydra": {"help": OmegaConf.load(conf / "hydra" / "help" / "uncial.yaml")}})
    choices: dict[str, list[str]] = {}
    for path in sorted(conf.rglob("*.yaml")):
        group = path.parent.relative_to(conf)
        if group.parts and group.parts[0] != "hydra":
            choices.setdefault(group.as_posix(), []).append(path.stem)
    listed = "".join(f"{group}: {', '.join(sorted(names))}\n" for group, names in sorted(choices.items()))
    return Template(config.hydra.help.template).substitute(APP_CONFIG_GROUPS=listed)
