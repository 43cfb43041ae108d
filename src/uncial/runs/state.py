"""The state of a run as it lies on disk: the checkpoint it is resumed from, and the best model as it was set aside."""

import logging
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from shutil import rmtree
from typing import Any

from uncial.errors import UserError
from uncial.files import hardlink_or_copy
from uncial.runs.checkpoint import SUFFIX, read_checkpoint
from uncial.runs.files import RunFolder


def stash_best_model(folder: Path, names: Iterable[str]) -> None:
    """Keep these files of a run as they are now, for `restore_stashed`."""
    for name in names:
        if (folder / name).is_file():
            hardlink_or_copy(folder / name, RunFolder(folder).stash / name)


def restore_stashed(folder: Path) -> None:
    """Give the run the files back that were set aside, if any were."""
    if RunFolder(folder).stash.is_dir():
        for path in RunFolder(folder).stash.iterdir():
            path.replace(folder / path.name)
        rmtree(RunFolder(folder).stash)  # With what is the same file still, which replaces nothing.


log = logging.getLogger(__name__)

RUN_KEY = "uncial_run"
"""Under this key a checkpoint holds, as plain types, what `RunState` says."""

CONTINUED = {"optimizer_states": list, "lr_schedulers": list, "loops": dict, "callbacks": dict, "global_step": int}
"""What Lightning resumes from, and of which kind it is."""


@dataclass(frozen=True)
class RunState:
    """What a checkpoint says of its run.

    `steps` are done of `total_steps` (None where a time budget has not fixed them yet). `finished`: nothing is left to
    do, which is also so after an early stop. `rows` of metrics.csv were written at `time` (seconds since 1970).
    `seconds` is how long the training has taken in all sessions. `data` identifies the lines of training and
    validation. Its batches are made for so many `devices` together, on however many it goes on.
    """

    steps: int
    total_steps: int | None
    finished: bool
    validates: bool
    rows: int
    time: float
    seconds: float
    data: Mapping[str, str]
    devices: int = 1

    def plain(self) -> dict[str, Any]:
        return {**asdict(self), "data": dict(self.data)}


@dataclass(frozen=True)
class SavedState:
    """A checkpoint from which the run can be resumed."""

    path: Path
    state: RunState


def read_state(path: Path) -> SavedState:
    """Raise `UserError` for a file that is missing, torn or no state of a run, and for one whose weights are NaN, from
    which no training can be resumed."""
    checkpoint = read_checkpoint(path)
    if any(bool(weight.isnan().any()) for weight in checkpoint["state_dict"].values()):
        raise UserError(
            f"{path}: the model weights contain NaN, from which no training can resume; use an earlier checkpoint."
        )
    try:
        if missing := [key for key in CONTINUED if not isinstance(checkpoint[key], CONTINUED[key])]:
            raise TypeError(missing)
        optimizers = checkpoint["optimizer_states"]
        if not optimizers or not all(one["state"] is not None and one["param_groups"] for one in optimizers):
            raise TypeError(optimizers)
        return SavedState(path, _check(RunState(**checkpoint[RUN_KEY])))
    except (KeyError, TypeError) as error:
        raise UserError(
            f"{path} is a checkpoint of another version of uncial, which cannot be resumed; "
            "start a new run from it with pretrained=."
        ) from error


def _check(state: RunState) -> RunState:
    """Return the state, whose values have stood in a file. Raises `TypeError` for one of another kind than it
    writes."""
    counts = [state.steps, state.rows, state.devices, *([] if state.total_steps is None else [state.total_steps])]
    is_whole = all(isinstance(count, int) and count >= 0 for count in counts)
    has_times = all(isinstance(one, int | float) and math.isfinite(one) for one in (state.time, state.seconds))
    if not is_whole or not has_times or not isinstance(state.data, Mapping) or state.devices < 1:
        raise TypeError(state)
    return state


def find_newest_state(folder: Path) -> SavedState | None:
    """Return the state from which the run in `folder` is resumed: last.ckpt, or where that is missing or damaged the
    newest whole one of checkpoints/. None where there is none."""
    kept = sorted(RunFolder(folder).checkpoints.glob(f"*{SUFFIX}"), key=lambda path: path.name, reverse=True)
    for path in (RunFolder(folder).last_checkpoint, *kept):
        if not path.is_file():
            continue
        try:
            return read_state(path)
        except UserError as error:
            log.warning(f"{error}")
    return None
