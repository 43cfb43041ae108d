"""Which keys and groups conf/ defines, and the check of those that were typed for there being such."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from uncial.errors import UserError

STATEMENTS = ("task.reads", "task.reads_not", "task.instead", "problem.reads", "problem.reads_not")
"""Keys by which the files of conf/task and conf/problem state what is read; nobody types them."""


def check_added(overrides: Iterable[str], config: DictConfig, conf: Path) -> None:
    """Raise `UserError` for the first of the typed `+KEY=VALUE` whose key no file of `conf` defines.

    Below a `_target_`, whose arguments may be more than the files name, and below an empty table every key is allowed;
    a config file of one's own may add what it likes.
    """
    added = [override.lstrip("+").partition("=")[0] for override in overrides if override.startswith("+")]
    groups = {*group_names(conf), *find_named_groups(conf)} if added else set()
    for key in added:
        name = key.partition("@")[0]
        if name in groups or "/" in name or key in list_known_keys(conf):
            continue
        if not any(_takes_more(config, parent, conf) for parent in _iterate_parents(key)):
            raise UserError(
                f"there is no key {key}.{suggest_key(key, list_known_keys(conf))} `--cfg job` shows all keys."
            )


def check_own_files(config: DictConfig, conf: Path) -> None:
    """Raise `UserError` for a chosen experiment or sweep whose keys stand below its own name, where nothing reads
    them."""
    for group in ("experiment", "sweep"):
        if group not in list_known_keys(conf) and OmegaConf.is_dict(found := config.get(group)) and found:
            raise UserError(
                f"the file of {group}=… sets {group}.{next(iter(iterate_leaves(found)))[0]}, which nothing reads: "
                "its first "
                "line has to be `# @package _global_`."
            )


def _iterate_parents(key: str) -> Iterator[str]:
    parts = key.split(".")
    return (".".join(parts[:end]) for end in range(1, len(parts)))


def _takes_more(config: DictConfig, key: str, conf: Path) -> bool:
    node = OmegaConf.select(config, key)
    given = list_known_keys(conf).get(key, [])
    if key in ("callbacks", "logger"):  # One of one's own, under a name.
        return True
    return (key != "task" and isinstance(node, DictConfig) and "_target_" in node) or {} in given or None in given


@cache
def list_known_keys(conf: Path) -> dict[str, list[Any]]:
    """Return every dotted key that a file of `conf` defines, as it is typed, with the values that the files give it."""
    found: dict[str, list[Any]] = {}
    for _, key, value in _iterate_keys_of_files(conf):
        found.setdefault(key, []).append(None if _is_open(value) else value)
    return found


def find_files_with(key: str, conf: Path) -> list[str]:
    """Return the choices whose files define a key, as they are typed: `data=synthetic`."""
    return [choice for choice, name, _ in _iterate_keys_of_files(conf) if name == key]


def list_keys_of_choice(group: str, name: str, conf: Path) -> list[str]:
    """Return the dotted keys at the ends of a group's file, as they are typed; none where `conf` holds no such file."""
    path = conf / group / f"{name}.yaml"
    if not path.is_file():
        return []
    content = OmegaConf.to_container(OmegaConf.load(path), resolve=False)
    assert isinstance(content, dict)
    return [key for key, _ in iterate_leaves(content, f"{group.replace('/', '.')}.") if not key.endswith(".defaults")]


def list_launcher_keys(conf: Path) -> list[str]:
    """Return the keys of the launchers in `conf`, as they are typed."""
    files = sorted(conf.glob("hydra/launcher/*.yaml"))
    return [f"hydra.launcher.{key!s}" for file in files for key in OmegaConf.load(file) if key != "_target_"]


def _iterate_keys_of_files(conf: Path) -> Iterator[tuple[str, str, Any]]:
    """(GROUP=FILE, dotted key, value) for every key of every file, the groups' and config.yaml's."""
    for path in sorted(conf.rglob("*.yaml")):
        group = path.relative_to(conf).parent
        is_global = path.name == "config.yaml" or path.read_text(encoding="utf-8").startswith("# @package _global_")
        if group.parts[:1] == ("hydra",):
            continue
        prefix = "" if is_global else "".join(f"{part}." for part in group.parts)
        content = OmegaConf.to_container(OmegaConf.load(path), resolve=False)
        for key, value in iterate_nested_keys(content, prefix):
            if key in STATEMENTS or key.startswith("task.instead."):
                continue
            if key.split(".")[0] not in ("defaults", "hydra") and not key.startswith(f"{prefix}defaults"):
                yield f"{group.as_posix()}={path.stem}", key, value


