"""The loggers that a config describes: which there are, whether each can be made, and their making."""

from functools import partial
from importlib import import_module
from typing import Any

from lightning.pytorch.loggers import Logger
from omegaconf import DictConfig, OmegaConf

from uncial.config.instantiate import find_target, instantiate_part
from uncial.errors import UserError
from uncial.training.loggers.outcome import Job


def logger_names(config: DictConfig) -> list[str]:
    """Return the names below `logger` that describe a logger. Raises `UserError` for one that names no class, and for
    one whose class or package is missing, which else would be told when data have been read."""
    found = []
    for name, part in config.logger.items():
        if not OmegaConf.is_dict(part):
            continue
        if "_target_" not in part:
            raise UserError(f"logger.{name} names no class: {LOGGERS}.")
        if is_other_class(part._target_, Logger):
            raise UserError(f"logger.{name}._target_={part._target_} is no logger: {LOGGERS}.")
        if find_target(part._target_) is None:
            instantiate_part(config, f"logger.{name}", LOGGERS)
        if lacking := _find_lacking_package(part._target_):
            raise UserError(f"Could not create logger.{name}: {part._target_} cannot be used: {lacking}.")
        found.append(str(name))
    return found


def is_other_class(target: Any, kind: type) -> bool:
    """Return whether a dotted path leads to a class that derives from none of this kind."""
    found = find_target(target)
    return isinstance(found, type) and not issubclass(found, kind)


def _find_lacking_package(target: Any) -> str:
    """Return what Lightning says of the package that a logger of its own needs; nothing where it is there."""
    module = import_module(found.__module__) if isinstance(found := find_target(target), type) else None
    if module is None or not module.__name__.startswith("lightning."):
        return ""
    needed = vars(module).get(f"_{module.__name__.rpartition('.')[2].upper()}_AVAILABLE", True)
    return "" if needed else str(needed).partition(" HINT")[0].splitlines()[0].rstrip(".")


LOGGERS = (
    "a logger is a class of lightning.pytorch.loggers, or one of your own that derives from its Logger: "
    "'+logger.NAME={_target_: package.module.Class, key: value}'"
)


def make_logger(config: DictConfig, name: str, job: Job) -> Logger:
    """One of this project's is completed with the job."""
    made = instantiate_part(config, f"logger.{name}", LOGGERS)
    if isinstance(made, partial):
        made = made(job)
    if not isinstance(made, Logger):
        raise UserError(f"logger.{name} makes a {type(made).__name__}, which is no logger: {LOGGERS}.")
    return made
