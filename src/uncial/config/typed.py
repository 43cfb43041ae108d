"""What was typed for a run, as it was typed."""

from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import OmegaConf


def lines_as_typed(overrides: Any) -> list[str]:
    """The lines of a config's `hydra.overrides.task` or `.hydra`.

    One by one they would be resolved in the config that they stand in, where a key has another value than in a job of a
    sweep, or none.
    """
    plain: Any = OmegaConf.to_container(overrides, resolve=False) if OmegaConf.is_config(overrides) else overrides
    return [str(line) for line in plain]


def typed_lines() -> list[str]:
    """What was typed for this run, or job of a sweep, but for Hydra's own keys."""
    return lines_as_typed(HydraConfig.get().overrides.task)


def typed_overrides() -> list[Override]:
    """The lines of `typed_lines` as Hydra reads them."""
    return OverridesParser.create().parse_overrides(typed_lines())
