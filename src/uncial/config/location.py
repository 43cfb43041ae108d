"""Where the program's own files lie, and by which command it is started: in a clone and installed as a package."""

import os
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import NoReturn

from uncial.config.hydra_internals import get_args_parser
from uncial.config.secrets import drop_secrets
from uncial.errors import UserError

ROOT, COMMAND, TYPED = "UNCIAL_ROOT", "UNCIAL_COMMAND", "UNCIAL_TYPED"
"""Environment variables that processes hand on to those which they start: the folder that holds conf/, what is typed to
start the program, and all words that were typed, without secrets."""

VARIABLES = ("PYTHONPATH", "UNCIAL_TRUST")
"""Environment variables on which it depends what the program finds and runs: commands to type in another shell set
them."""

SEARCH_PATH = "hydra.searchpath"

VARIABLE = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)
"""The assignment of an environment variable before a command."""

INSTALLED, IN_A_CLONE = "uncial", "python run.py"

_PACKAGE = Path(__file__).resolve().parents[1]


def is_installed() -> bool:
    """Return whether conf/ lies in the package, as a wheel puts it there, and not in a clone or an unpacked archive."""
    return (_PACKAGE / "conf" / "config.yaml").is_file()


def find_root_folder() -> Path:
    """Return the absolute folder that holds conf/, multirun_templates/ and docs/coming-from.md: that which UNCIAL_ROOT
    names, the package where they are installed with it, else the clone whose src/ holds the package."""
    if given := os.environ.get(ROOT):
        return Path(given).absolute()
    return _PACKAGE if is_installed() else _PACKAGE.parents[1]


def find_conf_folder() -> Path:
    """Return the program's own conf/."""
    return find_root_folder() / "conf"


@dataclass(frozen=True)
class Start:
    """What every command that goes on from a run begins with: `NAME=VALUE` of the environment, the program, the options
    that say where configs are found, and the folders of `hydra.searchpath`; nothing of it quoted for the shell."""

    variables: tuple[str, ...]
    program: tuple[str, ...]
    options: tuple[str, ...] = ()
    search_path: tuple[str, ...] = ()

    def format(self, *arguments: str) -> str:
        """Return the command of a person who types it; `arguments` are quoted for the shell already."""
        begin = [*map(quote_variable, self.variables), *map(shlex.quote, (*self.program, *self.options))]
        return " ".join((*begin, *arguments, *map(shlex.quote, self.search_path)))


def read_start(command: Sequence[str]) -> Start:
    """Return how a command that was typed starts the program, its variables first."""
    count = next((number for number, word in enumerate(command) if not VARIABLE.fullmatch(word)), len(command))
    variables, words = tuple(command[:count]), list(command[count:])
    arguments = without_program(words)
    found = [one for one in arguments if one.lstrip("+").startswith(f"{SEARCH_PATH}=")]
    return Start(variables, tuple(words[: len(words) - len(arguments)]), _config_options(arguments), tuple(found))


def _config_options(arguments: Sequence[str]) -> tuple[str, ...]:
    parser = get_args_parser()

    def refuse(message: str) -> NoReturn:
        raise ValueError(message)

    parser.error = refuse  # type: ignore[method-assign]
    try:
        given = parser.parse_known_args(list(arguments))[0]
    except ValueError:
        return ()  # What is wrong with the options is told before anything runs.
    named = {"--config-path": given.config_path, "--config-name": given.config_name, "--config-dir": given.config_dir}
    return tuple(word for option, value in named.items() if value is not None for word in (option, value))


def current_start() -> Start:
    """Return how this process, or the one that has started it, was started."""
    program = os.environ.get(COMMAND) or (INSTALLED if is_installed() else IN_A_CLONE)
    return read_start([*current_variables(), *program.split(), *typed_words()[1:]])


def current_variables() -> list[str]:
    """Return those of `VARIABLES` that are set here, as NAME=VALUE. A clone's own src/ is left out: the program finds
    it."""
    own = {name: os.environ.get(name, "") for name in VARIABLES}
    folders = [one for one in own["PYTHONPATH"].split(os.pathsep) if one and Path(one).absolute() != _PACKAGE.parent]
    own["PYTHONPATH"] = os.pathsep.join(folders)
    return [f"{name}={value}" for name, value in own.items() if value]


def quote_variable(assignment: str) -> str:
    """NAME=VALUE as it stands before a command in a shell."""
    name, _, value = assignment.partition("=")
    return f"{name}={shlex.quote(value)}"


def typed_words() -> list[str]:
    """Return what was typed for this process, or for the one that has started it: the program's script and its
    arguments, without secrets."""
    return shlex.split(os.environ.get(TYPED, ""))


def publish_location(script: str, arguments: Sequence[str] = ()) -> None:
    """Leave in the environment, for the config and for other processes, where the program's files lie and by which
    command it was started, `script` and `arguments` as they were typed.

    Raises `UserError` where conf/ is not there.
    """
    root = find_root_folder()
    if not (root / "conf" / "config.yaml").is_file():
        remedy = f"unset {ROOT}, which names it" if os.environ.get(ROOT) else "install the program again"
        raise UserError(f"{root} holds no conf/config.yaml, without which nothing can be composed: {remedy}.")
    os.environ[ROOT] = str(root)
    os.environ[COMMAND] = IN_A_CLONE if PurePath(script).name == "run.py" else INSTALLED
    os.environ[TYPED] = shlex.join([script, *map(drop_secrets, arguments)])


def format_command(*arguments: str) -> str:
    """Return the command that does what the arguments say, which are quoted for the shell already, as a person types it
    who has a new terminal in the same folder."""
    return current_start().format(*arguments)


def without_program(command: Sequence[str]) -> list[str]:
    """Return the arguments of a command that was typed: all behind `python run.py`, or behind `uncial`."""
    return list(command[2:] if command[:1] == ["python"] else command[1:])


def read_written_command(arguments: Sequence[str]) -> str:
    """Return a command line with its program, as `sys.argv` has it, for a person to type again in the same folder."""
    script = PurePath(arguments[0])
    program = ["python", arguments[0]] if script.suffix == ".py" else [script.name.removesuffix(".exe")]
    return shlex.join([*program, *arguments[1:]])
