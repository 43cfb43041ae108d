"""Which keys a task reads, as its file in conf/task states, which a person set, and what is said of one set in vain."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict

from uncial.config.keys import (
    STATEMENTS,
    find_models_of_problem,
    group_choices,
    group_names,
    iterate_leaves,
    list_keys_of_choice,
    list_known_keys,
)
from uncial.config.typed import typed_overrides
from uncial.errors import UserError

FOR_EVERY_TASK = (
    "task",
    "experiment",
    "sweep",
    "hydra",
    "name",
    "tags",
    "model.name",
    "data.name",
    "seed",
    "paths",
    "trust",
    "logger.csv",
    "logger.tensorboard",
    "trainer.log_every",
    "trainer.workers",
    "trainer.threads",
    "trainer.precision",
    "data.compile_workers",
)
"""What a run is called, where it lies, what it logs, how fast it is: one set of these keys may stand in all of one's
commands, though not every task has a use for each."""

OF_PROBLEM = (
    "augmentation",
    "callbacks.watchdog",
    "data",
    "freeze",
    "freeze_for",
    "lr_factors",
    "metrics",
    "pretrained",
    "reinitialize",
    "report",
    "resize",
    "trainer",
)
"""What a problem reads or not, as its file in conf/problem states under `reads` and `reads_not`: what speaks of what is
learned."""

STATEMENT = ("reads", "reads_not", "instead")
"""The keys of conf/task that state what a task reads."""


@dataclass(frozen=True)
class ReadKeys:
    """What a task reads: the dotted keys, and groups of them, in `reads`, but for those in `reads_not`; `instead` names
    for some that it does not read the key that does in it what they do elsewhere."""

    reads: tuple[str, ...]
    reads_not: tuple[str, ...]
    instead: Mapping[str, str]

    def has(self, key: str) -> bool:
        """Return whether it reads the key, or one below it."""
        if any(_is_below(key, one) for one in (*self.reads_not, *STATEMENTS)):
            return False
        return any(_is_below(key, one) or _is_below(one, key) for one in self.reads)


def read_stated_keys(task: Any) -> ReadKeys | None:
    """Return what the config of a task states; None where it states nothing, as one of a user's own, and one that
    checks for itself what was typed."""
    if "reads" not in task:
        return None
    return ReadKeys(tuple(task["reads"]), tuple(task.get("reads_not") or ()), dict(task.get("instead") or {}))


def read_keys_of_task(name: str, conf: Path) -> ReadKeys | None:
    """Return what the file of a task in `conf` states."""
    path = conf / "task" / f"{name}.yaml"
    if not path.is_file():
        return None
    content: Any = OmegaConf.load(path)
    return read_stated_keys(content.get("task", content))


def drop_unread(arguments: Iterable[str], task: str, conf: Path) -> list[str]:
    """Return those of the arguments that the task reads."""
    stated = read_keys_of_task(task, conf)
    if stated is None:
        return list(arguments)
    grammar = OverridesParser.create()
    return [line for line in arguments if not list(_find_unread(grammar.parse_override(line), [stated], conf))]


def drop_statement(config: DictConfig) -> DictConfig:
    """Return the config without what the files of its task and problem state of keys, which says nothing of a run."""
    with open_dict(config.task):
        for key in STATEMENT:
            config.task.pop(key, None)
    if "problem" in config:
        with open_dict(config.problem):
            for key in STATEMENT:
                config.problem.pop(key, None)
    return config


def check_typed_keys(config: DictConfig, conf: Path) -> None:
    """Raise `UserError` for the first key that was typed for this run and that its task does not read.

    What stands in an experiment is no matter of it: one is for several tasks. The jobs of a sweep, which may have
    several tasks, are checked by `check_swept_keys` before the first of them begins, and a run that goes on by what it
    was (`load_resumed_config`).
    """
    if HydraConfig.get().mode == RunMode.MULTIRUN:
        return
    stated = read_stated_keys(config.task)
    if stated is None or (config.get("resume") not in (None, "auto") and stated.has("resume")):
        return
    _check(typed_overrides(), [(str(config.task.name), stated)], conf)


def check_problem_keys(config: DictConfig, conf: Path) -> None:
    """Raise `UserError` for the first key that was typed for this run, or job of a sweep, and that its task would read
    but its problem does not; where a model is named that says which problem it is of, but no problem does."""
    stated = read_stated_keys(config.task)
    if stated is None or not stated.has("problem") or config.get("resume") not in (None, "auto"):
        return
    own = read_stated_keys(config.problem)
    if own is not None:
        others = _list_problems(conf) if stated.has("checkpoint") else []
        _check_problem(str(config.problem.name), [own, *others], conf)


def check_keys_of_problem(name: str, conf: Path) -> None:
    """Raise `UserError` for the first key that was typed for this run and that the problem of this name, which is the
    model's, does not read."""
    stated = _read_keys_of_problem(name, conf)
    if stated is not None:
        _check_problem(name, [stated], conf)


def _list_problems(conf: Path) -> list[ReadKeys]:
    stated = [_read_keys_of_problem(name, conf) for name in group_choices(conf, "problem")]
    return [keys for keys in stated if keys is not None]


def _read_keys_of_problem(name: str, conf: Path) -> ReadKeys | None:
    """Return what the file of a problem in `conf` states."""
    path = conf / "problem" / f"{name}.yaml"
    return read_stated_keys(OmegaConf.load(path)) if path.is_file() else None


