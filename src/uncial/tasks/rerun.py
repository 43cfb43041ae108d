"""task=rerun: repeats a training in a new folder, and says whether the same came out of it to the bit."""

import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig

from uncial.errors import FindingsError, UserError
from uncial.models.files import read_weights
from uncial.problems.training_run import train_run
from uncial.reports.terminal.console import make_console, show
from uncial.runs.environment import (
    REPEATED,
    add_to_environment,
    list_differences,
    logs_from_one,
    read_beginning,
    read_environment,
)
from uncial.runs.files import RunFolder
from uncial.runs.metrics_file import read_rows, shift_steps
from uncial.runs.resumed_config import load_saved_config, read_overrides
from uncial.runs.session import open_session
from uncial.runs.tables import write_json
from uncial.training.trainer import silence_lightning

FILES = (RunFolder.predictions, RunFolder.skipped)
"""What is the same byte for byte where the run is."""


@dataclass(frozen=True)
class Repetition:
    """What differs between two runs in weights, scores and files, and between what they ran on; nothing where they are
    the same."""

    results: tuple[str, ...]
    environment: tuple[str, ...]


def run(config: DictConfig) -> None:
    """Repeats the training of the folder `run`, with the steps that its time budget was turned into. Raises
    `FindingsError` (exit code 2) where the result differs."""
    before = Path(str(config.run))
    again = load_config_to_repeat(before, config)
    silence_lightning()
    with open_session(again, lambda same: same) as this:
        for name in (RunFolder.overrides, RunFolder.steps, RunFolder.measured_budget, RunFolder.splits):
            if (before / name).is_file():
                shutil.copy(before / name, this.folder / name)
        add_to_environment(this.folder, {REPEATED: read_beginning(before)})
        train_run(replace(this, typed=tuple(read_overrides(before))))
    found = compare_runs(before, this.folder)
    same = not found.results
    told = {"run": str(before), "same": same, "results": found.results, "environment": found.environment}
    write_json(RunFolder(this.folder).rerun, told)
    if same:
        show(make_console(), f"The same to the bit as {before}: weights, scores and predictions.")
        return
    details = [f"- {line}" for line in (*found.results, *found.environment)]
    show(make_console(), "\n".join([f"Not the same as {before}:", *details]))
    raise FindingsError(f"The result differs from that of {before}; {RunFolder(this.folder).rerun} says in what.")


def load_config_to_repeat(folder: Path, typed: DictConfig) -> DictConfig:
    """Return the saved config of the run, with what was typed of the keys that do not change it: places and machine.

    Raises `UserError` for a folder that holds no finished training and for a key that would make another run of it.
    """
    for name in (RunFolder.config, RunFolder.best_model, RunFolder.metrics):
        if not (folder / name).is_file():
            raise UserError(f"run={folder} holds no {name}: give the folder of a finished training.")
    config = load_saved_config(folder, typed, ignored=("task", "run", "name"))
    if config.task.name != "train":
        raise UserError(f"run={folder} is of task={config.task.name}: only trainings can be repeated.")
    return config


def compare_runs(before: Path, now: Path) -> Repetition:
    """Return what two finished runs differ in. Times and speeds always do, and do not count."""
    results = [*_read_weights(before, now), *_read_scores(before, now)]
    results += [f"{name} differs" for name in FILES if _read_content(before / name) != _read_content(now / name)]
    if not _same_rows(before, now):
        results.append(f"{RunFolder.metrics_rows} differs")
    return Repetition(tuple(results), tuple(list_differences(read_environment(before), read_environment(now))))


def _read_weights(before: Path, now: Path) -> list[str]:
    old, new = read_weights(RunFolder(before).best_model), read_weights(RunFolder(now).best_model)
    if old.keys() != new.keys():
        return ["the models have other parts"]
    unequal = [name for name in old if not torch.equal(old[name], new[name])]
    if not unequal:
        return []
    if any(old[name].shape != new[name].shape for name in unequal):
        return ["the models have parts of other sizes"]
    most = max(float((old[name].double() - new[name].double()).abs().max()) for name in unequal)
    return [f"{len(unequal)} of {len(old)} tensors of the weights differ, by up to {most:.3g}"]


def _read_scores(before: Path, now: Path) -> list[str]:
    old, new = (_read_validation(folder) for folder in (before, now))
    names = [*old, *(name for name in new if name not in old)]
    return [f"{name}: {old.get(name)} then, {new.get(name)} now" for name in names if old.get(name) != new.get(name)]


def _read_validation(folder: Path) -> dict[str, Any]:
    return json.loads(RunFolder(folder).metrics.read_text(encoding="utf-8"))["val"]


def _same_rows(before: Path, now: Path) -> bool:
    """Return whether both runs logged the same; one of an earlier version counted its steps from 0."""
    (columns, rows), (other_columns, other_rows) = (
        read_rows(RunFolder(folder).metrics_rows) for folder in (before, now)
    )
    shift = int(logs_from_one(now)) - int(logs_from_one(before))
    return columns == other_columns and shift_steps(rows, shift) == other_rows


def _read_content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None
