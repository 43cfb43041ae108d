"""What a config group describes by `_target_`, made, with its mistakes in one sentence."""

import warnings
from collections.abc import Mapping
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


def plain_group(config: DictConfig, key: str) -> dict[str, Any]:
    """Return the group under the dotted `key` as plain data, its interpolations resolved."""
    group = OmegaConf.to_container(OmegaConf.select(config, key), resolve=True)
    assert isinstance(group, dict)
    return {str(name): value for name, value in group.items()}


def instantiate_plain(plain: Mapping[str, Any]) -> Any:
    """Instantiate what plain data describe by `_target_`, with warnings of keys and values as errors.

    Raises what the described class or function raises, or why it cannot be imported or called.
    """
    try:
        with warnings.catch_warnings():
            # Albumentations only warns of a key that it does not know, and of a value that it then replaces.
            warnings.simplefilter("error", UserWarning)
            return instantiate(for_hydra(plain), _convert_="all")
    except InstantiationException as error:
        raise error.__cause__ or error from error


def _root(error: BaseException) -> BaseException:
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def _reason(cause: BaseException, target: str) -> str:
    if isinstance(cause, ModuleNotFoundError) and cause.name in (*EXTRAS, *ORDINARY):
        return f"it needs {cause.name}; {describe_install(cause.name)}"
    told = (str(cause).strip().splitlines() or [type(cause).__name__])[0].rstrip(".")
    return f"{told}; check {target} and its keys."