def _check_problem(problem: str, stated: Sequence[ReadKeys], conf: Path) -> None:
    groups = set(group_names(conf))
    for override in typed_overrides():
        for name, keys in _iterate_typed_keys(override, groups, conf):
            is_its = any(_is_below(key, one) for key in keys for one in OF_PROBLEM)
            is_for_all = any(_is_below(name, one) for one in FOR_EVERY_TASK)
            if is_its and not is_for_all and not any(own.has(key) for own in stated for key in keys):
                raise UserError(_explain_other_problem(override, name, keys, problem, conf))


def _explain_other_problem(override: Override, name: str, keys: Sequence[str], problem: str, conf: Path) -> str:
    told = f"{override.input_line}: problem={problem} does not read {name}, so it would change nothing: leave it out."
    others = [one for one in group_choices(conf, "problem") if one != problem and _is_read_by(one, keys, conf)]
    models = [f"model={model}" for other in others for model in find_models_of_problem(other, conf)]
    return f"{told} It is for {', '.join(models)}." if models else told


def _is_read_by(problem: str, keys: Sequence[str], conf: Path) -> bool:
    stated = _read_keys_of_problem(problem, conf)
    return stated is not None and any(stated.has(key) for key in keys)


def check_swept_keys(task: DictConfig, overrides: Sequence[Override], conf: Path) -> None:
    """Raise `UserError` for the first key of a sweep that none of its tasks reads. `task` is that of the config that
    all jobs have in common, `overrides` are what was typed and what the sweep varies."""
    varied = [one for one in overrides if one.key_or_group == "task" and one.is_sweep_override()]
    names = [str(name) for one in varied for name in one.sweep_string_iterator()] if varied else [str(task.get("name"))]
    tasks = [(name, read_keys_of_task(name, conf)) for name in names]
    known = [(name, stated) for name, stated in tasks if stated is not None]
    if len(known) == len(tasks):
        # A sweep that goes on, and one that is to, is given to every task.
        _check([one for one in overrides if one.key_or_group != "resume"], known, conf)


def _check(overrides: Iterable[Override], tasks: Sequence[tuple[str, ReadKeys]], conf: Path) -> None:
    for override in overrides:
        for name, keys in _find_unread(override, [stated for _, stated in tasks], conf):
            raise UserError(_explain_unread(override, name, keys, tasks, conf))


def _find_unread(override: Override, tasks: Sequence[ReadKeys], conf: Path) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield what an argument sets and none of the tasks reads, as `_iterate_typed_keys` yields it."""
    groups = set(group_names(conf))
    known = {_get_first_part(name) for name in (*groups, *list_known_keys(conf))}
    if _get_first_part(override.key_or_group) not in known:
        return  # Of a config file of the user's own, as what reads it.
    for name, keys in _iterate_typed_keys(override, groups, conf):
        is_statement = any(_is_below(name, one) for one in STATEMENTS)
        is_for_all = not is_statement and any(_is_below(name, one) for one in FOR_EVERY_TASK)
        if not is_for_all and not any(stated.has(key) for stated in tasks for key in keys):
            yield name, keys


def _iterate_typed_keys(override: Override, groups: set[str], conf: Path) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield what an argument sets, by the name that a message gives it, with its keys: those of the files that it
    chooses for a group, or the ends of a table."""
    name = override.key_or_group
    value = None if override.is_delete() or override.is_sweep_override() else override.value()
    if name in groups:
        yield name.replace("/", "."), _list_keys_of_choices(override, conf) or (name.replace("/", "."),)
    elif isinstance(value, dict) and value:
        for below, _ in iterate_leaves({str(key): part for key, part in value.items()}):
            yield f"{name}.{below}", (f"{name}.{below}",)
    else:
        yield name, (name,)


def _list_keys_of_choices(override: Override, conf: Path) -> tuple[str, ...]:
    """Return the keys that the chosen files of a group set, those of the group's other files that they begin with
    too."""
    if override.is_delete():
        return ()
    if override.is_sweep_override():
        chosen = list(override.sweep_string_iterator()) if override.is_choice_sweep() else []
    else:
        value = override.value()
        chosen = [str(one) for one in value] if isinstance(value, list) else [str(value)]
    return tuple(key for one in chosen for key in list_keys_of_choice(override.key_or_group, one.strip("'\""), conf))


def _explain_unread(
    override: Override, name: str, keys: Sequence[str], tasks: Sequence[tuple[str, ReadKeys]], conf: Path
) -> str:
    told = " and ".join(f"task={task}" for task, _ in tasks)
    verb = "does" if len(tasks) == 1 else "do"
    sentence = f"{override.input_line}: {told} {verb} not read {name}"
    instead = next(
        (stated.instead[key] for _, stated in tasks for key in _iterate_upwards(name) if key in stated.instead), ""
    )
    readers = [
        task
        for task in group_choices(conf, "task")
        if (stated := read_keys_of_task(task, conf)) and any(stated.has(key) for key in keys)
    ]
    if instead:
        return f"{sentence}; {instead}."
    if readers:
        return f"{sentence}, so it would change nothing: leave it out. It is for task={', '.join(readers)}."
    return f"{sentence}, so it would change nothing: leave it out."


def _get_first_part(name: str) -> str:
    return name.partition("/")[0].partition(".")[0]


def _iterate_upwards(name: str) -> Iterator[str]:
    while name:
        yield name
        name = name.rpartition(".")[0]


def _is_below(key: str, group: str) -> bool:
    return key == group or key.startswith(f"{group}.")
