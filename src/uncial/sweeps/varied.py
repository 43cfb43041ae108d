"""What was given to a sweep: keys with several values, and those that all jobs share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf

from uncial.config.location import find_conf_folder
from uncial.config.task_keys import check_swept_keys
from uncial.config.typed import lines_as_typed
from uncial.config.values import check_value
from uncial.errors import UserError

LOG = "log"
"""The tag of a range or interval whose values lie evenly on a logarithmic scale."""


@dataclass(frozen=True)
class SweepOverrides:
    """`varied` are the overrides with several values, by key as it is typed; `fixed` the others, as lines."""

    varied: Mapping[str, Override]
    fixed: tuple[str, ...]


def find_sweep_overrides(
    params: Mapping[str, Any], typed: Sequence[str], loader: ConfigLoader | None = None
) -> SweepOverrides:
    """Return what `hydra.sweeper.params` and the command give, which comes later and wins.

    Raises `UserError` for what is not in Hydra's grammar.
    """
    lines = [*(f"{key}={value}" for key, value in params.items()), *typed]
    try:
        parsed = OverridesParser.create(config_loader=loader).parse_overrides(lines)
    except HydraException as error:
        raise UserError(f"hydra.sweeper.params cannot be read: {str(error).splitlines()[0]}") from None
    last = {override.get_key_element(): override for override in parsed}
    varied = {key: override for key, override in last.items() if override.is_sweep_override()}
    fixed = [f"{key}={one.get_value_element_as_str()}" for key, one in last.items() if key not in varied]
    return SweepOverrides(varied, tuple(fixed))


def check_log(override: Override, low: float | None) -> None:
    """Raise `UserError` where the values of a key with the tag log begin at or below 0."""
    if low is None or low <= 0:
        raise UserError(f"{override.input_line}: the tag log needs numbers above 0.")


def check_varied(config: DictConfig) -> None:
    """Raise `UserError` for the first of several values that its key does not take: a job would only find it when
    those before it have ended."""
    sweeper: Any = OmegaConf.to_container(config.hydra.sweeper, resolve=True)
    grammar = OverridesParser.create()
    given = find_sweep_overrides(sweeper["params"] or {}, lines_as_typed(config.hydra.overrides.task))
    check_swept_keys(
        config.task, [*given.varied.values(), *grammar.parse_overrides(list(given.fixed))], find_conf_folder()
    )
    for key, override in given.varied.items():
        if override.is_choice_sweep():
            for value in override.sweep_string_iterator():
                check_value(key.lstrip("+"), grammar.parse_override(f"{key}={value}").value(), find_conf_folder())
