"""From a model's config to the model."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from torch import nn

from uncial.errors import UserError
from uncial.models.preprocessing import Preprocessing

RUN_KEYS = ("name", "normalization", "text", "codec", "metric", "monitor", "mode")
"""Keys of `conf/model/*.yaml` that speak of the run and that no model takes."""


def build_model(config: Mapping[str, Any], **known: Any) -> nn.Module:
    """Make the model that a composed `model` config describes, a DictConfig or plain types.

    `known` is what only the data knows, `codec` and `text` for a recogniser. Raises `UserError` for a part that cannot
    be imported or is no part of a model, and for a key that a part does not take.
    """
    from hydra.errors import InstantiationException
    from hydra.utils import instantiate

    plain = {key: value for key, value in config.items() if key not in RUN_KEYS} | {"_partial_": True}
    check_targets(plain, "model")
    try:
        model = instantiate(plain, _convert_="all")(**known)
    except InstantiationException as error:
        cause = error.__cause__
        if isinstance(cause, UserError):
            raise cause from None
        raise UserError(f"The model cannot be built: {_first_line(cause or error)}.") from error
    except (TypeError, ValueError, ArithmeticError, RuntimeError) as error:  # what torch says of numbers that cannot be
        raise UserError(f"The model cannot be built: {_first_line(error)}; check the keys under 'model'.") from error
    if not isinstance(model, nn.Module):
        raise UserError(f"model._target_ makes a {type(model).__name__}, not a torch module.")
    return model


def check_targets(config: Any, key: str) -> None:
    """Raise `UserError` unless every `_target_` in `config` is a class of modules or a preprocessing.

    A model file states its targets, and one from a stranger must not be able to call anything else.
    """
    if isinstance(config, Mapping):
        target = config.get("_target_")
        if target is not None and not _is_part(str(target)):
            raise UserError(
                f"{key}._target_ is '{target}', which is no part of a model; name a class of torch modules."
            )
        for name, value in config.items():
            check_targets(value, f"{key}.{name}")
    elif isinstance(config, list | tuple):
        for index, value in enumerate(config):
            check_targets(value, f"{key}[{index}]")


def _is_part(target: str) -> bool:
    module, _, name = target.rpartition(".")
    try:
        found = getattr(import_module(module), name, None)
    except (ImportError, ValueError) as error:
        raise UserError(f"'{target}' cannot be imported: {_first_line(error)}; is it installed?") from error
    return isinstance(found, type) and issubclass(found, nn.Module | Preprocessing)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
