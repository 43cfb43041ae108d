"""The runs below a folder as they stand: finished, pruned, failed, running, stopped or not begun."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

from uncial.config.hydra_internals import BasicSweeper
from uncial.config.moved import with_current_paths, with_problem
from uncial.config.saved_yaml import read_saved
from uncial.errors import UserError
from uncial.runs.files import RunFolder
from uncial.runs.lock import is_locked
from uncial.runs.outcome import FAILED, FINISHED, PRUNED, is_sweep, order_by_number, read_outcome

RUNNING, STOPPED, NOT_BEGUN = "running", "stopped", "not begun"


@dataclass(frozen=True)
class Run:
    """`state` is finished, pruned, failed, running, stopped or not begun. `overrides` is what was typed for it,
    `config` is its config.yaml, and `metrics` the metrics.json of a finished one; they are empty where there is none.
    `error` is that of a failed one, or says why one was pruned."""

    folder: Path
    state: str
    overrides: tuple[str, ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""

    def figure(self, name: str) -> Any:
        """Return what metrics.json has under `part/figure`, for instance val/cer; None where it has nothing."""
        part, _, figure = name.partition("/")
        return self.metrics.get(part, {}).get(figure)


def find_runs(folders: Sequence[Path]) -> list[Run]:
    """Return the runs in these folders: each is that of a run, of a sweep, or one that holds such. Raises `UserError`
    for one that does not exist or holds none."""
    found: dict[Path, Run] = {}
    for folder in folders:
        if not folder.is_dir():
            raise UserError(f"run={folder} does not exist: give the folder of a run or of a sweep, or several, [A,B].")
        own = list(_find_below(folder))
        if not own:
            raise UserError(f"run={folder} holds no run: give the folder of a run or of a sweep, or several, [A,B].")
        found |= {run.folder.resolve(): run for run in own}
    return list(found.values())


def _find_below(folder: Path) -> Iterator[Run]:
    if RunFolder(folder).config.is_file() or read_outcome(folder) is not None:
        yield read_run(folder)
        return
    inside = {path.name: path for path in folder.iterdir() if path.is_dir() and not path.is_symlink()}
    planned = read_planned_jobs(folder) if is_sweep(folder) else {}
    found = {name: list(_find_below(path)) for name, path in inside.items()}
    begun = {run.folder.relative_to(folder).as_posix() for runs in found.values() for run in runs}
    for name, overrides in planned.items():
        if name not in begun and not found.get(name):
            found[name] = [Run(folder / name, NOT_BEGUN, overrides)]
    for name in sorted(found, key=order_by_number):
        yield from found[name]


def read_run(folder: Path) -> Run:
    """Return what a run has left so far. A file that is torn or missing counts as not there."""
    outcome = read_outcome(folder)
    config, metrics = _read_yaml(RunFolder(folder).config), _read_json(RunFolder(folder).metrics)
    if outcome is not None and outcome.state in (FAILED, PRUNED):
        state = outcome.state
    elif metrics or (outcome is not None and outcome.state == FINISHED):
        state = FINISHED
    else:
        state = RUNNING if is_locked(folder) else STOPPED
    overrides = _read_yaml(RunFolder(folder).overrides) or (outcome.overrides if outcome else ())
    return Run(
        folder,
        state,
        tuple(str(line) for line in overrides),
        with_problem(with_current_paths(config)) if isinstance(config, dict) else {},
        metrics if state == FINISHED else {},
        outcome.error if outcome else "",
    )


def read_varied_keys(folder: Path) -> frozenset[str]:
    """Return the dotted keys and groups in which the jobs of a sweep differ; none where its file does not say."""
    try:
        parsed = OverridesParser.create().parse_overrides(_lines_of_sweep(folder))
    except (UserError, KeyError, TypeError, AttributeError, HydraException):
        return frozenset()
    return frozenset(one.key_or_group.replace("/", ".") for one in parsed if one.is_sweep_override())


def _lines_of_sweep(folder: Path) -> list[str]:
    """Return what a sweep was given, by its file and by what was typed, which comes later and wins."""
    hydra = read_saved(RunFolder(folder).multirun)["hydra"]
    typed = [line for line in hydra["overrides"]["task"] if not line.startswith(("resume=", "trust="))]
    return [*(f"{key}={value}" for key, value in (hydra["sweeper"]["params"] or {}).items()), *typed]


def read_listed_jobs(folder: Path) -> Mapping[str, tuple[str, ...]] | None:
    """Return the jobs of a sweep that has called their folders otherwise than by numbers, in their order; None for
    others."""
    try:
        found = json.loads(RunFolder(folder).jobs.read_text(encoding="utf-8"))
        return {str(name): tuple(map(str, overrides)) for name, overrides in found.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return None


def read_planned_jobs(folder: Path) -> Mapping[str, tuple[str, ...]]:
    """Return the jobs of a sweep by the names of their folders, with their overrides: as jobs.json lists them, or else
    as Hydra's basic sweeper makes them; none where another one does and where folders are called by the time."""
    if listed := read_listed_jobs(folder):
        return listed
    try:
        hydra = read_saved(RunFolder(folder).multirun)["hydra"]
        sweeper = hydra["sweeper"]
        if not sweeper["_target_"].endswith("BasicSweeper") or hydra["sweep"]["subdir"] != "${hydra.job.num}":
            return {}
        jobs = BasicSweeper.split_arguments(OverridesParser.create().parse_overrides(_lines_of_sweep(folder)), None)[0]
    except (UserError, KeyError, TypeError, AttributeError, HydraException):
        return {}
    return {str(number): tuple(overrides) for number, overrides in enumerate(jobs)}


def _read_yaml(path: Path) -> Any:
    try:
        return read_saved(path)
    except UserError:
        return {}


def _read_json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
