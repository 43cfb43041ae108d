"""Exit codes, and the one sentence in which a user's mistake ends. Imports nothing heavy: `--help` has to be quick."""

import errno
import logging
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from string import Template
from traceback import walk_tb

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from hydra.utils import get_method
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError  # type: ignore[import-untyped]

from uncial.config.arguments import format_arguments
from uncial.config.hydra_internals import get_args_parser
from uncial.config.keys import check_added, check_own_files
from uncial.config.location import find_conf_folder, find_root_folder, is_installed, publish_location
from uncial.config.messages import explain_error, explain_folder_error
from uncial.config.overrides import check_arguments, is_sweep
from uncial.config.secrets import check_no_secrets
from uncial.config.task_keys import check_problem_keys, check_typed_keys, drop_statement
from uncial.config.trust import trust_typed_classes
from uncial.config.typed import typed_lines
from uncial.config.values import check_values
from uncial.errors import FindingsError, HydraExit, UserError
from uncial.reports.terminal.standard_streams import secure_standard_streams
from uncial.runs.resumed_config import find_task_to_run
from uncial.sweeps.launch import should_run
from uncial.termination import TERMINATED, Terminated, sigterm_raises
from uncial.training.distributed.several_starts import check_single_start

ALONE = (["--help"], ["-h"])
"""Arguments with which nothing that is typed changes what is said."""


def is_help_alone(arguments: Sequence[str]) -> bool:
    return list(arguments) in ALONE


def format_help(conf: Path) -> str:
    """Return the text that Hydra would make of it, which composes a config for that and copies all of its own once for
    each group: half a second."""
    config = OmegaConf.create({"hydra": {"help": OmegaConf.load(conf / "hydra" / "help" / "uncial.yaml")}})
    choices: dict[str, list[str]] = {}
    for path in sorted(conf.rglob("*.yaml")):
        group = path.parent.relative_to(conf)
        if group.parts and group.parts[0] != "hydra":
            choices.setdefault(group.as_posix(), []).append(path.stem)
    listed = "".join(f"{group}: {', '.join(sorted(names))}\n" for group, names in sorted(choices.items()))
    return Template(config.hydra.help.template).substitute(APP_CONFIG_GROUPS=listed)


DONE, FAILED, FOUND, INTERRUPTED = 0, 1, 2, 130

_OF_THE_SYSTEM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENAMETOOLONG, errno.EIO)
"""What a file system refuses, which is no fault of the program."""


def main() -> int:
    """Return the command `uncial`, and what run.py calls: composes the config from conf/ and the command line, runs the
    task that it names, and returns the exit code; with HYDRA_FULL_ERROR=1 errors show their traceback instead."""
    secure_standard_streams()
    # Of a notebook or desktop: matplotlib refuses to be imported where what it names is not installed.
    os.environ["MPLBACKEND"] = "agg"
    if "--version" in sys.argv[1:]:
        from importlib.metadata import version  # Imported here because it is slow to import.

        print(f"Uncial {version('uncial')}, Hydra {version('hydra-core')}")
        return DONE
    wants_traceback = os.environ.get("HYDRA_FULL_ERROR") == "1"
    # Otherwise Hydra prints its own shortened traceback and leaves before the error reaches us.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    try:
        publish_location(sys.argv[0], sys.argv[1:])
        check_single_start(os.environ)
        if is_help_alone(sys.argv[1:]):
            print(format_help(find_conf_folder()))
            return DONE
        sys.argv[1:] = format_arguments(sys.argv[1:], find_conf_folder())
        check_arguments(sys.argv[1:], find_conf_folder())
        with sigterm_raises():
            sys.argv += _with_absolute_configs(sys.argv[1:])
            hydra.main(version_base="1.3", config_path=str(find_conf_folder()), config_name="config")(run_task)()
    except KeyboardInterrupt:
        return _fail("Stopped.", INTERRUPTED)
    except Terminated:
        return _fail("Stopped.", TERMINATED)
    except FindingsError as found:
        return _fail(str(found), FOUND)
    except (HydraExit, UserError, HydraException, OmegaConfBaseException) as error:
        cause = error.cause if isinstance(error, HydraExit) else error
        if wants_traceback:
            raise cause from None
        return _fail(f"Error: {explain_error(cause)}", FAILED)
    except (YAMLError, UnicodeDecodeError) as error:
        if wants_traceback or _has_passed(run_task, error):
            raise
        return _fail(f"Error: {describe_unreadable_config(error)}", FAILED)
    except OSError as error:
        if wants_traceback or _has_passed(run_task, error):
            raise
        if not _has_current_folder():
            return _fail("Error: the folder in which the command was typed is gone; change to another (cd).", FAILED)
        # Hydra makes the run's folder before the task begins.
        return _fail(f"Error: {explain_folder_error(error)}", FAILED)
    return DONE


