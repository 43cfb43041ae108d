"""YAML that a run has left, read as the plain data that it was saved from: what looks like an interpolation is text."""

import re
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf, _utils
from yaml import YAMLError, load  # type: ignore[import-untyped]

from uncial.config.moved import with_current_paths
from uncial.errors import UserError

INTERPOLATION = re.compile(r"(\\*)\$\{")


def read_saved(path: Path) -> Any:
    """Return what a YAML file holds, as plain types; no `${…}` in it is resolved.

    Raises `UserError` for a file that is missing or no YAML.
    """
    try:
        return parse_yaml(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, YAMLError) as error:
        raise UserError(f"{path} cannot be read: {' '.join(str(error).split())}.") from error


def parse_yaml(text: str) -> Any:
    """Return what YAML holds, as plain types."""
    # OmegaConf's own loader, which reads 1e-3 as a number and refuses a key that stands twice.
    return load(text, Loader=_utils.get_yaml_loader())


def escape_references(value: Any) -> Any:
    """Plain types as a config is made of them whose values are exactly these: every `${` in a text is escaped. Of what
    is a config already, the values that it has."""
    if OmegaConf.is_config(value):
        return escape_references(OmegaConf.to_container(value, resolve=True))
    if isinstance(value, str):
        return INTERPOLATION.sub(lambda found: f"{found[1] * 2}\\${{", value)
    if isinstance(value, dict):
        return {key: escape_references(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [escape_references(one) for one in value]
    return value


def escape_for_hydra(value: Any) -> Any:
    """Plain types of which `hydra.utils.instantiate` makes exactly these values: it resolves a config twice.
    Classes that have moved are named by their path of today."""
    return escape_references(with_current_paths(escape_references(value)))


def load_literal_config(plain: Any) -> DictConfig:
    """Return the config of these plain types, in which nothing is left to be resolved."""
    config = OmegaConf.create(escape_references(plain))
    assert isinstance(config, DictConfig)
    return config


def resolve_literally(config: Any) -> DictConfig:
    """Return a copy of a config in which nothing is left to be resolved."""
    return load_literal_config(OmegaConf.to_container(config, resolve=True))


def format_yaml_list(lines: list[str]) -> str:
    """Lines of text as a YAML list."""
    return OmegaConf.to_yaml(OmegaConf.create(escape_references(lines)), resolve=True)
