"""Where the program's own files lie, and by which command it is started: in a clone and installed as a package."""

import os
import shlex
from collections.abc import Sequence
from pathlib import Path, PurePath

from uncial.errors import UserError

ROOT, COMMAND = "UNCIAL_ROOT", "UNCIAL_COMMAND"
"""Environment variables that processes hand on to those which they start: the folder that holds conf/, and what is
typed to start the program."""

INSTALLED, IN_A_CLONE = "uncial", "python run.py"

_PACKAGE = Path(__file__).resolve().parents[1]


def is_installed() -> bool:
    """Whether conf/ lies in the package, as a wheel puts it there, and not in a clone or an unpacked archive."""
    return (_PACKAGE / "conf" / "config.yaml").is_file()


def root_folder() -> Path:
    """The absolute folder that holds conf/, multirun_templates/ and docs/coming-from.md: that which UNCIAL_ROOT names,
    the package where they are installed with it, else the clone whose src/ holds the package."""
    if given := os.environ.get(ROOT):
        return Path(given).absolute()
    return _PACKAGE if is_installed() else _PACKAGE.parents[1]


def conf_folder() -> Path:
    """The program's own conf/."""
    return root_folder() / "conf"


def publish_location(script: str) -> None:
    """Leave in the environment, for the config and for other processes, where the program's files lie and by which
    command it was started, `script` being the first of its arguments.

    Raises `UserError` where conf/ is not there.
    """
    root = root_folder()
    if not (root / "conf" / "config.yaml").is_file():
        remedy = f"unset {ROOT}, which names it" if os.environ.get(ROOT) else "install the program again"
        raise UserError(f"{root} holds no conf/config.yaml, without which nothing can be composed: {remedy}.")
    os.environ[ROOT] = str(root)
    os.environ[COMMAND] = IN_A_CLONE if PurePath(script).name == "run.py" else INSTALLED


def format_command(*arguments: str) -> str:
    """The command that does what the arguments say, which are quoted for the shell already, as a person types it."""
    program = os.environ.get(COMMAND) or (INSTALLED if is_installed() else IN_A_CLONE)
    return " ".join((program, *arguments))


def without_program(command: Sequence[str]) -> list[str]:
    """The arguments of a command that was typed: all behind `python run.py`, or behind `uncial`."""
    return list(command[2:] if command[:1] == ["python"] else command[1:])


def written_command(arguments: Sequence[str]) -> str:
    """A command line with its program, as `sys.argv` has it, for a person to type again in the same folder."""
    script = PurePath(arguments[0])
    program = ["python", arguments[0]] if script.suffix == ".py" else [script.name.removesuffix(".exe")]
    return shlex.join([*program, *arguments[1:]])
