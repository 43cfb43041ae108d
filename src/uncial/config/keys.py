"""The keys that conf/ defines and what kind of value each takes, for the check of what was typed."""

import difflib
import math
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from uncial.errors import UserError

COUNTS_OR_NULL = (
    "trainer.max_steps",
    "trainer.max_epochs",
    "trainer.workers",
    "trainer.threads",
    "trainer.validate_every_steps",
    "trainer.patience",
    "scheduler.warmup_samples",
    "scheduler.period",
    "scheduler.timescale",
    "callbacks.checkpoints.every_epochs",
    "callbacks.checkpoints.every_steps",
    "callbacks.checkpoints.keep_last",
    "data.compile_workers",
    "data.folds",
    "data.lines",
)
NUMBERS_OR_NULL = (
    *COUNTS_OR_NULL,
    "trainer.gradient_clip",
    "trainer.validate_every_epochs",
    "scheduler.warmup_fraction",
    "callbacks.ema",
)
"""Keys that take a whole number, or any, and may be null, so that their default does not tell."""

LISTS_OR_ONE = (
    "checkpoint",
    "compare.folders",
    "compare.names",
    "data.root",
    "data.sources",
    "data.test",
    "data.train",
    "data.val",
    "forecast.runs",
    "freeze",
    "predict.input",
    "run",
    "trainer.devices",
)
"""Keys that take one value or a list of them, though their default is no list."""

OF_TASKS_FILES = ("task.reads", "task.instead")
"""Keys by which the files of conf/task state what a task reads; nobody types them."""

NAMES = (
    "name",
    "checkpoint",
    "layout",
    "pretrained",
    "reinitialize",
    "freeze",
    "resume",
    "output",
    "run",
    "trust",
    "paths.data",
    "paths.store",
    "paths.outputs",
    "hydra.run.dir",
    "hydra.sweep.dir",
    "hydra.sweep.subdir",
    "data.name",
    "data.root",
    "data.train",
    "data.val",
    "data.test",
    "data.images",
    "data.include",
    "data.exclude",
    "data.split_from",
    "data.region_types",
    "data.line_tags",
    "data.languages",
    "data.options.fonts",
    "data.options.text",
    "predict.input",
    "predict.output",
    "audit.output",
    "compare.folders",
    "compare.truth",
    "compare.names",
    "forecast.runs",
    "logger.mlflow.uri",
    "logger.mlflow.artifacts",
    "logger.mlflow.experiment",
    "logger.mlflow.name",
    "logger.mlflow.notes",
    "logger.wandb.project",
    "logger.wandb.entity",
    "logger.wandb.group",
    "logger.wandb.name",
    "logger.wandb.tags",
    "logger.wandb.notes",
    "logger.wandb.job_type",
)
"""Keys that take the name of something, a path or a pattern of them, or a list of such, whatever they look like: a
folder may be called 1744_1745."""

NAMES_OF_SOURCES = ("name", "root", "train", "val", "test", "images", "include", "exclude")
"""Keys of an entry of data.sources that take names, paths or patterns."""

NUMBERS_OR_LISTS = ("trainer.devices",)
"""Keys that take a number or a list of them: how many devices, or which."""


def check_values(config: DictConfig, conf: Path) -> None:
    """Raises `UserError` for the first value that is empty or of another kind than its key's default in `conf`.

    Keys that no file of `conf` defines are left alone, and so is what the config still lacks.
    """
    defaults = known_keys(conf)
    for key, value in _leaves(OmegaConf.to_container(config, resolve=True), ""):
        if key in defaults and value != "???":
            _check(key, value, defaults[key])


def check_value(key: str, value: Any, conf: Path) -> None:
    """Raises `UserError` for a value of another kind than the key's default in `conf`. The choices of a group, and what
    no file defines, pass."""
    if key not in group_names(conf) and (defaults := known_keys(conf).get(key)):
        _check(key, value, defaults)


def check_added(overrides: Iterable[str], config: DictConfig, conf: Path) -> None:
    """Raises `UserError` for the first of the typed `+KEY=VALUE` whose key no file of `conf` defines.

    Below a `_target_`, whose arguments may be more than the files name, and below an empty table every key is allowed;
    a config file of one's own may add what it likes.
    """
    added = [override.lstrip("+").partition("=")[0] for override in overrides if override.startswith("+")]
    groups = {*group_names(conf), *named_groups(conf)} if added else set()
    for key in added:
        name = key.partition("@")[0]
        if name in groups or "/" in name or key in known_keys(conf):
            continue
        if not any(_takes_more(config, parent, conf) for parent in _parents(key)):
            raise UserError(f"there is no key {key}.{did_you_mean(key, known_keys(conf))} `--cfg job` shows all keys.")


