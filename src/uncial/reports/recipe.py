"""What experiment=auto chose: as a table with its reasons, and as an experiment to edit."""

import shlex
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from uncial.config.location import format_command
from uncial.config_keys import leaves
from uncial.errors import UserError
from uncial.formats.atomic import replacing_text
from uncial.reports.figures import plural, rate
from uncial.saved_yaml import literal
from uncial.training.recipe import Choice, Facts


def recipe_table(facts: Facts, choices: Sequence[Choice], typed: Collection[str]) -> RenderableType:
    """The choices with their reasons; those whose keys were typed stay as they are."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("chosen", no_wrap=True)
    table.add_column("because")
    for choice in choices:
        if choice.key in typed:
            table.add_row(Text(choice.key, style="bold"), "as it was typed")
        else:
            table.add_row(Text(f"{choice.key}={choice.value}", style="bold"), choice.reason)
    return Group(Text(f"{_facts(facts)}."), table)


def write_recipe(path: Path, facts: Facts, choices: Sequence[Choice], name: str) -> None:
    """The choices as a file of conf/experiment, each with its reason."""
    groups = [choice for choice in choices if "." not in choice.key]
    keys = [choice for choice in choices if "." in choice.key]
    lines = ["# @package _global_", f"# Chosen by experiment=auto: {_facts(facts)}. Edit it, and train with it:"]
    folder = shlex.quote(str(path.parent.parent))
    lines += [f"#   {format_command('--config-dir', folder, f'experiment={path.stem}', 'data=…')}", "defaults:"]
    lines += [f"  - override /{choice.key}: {choice.value}  # {choice.reason}" for choice in groups]
    lines += ["", OmegaConf.to_yaml(OmegaConf.create(literal({"name": name})))]
    for group in dict.fromkeys(choice.key.partition(".")[0] for choice in keys):
        lines.append(f"{group}:")
        for choice in keys:
            if choice.key.startswith(f"{group}."):
                lines += [f"  # {choice.reason}", f"  {choice.key.partition('.')[2]}: {choice.value}"]
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing_text(path) as file:
        file.write("\n".join(lines) + "\n")


def read_recipe(path: Path) -> list[str]:
    """What a file of `write_recipe` chooses, as it is typed."""
    content: Any = OmegaConf.to_container(OmegaConf.load(path))
    entries = [entry for default in content["defaults"] for entry in default.items()]
    groups = [f"{key.removeprefix('override /')}={value}" for key, value in entries]
    keys = [f"{key}={value}" for key, value in leaves(content) if key not in ("defaults", "name")]
    for line in (*groups, *keys):
        if "_target_" in line or "${" in line:
            raise UserError(f"{path} holds {line}, which task=auto does not choose: type it, or remove the file.")
    return [*groups, *keys]


def _facts(facts: Facts) -> str:
    cores = plural(facts.cores, "core") if facts.device == "cpu" else "a GPU"
    return (
        f"{plural(facts.lines, 'training line')}, {plural(facts.characters, 'character')}, {cores}, "
        f"{rate(facts.pace)} measured"
    )
