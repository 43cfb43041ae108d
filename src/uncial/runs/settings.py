"""Keys that say where runs lie, and what goes on from one."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from uncial.config.settings import NAME, Settings


@dataclass(frozen=True)
class PathsSettings(Settings):
    """Folders, relative to where the command is typed."""

    GROUP = "paths"

    data: Annotated[Path, NAME]
    store: Annotated[Path, NAME]
    outputs: Annotated[Path, NAME]


@dataclass(frozen=True)
class RunFolderSettings(Settings):
    """The folder that Hydra makes for a run."""

    GROUP = "hydra.run"

    dir: Annotated[Path, NAME]


@dataclass(frozen=True)
class SweepFolderSettings(Settings):
    """The folder that Hydra makes for a sweep, and in it for each job."""

    GROUP = "hydra.sweep"

    dir: Annotated[Path, NAME]
    subdir: Annotated[str, NAME]
