"""Ends a training when its longest allowed time is over, in such a way that it can go on as if it had not."""

from collections.abc import Iterable
from pathlib import Path
from shutil import rmtree
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import Timer

from uncial.files import link

ASIDE = ".before_max_time"
"""The folder, within a run's, of the best model until a validation that was only made because the time was up."""


class MaxTime(Timer):
    """Lightning's timer, but it ends a training between two optimizer steps only: what has been accumulated for half a
    step would be lost to a run that goes on."""

    def on_train_batch_end(self, trainer: L.Trainer, *args: Any, **kwargs: Any) -> None:
        if not trainer.fit_loop._should_accumulate():
            super().on_train_batch_end(trainer, *args, **kwargs)


def set_aside(folder: Path, names: Iterable[str]) -> None:
    """Keep these files of a run as they are now, for `put_back`."""
    for name in names:
        if (folder / name).is_file():
            link(folder / name, folder / ASIDE / name)


def put_back(folder: Path) -> None:
    """Give the run the files back that were set aside, if any were."""
    if (folder / ASIDE).is_dir():
        for path in (folder / ASIDE).iterdir():
            path.replace(folder / path.name)
        rmtree(folder / ASIDE)  # With what is the same file still, which replaces nothing.
