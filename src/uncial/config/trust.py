"""Whose code may run: this program's, that of the libraries that it stands on, and what the user trusts by typing it.

What a model's file and a run's folder name is not trusted for standing there.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from typing import Any

from omegaconf import DictConfig, OmegaConf, open_dict

from uncial.config.moved import find_current_path
from uncial.errors import UserError

VARIABLE = "UNCIAL_TRUST"
"""The environment variable that holds modules to trust, with commas between them."""

NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")

ROOMS = (
    "uncial.models",
    "uncial.data.augmentation",
    "uncial.problems.layout.problem",
    "uncial.problems.recognition.metric",
    "uncial.problems.recognition.problem",
    "uncial.training.callbacks.early_stopping",
    "uncial.training.callbacks.ema",
    "uncial.training.callbacks.profiler",
    "uncial.training.loggers",
    "uncial.training.optimizers.muon",
    "uncial.training.schedulers.plateau",
    "uncial.training.schedulers.schedules",
    "torch.nn",
    "torch.optim",
    "timm.optim",
    "timm.scheduler",
    "albumentations",
    "lightning.pytorch.callbacks",
    "lightning.pytorch.loggers",
    "optuna.pruners",
    "optuna.samplers",
    "hydra_plugins",
    "hydra._internal.core_plugins",
)
"""Modules of which a run's folder may name the public classes, and packages of such modules."""

READERS = "uncial.data.sources"
"""The package of the readers of data."""

SCHEDULES = "uncial.training.schedulers.schedules"
"""The one of them whose functions may be named too."""


def list_trusted_modules(given: str | Iterable[object] | None) -> tuple[str, ...]:
    """Return the modules that were typed, as `trust` or for `uncial.load`, and those of `UNCIAL_TRUST`.

    A name stands for a class, a module or a package with all that is in it. Raises `UserError` for what is none.
    """
    typed = [given] if isinstance(given, str) else list(given or ())
    names = [str(name).strip() for name in (*typed, *os.environ.get(VARIABLE, "").split(","))]
    for name in names:
        if name and not NAME.fullmatch(name):
            raise UserError(f"trust={name}: the name of a Python module is needed, as shallow or my_package.models.")
    return tuple(dict.fromkeys(name for name in names if name))


def is_within(target: str, names: Iterable[str]) -> bool:
    """Return whether a dotted path is one of these names or lies in one of them."""
    return any(target == name or target.startswith(f"{name}.") for name in names)


def find_targets(plain: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every `_target_` in plain data, as it is called today, by its dotted key."""
    waiting = [(key, plain)]
    while waiting:
        here, value = waiting.pop()
        if isinstance(value, Mapping):
            if "_target_" in value:
                target = value["_target_"]
                yield f"{here}._target_".lstrip("."), find_current_path(target) if isinstance(target, str) else target
            waiting += [(f"{here}.{name}".lstrip("."), one) for name, one in value.items() if _holds_others(one)]
        elif isinstance(value, list | tuple):
            waiting += [(f"{here}[{number}]", one) for number, one in enumerate(value) if _holds_others(one)]


def _holds_others(value: object) -> bool:
    return isinstance(value, Mapping | list | tuple)


def find_readers(plain: Any, key: str = "", is_data: bool = False) -> Iterator[tuple[str, str]]:
    """Yield every module of others that plain data name as the reader of a source (`data.format`, `data.sources`), by
    its dotted key."""
    if isinstance(plain, Mapping):
        for name, value in plain.items():
            here = f"{key}.{name}".lstrip(".")
            if is_data and name == "format" and "." in str(value) and not is_within(str(value), (READERS,)):
                yield here, str(value)
            yield from find_readers(value, here, is_data or here.partition(".")[0] == "data")
    elif isinstance(plain, list | tuple):
        for number, value in enumerate(plain):
            yield from find_readers(value, f"{key}[{number}]", is_data)


def find_own_targets(plain: Any) -> list[str]:
    """Return the classes, functions and readers of data that plain data name, without those of this program and its
    libraries."""
    named = [*find_targets(plain), *find_readers(plain)]
    found = [target for _, target in named if isinstance(target, str) and NAME.fullmatch(target)]
    return sorted({target for target in found if not is_within(target, (*ROOMS, "uncial"))})


def trust_typed_classes(config: DictConfig) -> DictConfig:
    """Return the config as it was composed of the program's files and of what was typed, trusting each class that it
    names: the training that it describes may read its own models again. Raises `UserError` for a `trust` that is no
    module."""
    given = config.get("trust")
    typed = [given] if isinstance(given, str) else list(given or ())
    list_trusted_modules(typed)
    result = config.copy()
    with open_dict(result):
        result.trust = [*typed, *find_own_targets(OmegaConf.to_container(config, resolve=True))]
    return result


def check_saved_targets(plain: Any, trust: Iterable[str], where: object) -> None:
    """Raise `UserError` for the first `_target_` in what a folder holds that is neither a public part of this program
    or its libraries nor trusted, and for the first such module that is to read the data. Nothing else is imported."""
    trust = tuple(trust)
    for key, module in find_readers(plain):
        if not is_within(module, trust):
            raise UserError(explain_refusal_of_reader(where, key, module))
    for key, target in find_targets(plain):
        if not isinstance(target, str) or not NAME.fullmatch(target):
            raise UserError(f"{where}: {key} is {target!r}, which is not the dotted path of a class.")
        if is_within(target, trust):
            continue
        if not is_within(target, ROOMS) or not _is_public(target):
            raise UserError(explain_refusal(where, key, target))


def explain_refusal(where: object, key: str, target: str) -> str:
    """Return what to type where the user trusts the class."""
    module = target.rpartition(".")[0] or target
    return (
        f"{where} names the class {target} ({key}), which is no part of uncial, and code that a file names is not run "
        f"unasked: if you trust {module}, type trust=[{module}] (in Python uncial.load(…, trust=('{module}',)); "
        f"or set {VARIABLE}={module})."
    )


def explain_refusal_of_reader(where: object, key: str, module: str) -> str:
    """Return what to type where the user trusts the module."""
    return (
        f"{where} names the module {module} to read the data ({key}), which is no part of uncial, and code that a file "
        f"names is not run unasked: if you trust it, type trust=[{module}] (or set {VARIABLE}={module})."
    )


def _is_public(target: str) -> bool:
    """Return whether it is a class that a module within `ROOMS` defines, not what it has imported; or a schedule."""
    module, _, name = target.rpartition(".")
    try:
        found = getattr(import_module(module), name, None)
    except ImportError as error:
        # That a whole package is not installed is told with the extra that installs it.
        return error.name is not None and "." not in error.name
    home = getattr(found, "__module__", None)
    is_kind = isinstance(found, type) or (home == SCHEDULES and callable(found))
    return not name.startswith("_") and is_kind and isinstance(home, str) and is_within(home, ROOMS)
