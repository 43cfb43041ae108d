"""What a config group describes by `_target_`, made, with its mistakes in one sentence."""

from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from uncial.config.extras import EXTRAS, ORDINARY, describe_install
from uncial.config.saved_yaml import for_hydra
from uncial.errors import UserError


def instantiate_part(config: DictConfig, key: str) -> Any:
    """Instantiate the part of the config under the dotted `key`.

    Raises `UserError` for a target that cannot be imported, with the extra that installs it, and for keys or values
    that it does not take.
    """
    part = OmegaConf.select(config, key)
    try:
        return instantiate(for_hydra(part), _convert_="all")
    except InstantiationException as error:
        cause = _root(error)
        if isinstance(cause, UserError):
            raise cause from None
        raise UserError(f"Could not create {key}: {_reason(cause, str(part.get('_target_')))}") from error


def _root(error: BaseException) -> BaseException:
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def _reason(cause: BaseException, target: str) -> str:
    if isinstance(cause, ModuleNotFoundError) and cause.name in (*EXTRAS, *ORDINARY):
        return f"it needs {cause.name}; {describe_install(cause.name)}"
    told = (str(cause).strip().splitlines() or [type(cause).__name__])[0].rstrip(".")
    return f"{told}; check {target} and its keys."