def _is_open(value: Any) -> bool:
    """Return a default that says nothing about the kind of value: mandatory, or taken from another key."""
    return isinstance(value, str) and (value == "???" or "${" in value)


def iterate_nested_keys(node: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    """Yield every key below a node with its value, the inner nodes too."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield f"{prefix}{key}", value
            yield from iterate_nested_keys(value, f"{prefix}{key}.")


def iterate_leaves(node: Mapping[Any, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the dotted keys and values at the ends of a config as plain mappings; an empty mapping is an end too."""
    for key, value in node.items():
        if isinstance(value, Mapping) and value:
            yield from iterate_leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def find_models_with(part: str, conf: Path) -> list[str]:
    """Return the models whose files choose such a part, `decoder` for instance."""
    return [path.stem for path, entry in _iterate_defaults_of_models(conf) if part in entry]


def find_models_of_problem(problem: str, conf: Path) -> list[str]:
    """Return the models whose files choose a problem."""
    key = "override /problem@_global_.problem"
    return [path.stem for path, entry in _iterate_defaults_of_models(conf) if entry.get(key) == problem]


def _iterate_defaults_of_models(conf: Path) -> Iterator[tuple[Path, dict[Any, Any]]]:
    for path in sorted(conf.glob("model/*.yaml")):
        content: Any = OmegaConf.to_container(OmegaConf.load(path), resolve=False)
        yield from ((path, entry) for entry in content.get("defaults", []) if isinstance(entry, dict))


@cache
def group_names(conf: Path) -> list[str]:
    """Return the config groups, for instance `model` and `model/head`."""
    return sorted({path.parent.relative_to(conf).as_posix() for path in conf.rglob("*.yaml")} - {".", "hydra"})


def find_named_groups(conf: Path) -> set[str]:
    """Return the groups that config.yaml chooses from, those of which there is no file yet too."""
    return {group.split()[-1] for group, _ in _find_chosen_groups(conf)}


def find_groups_of_none(conf: Path) -> set[str]:
    """Return the groups of which config.yaml chooses nothing."""
    return {group for group, name in _find_chosen_groups(conf) if name is None}


@cache
def _find_chosen_groups(conf: Path) -> tuple[tuple[str, Any], ...]:
    """Return the defaults list of config.yaml: groups, with what is chosen of them."""
    entries = OmegaConf.to_container(OmegaConf.load(conf / "config.yaml"))["defaults"]  # type: ignore[index,call-overload]
    return tuple((str(group), name) for entry in entries if isinstance(entry, dict) for group, name in entry.items())


@cache
def raw_texts(conf: Path) -> frozenset[str]:
    """Return the texts that the files of `conf` give their keys, with their interpolations."""
    return frozenset(value for _, _, value in _iterate_keys_of_files(conf) if isinstance(value, str))


@cache
def raw_default(key: str, conf: Path) -> Any:
    """Return what conf/ itself gives `name`, or a key of Hydra's, with its interpolations."""
    is_of_hydra = key.startswith("hydra.")
    content = OmegaConf.load(conf / ("hydra/default.yaml" if is_of_hydra else "config.yaml"))
    node: Any = OmegaConf.to_container(content, resolve=False)
    for part in key.removeprefix("hydra.").split("."):
        node = node[part]
    return node


def group_choices(conf: Path, group: str) -> list[str]:
    """Return the files of a group that can be chosen; `base` is what the others build on."""
    return sorted(path.stem for path in conf.joinpath(group).glob("*.yaml") if path.stem != "base")


def suggest_key(word: str, known: Iterable[str]) -> str:
    """Return the nearest known word as a question with a space before it, or nothing. For `lr` it is `optimizer.lr`."""
    words = list(dict.fromkeys(known))
    ending = [name for name in words if name.rpartition(".")[2] == word]
    near = ending[:1] or difflib.get_close_matches(word, words, n=1, cutoff=0.6)
    return f" Did you mean {near[0]}?" if near else ""
