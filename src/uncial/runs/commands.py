"""Commands that go on from a run, as a person types them."""

import re
import shlex
from collections.abc import Sequence
from pathlib import Path

from uncial.config.hydra_internals import get_args_parser
from uncial.config.location import conf_folder, format_command, without_program
from uncial.config.task_keys import without_unread
from uncial.runs.environment import read_environment

ABOUT_DATA = re.compile(r"[+~]{0,2}(data[=./@]|experiment=|seed=|paths\.)")
"""What of a command says on which lines it works."""


def format_follow_up_command(folder: Path, typed: Sequence[str], *what: str) -> str:
    """The command that does `what`, arguments as they are typed, with the data of the run in `folder`, for which
    `typed` was typed: all of that which is about data, with the experiment, which may choose them."""
    about_data = [argument for argument in typed if ABOUT_DATA.match(argument)]
    for task in [one.removeprefix("task=") for one in what if one.startswith("task=")]:
        about_data = without_unread(about_data, task, conf_folder())
    return format_command(*_config_folder(folder), *what, *map(shlex.quote, about_data))


def _config_folder(folder: Path) -> list[str]:
    """The option by which the run in `folder` was given configs beside those of conf/."""
    command = shlex.split(str(read_environment(folder).get("command", "")))
    given = get_args_parser().parse_known_args(without_program(command))[0].config_dir
    return ["--config-dir", shlex.quote(given)] if given else []
