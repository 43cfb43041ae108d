"""A run's best model as it was before a validation that was only made because the time was up."""

from collections.abc import Iterable
from pathlib import Path
from shutil import rmtree

from uncial.files import hardlink_or_copy
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