def check_own_files(config: DictConfig, conf: Path) -> None:
    """Raises `UserError` for a chosen experiment or sweep whose keys stand below its own name, where nothing reads
    them."""
    for group in ("experiment", "sweep"):
        if group not in known_keys(conf) and OmegaConf.is_dict(found := config.get(group)) and found:
            raise UserError(
                f"the file of {group}=… sets {group}.{next(iter(leaves(found)))[0]}, which nothing reads: its first "
                "line has to be `# @package _global_`."
            )


def _parents(key: str) -> Iterator[str]:
    parts = key.split(".")
    return (".".join(parts[:end]) for end in range(1, len(parts)))


def _takes_more(config: DictConfig, key: str, conf: Path) -> bool:
    node = OmegaConf.select(config, key)
    given = known_keys(conf).get(key, [])
    return (key != "task" and isinstance(node, DictConfig) and "_target_" in node) or {} in given or None in given


def _check(key: str, value: Any, defaults: list[Any]) -> None:
    if value == "" and "" not in defaults:
        raise UserError(f"{key}= has no value: write one behind the equals sign, or {key}=null for none.")
    if key == "data.sources":
        _check_names_of_sources(value)
    given = value if isinstance(value, list) else [value]
    if key in NAMES and any(isinstance(one, bool | int | float) for one in given):
        raise UserError(
            f"{key} is {shown(value)} in a config file, no text, and what was meant cannot be told (1744_1745 is a "
            "number there): put the name in quotes."
        )
    if key in NUMBERS_OR_NULL:
        if value is not None and not _is_number(value):
            raise UserError(f"{key}={value}: a number is expected, or null.")
        if value is not None and key in COUNTS_OR_NULL and not float(value).is_integer():
            raise UserError(f"{key}={value}: a whole number is expected, or null.")
        return
    if key in NUMBERS_OR_LISTS and isinstance(value, list) and value and all(map(_is_number, value)):
        return
    if None in defaults or not defaults:
        return
    if all(isinstance(default, bool) for default in defaults):
        if not isinstance(value, bool):
            raise UserError(f"{key}={shown(value)}: true or false is expected.")
    elif all(_is_number(default) for default in defaults):
        if not _is_number(value):
            raise UserError(f"{key}={shown(value)}: a number is expected, for instance {defaults[0]}.")
        if all(isinstance(default, int) for default in defaults) and not float(value).is_integer():
            raise UserError(f"{key}={value}: a whole number is expected, for instance {defaults[0]}.")
    elif all(isinstance(default, list) and default and all(map(_is_number, default)) for default in defaults):
        given = value if isinstance(value, list) else [value]
        if not all(map(_is_number, given)):
            example = f"[{','.join(map(str, defaults[0]))}]"
            raise UserError(f"{key}={shown(value)}: numbers are expected, for instance {example}.")
    elif all(isinstance(default, dict) for default in defaults) and not isinstance(value, dict):
        raise UserError(f"{key}={shown(value)}: {key} holds keys of its own; give one of them, {key}.KEY=VALUE.")


def _check_names_of_sources(sources: Any) -> None:
    """Within a table, on the command line too, 1744_1745 is read as a number before it is known to be a name."""
    for entry in sources if isinstance(sources, list) else ():
        for key in NAMES_OF_SOURCES if isinstance(entry, dict) else ():
            value = entry.get(key)
            if any(isinstance(one, bool | int | float) for one in (value if isinstance(value, list) else [value])):
                raise UserError(
                    f"data.sources: {key} is {shown(value)}, no text, and what was meant cannot be told (1744_1745 is "
                    f'a number there): put the name in quotes, {{format: page, {key}: "1744_1745"}}.'
                )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def takes_numbers(key: str, conf: Path) -> bool:
    """Whether the key's value is a number by its defaults in `conf`, or may be one."""
    defaults = known_keys(conf).get(key, [])
    return key in NUMBERS_OR_NULL or (bool(defaults) and all(_is_number(default) for default in defaults))


def takes_whole_numbers(key: str, conf: Path) -> bool:
    """Whether the key's value is a whole number by its defaults in `conf`."""
    defaults = known_keys(conf).get(key, [])
    return bool(defaults) and all(isinstance(default, int) for default in defaults)


def takes_list(key: str, conf: Path) -> bool:
    """Whether the key's value may be a list, by its defaults in `conf` or as its comment there says."""
    return key in LISTS_OR_ONE or any(isinstance(default, list) for default in known_keys(conf).get(key, []))


