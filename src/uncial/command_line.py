"""Exit codes, and the one sentence in which a user's mistake ends. Imports nothing heavy: `--help` has to be quick."""

import errno
import logging
import os
import re
import shlex
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from traceback import walk_tb

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from hydra.utils import get_method
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError  # type: ignore[import-untyped]

from uncial.config.extras import describe_install
from uncial.config.help import format_help, is_help_alone
from uncial.config.location import conf_folder, publish_location, root_folder
from uncial.config_keys import (
    COUNTS_OR_NULL,
    check_added,
    check_own_files,
    check_values,
    did_you_mean,
    files_with,
    group_choices,
    group_names,
    known_keys,
    launcher_keys,
    named_groups,
    takes_list,
    takes_numbers,
    takes_whole_numbers,
)
from uncial.errors import Ended, FindingsError, UserError
from uncial.peers import answer, choice_called
from uncial.reports.log import LogFileHandler
from uncial.secrets import check_no_secrets
from uncial.several_starts import check_single_start
from uncial.standard_streams import secure_standard_streams
from uncial.sweeps.jobs import has_work
from uncial.task_keys import check_typed_keys, without_statement
from uncial.tasks.resumed_config import task_to_run
from uncial.termination import TERMINATED, Terminated, sigterm_raises
from uncial.trust import with_typed_classes
from uncial.typed_arguments import PEERS, as_names, check_arguments, hydra_value, is_sweep, quoted, quoting_advice

DONE, FAILED, FOUND, INTERRUPTED = 0, 1, 2, 130

_OF_THE_SYSTEM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENAMETOOLONG, errno.EIO)
"""What a file system refuses, which is no fault of the program."""


def main() -> int:
    """The command `uncial`, and what run.py calls: composes the config from conf/ and the command line, runs the task
    that it names, and returns the exit code; with HYDRA_FULL_ERROR=1 errors show their traceback instead."""
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
        publish_location(sys.argv[0])
        check_single_start(os.environ)
        if is_help_alone(sys.argv[1:]):
            print(format_help(conf_folder()))
            return DONE
        sys.argv[1:] = as_names(sys.argv[1:], conf_folder())
        check_arguments(sys.argv[1:], conf_folder())
        with sigterm_raises():
            hydra.main(version_base="1.3", config_path=str(conf_folder()), config_name="config")(run_task)()
    except KeyboardInterrupt:
        return _fail("Stopped.", INTERRUPTED)
    except Terminated:
        return _fail("Stopped.", TERMINATED)
    except FindingsError as found:
        return _fail(str(found), FOUND)
    except (Ended, UserError, HydraException, OmegaConfBaseException) as error:
        cause = error.cause if isinstance(error, Ended) else error
        if wants_traceback:
            raise cause from None
        return _fail(f"Error: {sentence(cause)}", FAILED)
    except (YAMLError, UnicodeDecodeError) as error:
        if wants_traceback or _passed(run_task, error):
            raise
        return _fail(f"Error: {_unreadable_config(error)}", FAILED)
    except OSError as error:
        if wants_traceback or _passed(run_task, error):
            raise
        if not _has_current_folder():
            return _fail("Error: the folder in which the command was typed is gone; change to another (cd).", FAILED)
        # Hydra makes the run's folder before the task begins.
        reason = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        return _fail(f"Error: the run's folder cannot be made ({reason}); choose another with paths.outputs.", FAILED)
    return DONE


def run_task(config: DictConfig) -> None:
    """Runs what `config.task` names, once the config's values are of their kinds. In a sweep a job that
    fails is told of, and the others go on."""
    try:
        check_added(HydraConfig.get().overrides.task, config, conf_folder())
        check_own_files(config, conf_folder())
        check_typed_keys(config, conf_folder())
        check_values(config, conf_folder())
        check_no_secrets(config)
        if has_work(config):
            get_method(task_to_run(config, conf_folder()))(with_typed_classes(without_statement(config)))
    except (UserError, HydraException, OmegaConfBaseException) as error:
        if HydraConfig.get().mode == RunMode.MULTIRUN:
            raise
        raise Ended(error) from error
    except OSError as error:
        if error.errno not in _OF_THE_SYSTEM or not error.filename:
            raise
        told = UserError(f"{error.filename}: {error.strerror}.")
        if HydraConfig.get().mode == RunMode.MULTIRUN:
            raise told from error
        raise Ended(told) from error


