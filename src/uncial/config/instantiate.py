"""What a config group describes by `_target_`, made, with its mistakes and the extras that it needs in one sentence."""

import re
import shlex
import sys
import warnings
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from uncial.config.location import is_installed, root_folder
from uncial.config.moved import current_path
from uncial.config.saved_yaml import for_hydra
from uncial.errors import UserError

EXTRAS = {
    "optuna": "optuna",
    "mlflow": "mlflow",
    "sqlalchemy": "mlflow",
    "alembic": "mlflow",
    "ray": "ray",
    "submitit": "slurm",
    "joblib": "sweeps",
}
"""Packages that are installed by an extra of pyproject.toml, and its name."""

ORDINARY = ("timm", "torchvision", "wandb")
"""Packages that files of conf/ name and that belong to every installation; an older one may lack them."""


def describe_install(package: str) -> str:
    """What to type where a package is missing that the program needs, in a clone and where a wheel is installed."""
    extra = EXTRAS.get(package)
    wanted = _packages(package, extra) if is_installed() else _clone(extra)
    return f"install it: {shlex.join([*_installer(), *wanted])}"


def _installer() -> list[str]:
    """pip of the Python that runs; uv where it has none, as in environments that uv has made."""
    python = _shown(Path(sys.executable))
    return [python, "-m", "pip", "install"] if find_spec("pip") else ["uv", "pip", "install", "--python", python]


def _clone(extra: str | None) -> list[str]:
    root = root_folder()
    folder = "." if root.resolve() == Path.cwd().resolve() else str(root)
    return ["--constraint", _shown(root / "constraints.txt"), "-e", f"{folder}[{extra}]" if extra else folder]


def _packages(package: str, extra: str | None) -> list[str]:
    """The packages by themselves, with their bounds: a wheel's extras could be named by its file alone, and where that
    lies is not known."""
    from importlib.metadata import requires  # Imported here because it is slow to import.

    required = [line.partition(";") for line in requires("uncial") or ()]
    if extra is not None:
        return [name.strip() for name, _, marker in required if re.search(rf"""extra == ['"]{extra}['"]""", marker)]
    return [name.strip() for name, *_ in required if re.match(rf"{package}\b", name)] or [package]


def _shown(path: Path) -> str:
    """Relative to the current folder where it lies below it."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


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


def find_target(target: Any) -> Any:
    """Return what a dotted path leads to; None where it leads nowhere, which is told when it is to be made."""
    module, _, name = current_path(str(target)).rpartition(".")
    try:
        return getattr(import_module(module), name, None)
    except Exception:  # Whatever a module of others raises when it is imported.
        return None


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
