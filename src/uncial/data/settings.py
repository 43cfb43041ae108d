"""What a data source is told: the keys of `conf/data/*.yaml` that say what to read."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Advance = Callable[[int], None]
"""To be called with how many more units are done."""

Progress = Callable[[str, int, str], AbstractContextManager[Advance]]
"""Called with what is being done, how many units that is in all, and what they are called (`lines`, `pages`)."""


def show_no_progress(description: str, total: int, unit: str) -> AbstractContextManager[Advance]:
    """Return a context that shows nothing."""
    return nullcontext(lambda units: None)


@dataclass(frozen=True)
class SourceSettings:
    """Where ground truth lies and which of it to read.

    `root` holds folders, files or globs. `train`, `val` and `test` are explicit splits (lists, folders, globs), empty
    where the split is left to the page hash. `include` and `exclude` are globs on the path below the root. `images`
    are further folders in which a page's image is looked for. `options` are the keys that one format alone knows. `key`
    is the config key that `root` was given with, which messages name. `progress` shows how far work of minutes is.
    """

    format: str
    root: tuple[str, ...] = ()
    train: tuple[str, ...] = ()
    val: tuple[str, ...] = ()
    test: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    images: tuple[Path, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    key: str = "data.root"
    progress: Progress = field(default=show_no_progress, compare=False, repr=False)
