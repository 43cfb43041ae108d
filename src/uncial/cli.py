"""Exit codes, and the one sentence in which a user's mistake ends. Imports nothing heavy: `--help` has to be quick."""

import errno
import logging
import os
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from traceback import walk_tb

from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from hydra.utils import get_method
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError  # type: ignore[import-untyped]

from uncial.config.keys import check_added, check_own_files, conf_folder
from uncial.config.messages import sentence
from uncial.config.overrides import check_arguments, is_sweep, quote_plain_names
from uncial.config.secrets import check_no_secrets
from uncial.config.task_keys import check_typed_keys, without_statement
from uncial.config.trust import with_typed_classes
from uncial.config.values import check_values
from uncial.errors import FindingsError, HydraExit, UserError
from uncial.reports.terminal.console import LogFileHandler
from uncial.reports.terminal.standard_streams import secure_standard_streams
from uncial.runs.resumed_config import task_to_run
from uncial.sweeps.jobs import should_run
from uncial.termination import TERMINATED, Terminated, sigterm_raises
from uncial.training.distributed.several_starts import check_single_start

DONE, FAILED, FOUND, INTERRUPTED = 0, 1, 2, 130

_OF_THE_SYSTEM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENAMETOOLONG, errno.EIO)
"""What a file system refuses, which is no fault of the program."""


def run(main: Callable[[], None]) -> int:
    """Runs the program and returns its exit code; with HYDRA_FULL_ERROR=1 errors show their traceback instead."""
    secure_standard_streams()
    # Of a notebook or desktop: matplotlib refuses to be imported where what it names is not installed.
    os.environ["MPLBACKEND"] = "agg"
    if "--version" in sys.argv[1:]:
        print(f"Uncial {version('uncial')}, Hydra {version('hydra-core')}")
        return DONE
    wants_traceback = os.environ.get("HYDRA_FULL_ERROR") == "1"
    # Otherwise Hydra prints its own shortened traceback and leaves before the error reaches us.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    try:
        check_single_start(os.environ)
        sys.argv[1:] = quote_plain_names(sys.argv[1:], conf_folder())
        check_arguments(sys.argv[1:], conf_folder())
        with sigterm_raises():
            main()
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
        if should_run(config):
            get_method(task_to_run(config, conf_folder()))(with_typed_classes(without_statement(config)))
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


def _unreadable_config(error: YAMLError | UnicodeDecodeError) -> str:
    """Which config file cannot be read, and where: Hydra lets the parser's error through as it is."""
    if isinstance(error, UnicodeDecodeError):
        paths = [
            frame.f_locals["full_path"] for frame, _ in walk_tb(error.__traceback__) if "full_path" in frame.f_locals
        ]
        return f"the config file {paths[-1] if paths else ''} is not UTF-8; save it as UTF-8."
    return " ".join(line.strip() for line in f"a config file is no YAML: {error}".splitlines())
