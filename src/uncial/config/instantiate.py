"""What a config group describes by `_target_`, made, with its mistakes and the extras that it needs in one sentence."""

import re
import shlex
import sys
import warnings
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from uncial.config.keys import suggest_key
from uncial.config.location import find_root_folder, is_installed
from uncial.config.moved import find_current_path
from uncial.config.saved_yaml import escape_for_hydra
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
    """Return what to type where a package is missing that the program needs, in a clone and where a wheel is
    installed."""
    extra = EXTRAS.get(package)
    wanted = _list_packages(package, extra) if is_installed() else _find_clone(extra)
    return f"install it: {shlex.join([*_name_installer(), *wanted])}"


def _name_installer() -> list[str]:
    """pip of the Python that runs; uv where it has none, as in environments that uv has made."""
    python = _format_shown(Path(sys.executable))
    return [python, "-m", "pip", "install"] if find_spec("pip") else ["uv", "pip", "install", "--python", python]


def _find_clone(extra: str | None) -> list[str]:
    root = find_root_folder()
    folder = "." if root.resolve() == Path.cwd().resolve() else str(root)
    return ["--constraint", _format_shown(root / "constraints.txt"), "-e", f"{folder}[{extra}]" if extra else folder]


def _list_packages(package: str, extra: str | None) -> list[str]:
    """Return the packages by themselves, with their bounds: a wheel's extras could be named by its file alone, and
    where that lies is not known."""
    from importlib.metadata import requires  # Imported here because it is slow to import.

    required = [line.partition(";") for line in requires("uncial") or ()]
    if extra is not None:
        return [name.strip() for name, _, marker in required if re.search(rf"""extra == ['"]{extra}['"]""", marker)]
    return [name.strip() for name, *_ in required if re.match(rf"{package}\b", name)] or [package]


def _format_shown(path: Path) -> str:
    """Relative to the current folder where it lies below it."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def instantiate_part(config: DictConfig, key: str, interface: str = "") -> Any:
    """Instantiate the part of the config under the dotted `key`.

    Raises `UserError` for a target that cannot be imported, with the extra that installs it, and for keys or values
    that it does not take; `interface` says in it what such a part is.
    """
    part = OmegaConf.select(config, key)
    try:
        return instantiate(escape_for_hydra(part), _convert_="all")
    except InstantiationException as error:
        cause = _find_root(error)
        if isinstance(cause, UserError):
            raise cause from None
        told = f"Could not create {key}: {_describe_reason(cause, str(part.get('_target_')))}"
        raise UserError(f"{told.removesuffix('.')}: {interface}." if interface else told) from error


def find_target(target: Any) -> Any:
    """Return what a dotted path leads to; None where it leads nowhere, which is told when it is to be made."""
    module, _, name = find_current_path(str(target)).rpartition(".")
    try:
        return getattr(import_module(module), name, None)
    except Exception:  # Whatever a module of others raises when it is imported.
        return None


def read_group(config: DictConfig, key: str) -> dict[str, Any]:
    """Return the group under the dotted `key` as plain data, its interpolations resolved."""
    group = OmegaConf.to_container(OmegaConf.select(config, key), resolve=True)
    assert isinstance(group, dict)
    return {str(name): value for name, value in group.items()}


def plain_choice(config: DictConfig, groups: Sequence[str], name: str, key: str) -> dict[str, Any]:
    """Return what a file of one of the groups holds as plain data, in conf/ or a folder of --config-dir, with its
    interpolations resolved in the whole config; `key` is the one that names the file.

    Raises `UserError` where there is no such file.
    """
    folders = [Path(source.path) for source in HydraConfig.get().runtime.config_sources if source.schema == "file"]
    places = [folder / group for folder in folders for group in groups]
    found = next((file for place in places if (file := place / f"{name}.yaml").is_file()), None)
    if found is None:
        names = sorted({file.stem for place in places for file in place.glob("*.yaml")})
        raise UserError(
            f"{key}={name}: conf/{groups[0]} has no such file; choose one of {', '.join(names)}, or describe a class, "
            f"'{key}={{_target_: package.module.Class, key: value}}'.{suggest_key(name, names)}"
        )
    content = OmegaConf.load(found)
    assert isinstance(content, DictConfig)
    entries = OmegaConf.to_container(content.pop("defaults", OmegaConf.create([])))
    assert isinstance(entries, list)
    for entry in entries:
        if entry != "_self_":
            content = OmegaConf.merge(plain_choice(config, groups, str(entry), f"{found}: defaults"), content)
    whole = OmegaConf.create({**OmegaConf.to_container(config), "_chosen": content})  # type: ignore[dict-item]
    return read_group(whole, "_chosen")


def instantiate_plain(plain: Mapping[str, Any]) -> Any:
    """Instantiate what plain data describe by `_target_`, with warnings of keys and values as errors.

    Raises what the described class or function raises, or why it cannot be imported or called.
    """
    try:
        with warnings.catch_warnings():
            # Albumentations only warns of a key that it does not know, and of a value that it then replaces.
            warnings.simplefilter("error", UserWarning)
            return instantiate(escape_for_hydra(plain), _convert_="all")
    except InstantiationException as error:
        raise error.__cause__ or error from error


def _find_root(error: BaseException) -> BaseException:
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def _describe_reason(cause: BaseException, target: str) -> str:
    if isinstance(cause, ModuleNotFoundError) and cause.name in (*EXTRAS, *ORDINARY):
        return f"it needs {cause.name}; {describe_install(cause.name)}"
    told = (str(cause).strip().splitlines() or [type(cause).__name__])[0].rstrip(".")
    return f"{told}; check {target} and its keys."
