"""A run's best model as it was before a validation that was only made because the time was up."""

from collections.abc import Iterable
from pathlib import Path
from shutil import rmtree

from uncial.files import link

ASIDE = ".before_max_time"
"""The folder, within a run's, of the best model until a validation that was only made because the time was up."""


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
