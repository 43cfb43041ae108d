"""Packages that only some of the program needs, and how they are installed."""

import re
import shlex
import sys
from importlib.util import find_spec
from pathlib import Path

from uncial.config.location import is_installed, root_folder

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
