"""A store is found again by the digest of what it was made of, or written: once, however many runs want it at once."""

import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol, TypeVar

from filelock import FileLock, Timeout

from uncial.errors import UserError

UNFINISHED = re.compile(r"(?P<store>[0-9a-f]{20}(\.pages)?)\.arrow\.\d+\.partial")
"""What a store is called while it is being written."""


class Digested(Protocol):
    """What knows of what it was made."""

    digest: str


Opened = TypeVar("Opened", bound=Digested)


def open_or_write(path: Path, digest: str, open_store: Callable[[Path], Opened], write: Callable[[], None]) -> Opened:
    """Return the store at `path`, where a whole one of this digest lies there, else after `write` has made it. Of two
    runs that want it at once one writes and the other waits. Raises `UserError` where the disk is full or may not be
    written on.
    """
    try:
        if is_complete(path, digest, open_store):  # Without a lock: it may lie where nothing can be written.
            return open_store(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_unfinished(path.parent)
        with FileLock(path.with_suffix(".lock")):
            if not is_complete(path, digest, open_store):
                write()
    except OSError as error:
        raise UserError(
            f"{path}: the compiled store could not be written ({error.strerror or error}): make room there, "
            "or name another folder with paths.store."
        ) from None
    return open_store(path)


def is_complete(path: Path, digest: str, open_store: Callable[[Path], Digested]) -> bool:
    """Return whether a whole store, made of the inputs with this digest, lies at `path`."""
    try:
        return path.is_file() and open_store(path).digest == digest
    except UserError:
        return False


def _remove_unfinished(folder: Path) -> None:
    """Remove what runs that were killed had written of stores. A store is being written as long as its lock is held."""
    for left_over in folder.glob("*.arrow.*.partial"):
        if found := UNFINISHED.fullmatch(left_over.name):
            with suppress(Timeout, OSError), FileLock(folder / f"{found['store']}.lock", timeout=0):
                left_over.unlink(missing_ok=True)