def run_task(config: DictConfig) -> None:
    """Runs what `config.task` names, once the config's values are of their kinds. In a sweep a job that
    fails is reported, and the others continue."""
    try:
        check_added(typed_lines(), config, find_conf_folder())
        check_own_files(config, find_conf_folder())
        check_typed_keys(config, find_conf_folder())
        check_problem_keys(config, find_conf_folder())
        check_values(config, find_conf_folder())
        check_no_secrets(config)
        if should_run(config):
            task = get_method(check_task(find_task_to_run(config, find_conf_folder())))
            task(trust_typed_classes(drop_statement(config)))
    except (UserError, HydraException, OmegaConfBaseException) as error:
        if HydraConfig.get().mode == RunMode.MULTIRUN:
            raise
        raise HydraExit(error) from error
    except OSError as error:
        if error.errno not in _OF_THE_SYSTEM or not error.filename:
            raise
        told = UserError(f"{error.filename}: {error.strerror}.")
        if HydraConfig.get().mode == RunMode.MULTIRUN:
            raise told from error
        raise HydraExit(told) from error


def check_task(target: str) -> str:
    """Return the dotted path of a task. Raises `UserError` for one of the user's own that leads to no function."""
    module, _, name = target.rpartition(".")
    if target.startswith("uncial."):
        return target
    try:
        found, why = getattr(import_module(module), name, None), ""
    except (ImportError, ValueError) as error:
        found, why = None, f" ({error})"
    if not callable(found):
        raise UserError(f"task._target_={target} is no task{why}: the dotted path of a function run(config) is needed.")
    return target


def _with_absolute_configs(arguments: list[str]) -> list[str]:
    """Return what is typed behind the arguments so that a relative `--config-path` is one in the clone, as it is for a
    script that lies there, or where a wheel is installed in the current folder; else nothing."""
    given = get_args_parser().parse_known_args(arguments)[0].config_path
    if given is None or given.startswith("pkg://") or Path(given).is_absolute():
        return []
    return ["--config-path", str((Path.cwd() if is_installed() else find_root_folder()) / given)]


def _has_current_folder() -> bool:
    """Return whether the folder that the process is in is still there."""
    try:
        return bool(Path.cwd())
    except FileNotFoundError:
        return False


def _has_passed(function: Callable[..., None], error: BaseException) -> bool:
    """Return whether the error was raised in the function or in what it called."""
    return any(frame.f_code is function.__code__ for frame, _ in walk_tb(error.__traceback__))


def _fail(message: str, code: int) -> int:
    print(message, file=sys.stderr)
    # That of a sweep is no message of its last job, whose log.txt is still open.
    for handler in () if is_sweep(sys.argv[1:]) else logging.getLogger().handlers:
        if isinstance(handler, logging.FileHandler) and Path(handler.baseFilename).is_file():
            handler.handle(logging.makeLogRecord({"msg": message, "levelno": logging.ERROR, "levelname": "ERROR"}))
    return code


def describe_unreadable_config(error: YAMLError | UnicodeDecodeError) -> str:
    """Return which config file cannot be read, and where: Hydra lets the parser's error through as it is."""
    if isinstance(error, UnicodeDecodeError):
        paths = [
            frame.f_locals["full_path"] for frame, _ in walk_tb(error.__traceback__) if "full_path" in frame.f_locals
        ]
        return f"the config file {paths[-1] if paths else ''} is not UTF-8; save it as UTF-8."
    return " ".join(line.strip() for line in f"a config file is no YAML: {error}".splitlines())
