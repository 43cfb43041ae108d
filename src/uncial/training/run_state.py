"""The state of a run as it lies on disk: from which checkpoint it goes on, and what has to fit for that."""

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from uncial.errors import UserError
from uncial.models.checkpoint import SUFFIX, read_checkpoint

log = logging.getLogger(__name__)

LAST = "last.ckpt"
KEPT = "checkpoints"
RUN_KEY = "uncial_run"
"""Under this key a checkpoint holds, as plain types, what `RunState` says."""


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
    """A checkpoint that can be gone on from."""

    path: Path
    state: RunState


def read_state(path: Path) -> SavedState:
    """Raises `UserError` for a file that is missing, torn or no state of a run."""
    checkpoint = read_checkpoint(path)
    try:
        return SavedState(path, RunState(**checkpoint[RUN_KEY]))
    except (KeyError, TypeError) as error:
        raise UserError(
            f"{path} is a checkpoint of another version of uncial, which cannot be gone on from; "
            "start a new run from it with pretrained=."
        ) from error


def newest_state(folder: Path) -> SavedState | None:
    """The state that the run in `folder` goes on from: last.ckpt, or where that is missing or damaged the newest whole
    one of checkpoints/. None where there is none."""
    kept = sorted((folder / KEPT).glob(f"*{SUFFIX}"), key=lambda path: path.name, reverse=True)
    for path in (folder / LAST, *kept):
        if not path.is_file():
            continue
        try:
            return read_state(path)
        except UserError as error:
            log.warning(f"{error}")
    return None