def shown(value: Any) -> str:
    """A value as it is typed on the command line."""
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


@cache
def known_keys(conf: Path) -> dict[str, list[Any]]:
    """Every dotted key that a file of `conf` defines, as it is typed, with the values that the files give it."""
    found: dict[str, list[Any]] = {}
    for _, key, value in _keys_of_files(conf):
        found.setdefault(key, []).append(None if _is_open(value) else value)
    return found


def files_with(key: str, conf: Path) -> list[str]:
    """The choices whose files define a key, as they are typed: `data=synthetic`."""
    return [choice for choice, name, _ in _keys_of_files(conf) if name == key]


def keys_of_choice(group: str, name: str, conf: Path) -> list[str]:
    """The dotted keys at the ends of a group's file, as they are typed; none where `conf` holds no such file."""
    path = conf / group / f"{name}.yaml"
    if not path.is_file():
        return []
    content = OmegaConf.to_container(OmegaConf.load(path), resolve=False)
    assert isinstance(content, dict)
    return [key for key, _ in leaves(content, f"{group.replace('/', '.')}.") if not key.endswith(".defaults")]


def launcher_keys(conf: Path) -> list[str]:
    """The keys of the launchers in `conf`, as they are typed."""
    files = sorted(conf.glob("hydra/launcher/*.yaml"))
    return [f"hydra.launcher.{key!s}" for file in files for key in OmegaConf.load(file) if key != "_target_"]


def _keys_of_files(conf: Path) -> Iterator[tuple[str, str, Any]]:
    """(GROUP=FILE, dotted key, value) for every key of every file, the groups' and config.yaml's."""
    for path in sorted(conf.rglob("*.yaml")):
        group = path.relative_to(conf).parent
        is_global = path.name == "config.yaml" or path.read_text(encoding="utf-8").startswith("# @package _global_")
        if group.parts[:1] == ("hydra",):
            continue
        prefix = "" if is_global else "".join(f"{part}." for part in group.parts)
        content = OmegaConf.to_container(OmegaConf.load(path), resolve=False)
        for key, value in _leaves(content, prefix):
            if key.startswith(OF_TASKS_FILES):
                continue
            if key.split(".")[0] not in ("defaults", "hydra") and not key.startswith(f"{prefix}defaults"):
                yield f"{group.as_posix()}={path.stem}", key, value


def _is_open(value: Any) -> bool:
    """A default that says nothing about the kind of value: mandatory, or taken from another key."""
    return isinstance(value, str) and (value == "???" or "${" in value)


def _leaves(node: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    """Every key below a node with its value, the inner nodes too."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield f"{prefix}{key}", value
            yield from _leaves(value, f"{prefix}{key}.")


def leaves(node: Mapping[Any, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The dotted keys and values at the ends of a config as plain mappings; an empty mapping is an end too."""
    for key, value in node.items():
        if isinstance(value, Mapping) and value:
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


@cache
def group_names(conf: Path) -> list[str]:
    """The config groups, for instance `model` and `model/head`."""
    return sorted({path.parent.relative_to(conf).as_posix() for path in conf.rglob("*.yaml")} - {".", "hydra"})


def named_groups(conf: Path) -> set[str]:
    """The groups that config.yaml chooses from, those of which there is no file yet too."""
    return {group.split()[-1] for group, _ in _chosen_groups(conf)}


def groups_of_none(conf: Path) -> set[str]:
    """The groups of which config.yaml chooses nothing."""
    return {group for group, name in _chosen_groups(conf) if name is None}


@cache
def _chosen_groups(conf: Path) -> tuple[tuple[str, Any], ...]:
    """The defaults list of config.yaml: groups, with what is chosen of them."""
    entries = OmegaConf.to_container(OmegaConf.load(conf / "config.yaml"))["defaults"]  # type: ignore[index,call-overload]
    return tuple((str(group), name) for entry in entries if isinstance(entry, dict) for group, name in entry.items())


def group_choices(conf: Path, group: str) -> list[str]:
    """The files of a group that can be chosen; `base` is what the others build on."""
    return sorted(path.stem for path in conf.joinpath(group).glob("*.yaml") if path.stem != "base")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The nearest known word as a question with a space before it, or nothing. For `lr` it is `optimizer.lr`."""
    words = list(dict.fromkeys(known))
    ending = [name for name in words if name.rpartition(".")[2] == word]
    near = ending[:1] or difflib.get_close_matches(word, words, n=1, cutoff=0.6)
    return f" Did you mean {near[0]}?" if near else ""