def _has_current_folder() -> bool:
    """Whether the folder that the process is in is still there."""
    try:
        return bool(Path.cwd())
    except FileNotFoundError:
        return False


def _passed(function: Callable[..., None], error: BaseException) -> bool:
    """Whether the error was raised in the function or in what it called."""
    return any(frame.f_code is function.__code__ for frame, _ in walk_tb(error.__traceback__))


def _fail(message: str, code: int) -> int:
    print(message, file=sys.stderr)
    # That of a sweep is no message of its last job, whose log.txt is still open.
    for handler in () if is_sweep(sys.argv[1:]) else logging.getLogger().handlers:
        if isinstance(handler, LogFileHandler) and Path(handler.baseFilename).is_file():
            handler.handle(logging.makeLogRecord({"msg": message, "levelno": logging.ERROR, "levelname": "ERROR"}))
    return code


def sentence(error: Exception) -> str:
    """What is wrong and what to do, from one of Hydra's and OmegaConf's many-lined messages or from our own."""
    text = str(error)
    if isinstance(error, UserError):
        return text
    for pattern, explain in _EXPLANATIONS:
        if found := re.search(pattern, text):
            return explain(*found.groups())
    lines = [line.strip() for line in text.splitlines() if line.strip() and "hydra.cc" not in line]
    return " ".join(lines[:3])


def _unreadable_config(error: YAMLError | UnicodeDecodeError) -> str:
    """Which config file cannot be read, and where: Hydra lets the parser's error through as it is."""
    if isinstance(error, UnicodeDecodeError):
        paths = [
            frame.f_locals["full_path"] for frame, _ in walk_tb(error.__traceback__) if "full_path" in frame.f_locals
        ]
        return f"the config file {paths[-1] if paths else ''} is not UTF-8; save it as UTF-8."
    return " ".join(line.strip() for line in f"a config file is no YAML: {error}".splitlines())


def _missing(key: str) -> str:
    return f"{key} has to be given: add {key}=… to the command."


def _unknown_key(key: str) -> str:
    if key.startswith("hydra.sweeper."):
        return f"there is no key {key} here: it belongs to a search, so give its sweep=… too, as sweep=optuna."
    if key in named_groups(conf_folder()):
        return f"there is no {key} to choose: conf/{key} holds no file."
    if key.startswith("hydra.launcher."):
        near = did_you_mean(key, launcher_keys(conf_folder()))
        return f"the launcher has no key {key}.{near} hydra/launcher=… chooses another one."
    if files := files_with(key, conf_folder()):
        return f"there is no key {key} here: it belongs to {' and '.join(files[:3])}, which is not chosen."
    if told := answer(key, root_folder() / PEERS):
        return f"there is no key {key}: {told}"
    known = group_names(conf_folder()) if "/" in key else [*known_keys(conf_folder()), *group_names(conf_folder())]
    return f"there is no key {key}.{did_you_mean(key, known)} `--cfg job` shows all keys."


def _nothing_to_delete(key: str) -> str:
    if key in known_keys(conf_folder()) and None in known_keys(conf_folder())[key]:
        return f"~{key} deletes nothing, since {key} is null already: leave it out."
    return _unknown_key(key)


def _chosen_twice(group: str) -> str:
    return f"{group} is chosen already, and a plus sign chooses a second one: write {group}=NAME, without the plus."


def _unknown_choice(group: str, name: str, listed: str | None = None) -> str:
    """`listed` are the choices as Hydra lists them, one a row, those of a `--config-dir` among them."""
    if group == "hydra/launcher":
        return _unknown_launcher(name)
    choices = sorted({*group_choices(conf_folder(), group), *(listed or "").split()} - {"base"})
    if not name:
        return f"{group}= has no value: write one behind the equals sign. Choices: {', '.join(choices)}."
    if called := choice_called(name, conf_folder(), group):
        return f"{group}={name} does not exist; here it is {group}={called}. Choices: {', '.join(choices)}."
    none = {"logger": "default"}.get(group, "none")  # The files that choose nothing.
    meant = none if name.lower() in ("null", "false", "no", "off", "0") and none in choices else name
    return f"{group}={name} does not exist.{did_you_mean(meant, choices)} Choices: {', '.join(choices) or 'none'}."


def _unknown_launcher(name: str) -> str:
    """That of joblib is a package's of its own; where it is missing Hydra knows nothing of it."""
    choices = sorted({"basic", "joblib", *group_choices(conf_folder(), "hydra/launcher")})
    told = "is not installed." if name == "joblib" else f"does not exist.{did_you_mean(name, choices)}"
    is_missing = find_spec("hydra_plugins.hydra_joblib_launcher") is None
    more = f" For joblib {describe_install('joblib')}" if is_missing else ""
    return f"hydra/launcher={name} {told} Choices: {', '.join(choices)}.{more}"


def _several_values(argument: str) -> str:
    key, _, value = argument.partition("=")
    told = f"{argument} is several values, which only -m (a sweep) takes."
    values = [one.strip() for one in value.split(",")]
    if key == "logger":
        return f"{told} Several loggers are a list: {key}=[{','.join(values)}]"
    if key in group_names(conf_folder()):
        return f"{told} For one run choose one of them; -m before the keys makes a run of each."
    if takes_list(key, conf_folder()):
        typed = shlex.quote(f"{key}=[{','.join(map(hydra_value, values))}]")
        is_text = not all(re.fullmatch(r"-?[\d.]+", one) for one in values)
        return f"{told} A list is {typed}" + (f", one value with a comma in it {quoted(argument)}" if is_text else "")
    if takes_numbers(key, conf_folder()):
        point = key not in COUNTS_OR_NULL and not takes_whole_numbers(key, conf_folder())
        if point and re.fullmatch(r"\d+,\d+", value):
            return f"{told} If it is one number, its decimals stand behind a point: {key}={value.replace(',', '.')}"
        return f"{told} For one run give one of them; -m before the keys makes a run of each."
    return f"{told} {quoting_advice(argument)}"


def _no_variable(name: str) -> str:
    return f"the environment variable {name} is not set, which the config asks for."


def _no_reference(name: str) -> str:
    return f"${{{name}}} refers to a key that does not exist; a $ that is part of a value is written \\${{{name}}}."


_EXPLANATIONS: tuple[tuple[str, Callable[..., str]], ...] = (
    (r"Missing mandatory value: (\S+)", _missing),
    (r"(?s)Missing mandatory value.*full_key: (\S+)", _missing),
    (r"Could not override '([^']+)'", _unknown_key),
    (r"Could not delete from config\. '([^']+)'", _nothing_to_delete),
    (r"Multiple values for (\S+)\. To override a value", _chosen_twice),
    (r"Could not delete\. No match for '([^']+)'", _unknown_key),
    (r"Could not find '([^']+)/([^'/]*)'(?:\s+Available options in '[^']*':((?:\n\t.*)*))?", _unknown_choice),
    (r"Could not load '([^']+)/([^'/]+)'", _unknown_choice),
    (r"Ambiguous value for argument '([^\n]*)'\n", _several_values),
    (r"Environment variable '([^']+)' not found", _no_variable),
    (r"Interpolation key '([^']+)' not found", _no_reference),
)
"""What to make of the messages that Hydra and OmegaConf have for a user's mistakes."""
