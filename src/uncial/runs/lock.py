"""One process at a time writes into a run folder."""

import fcntl
import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from uncial.errors import UserError
from uncial.runs.files import RunFolder

log = logging.getLogger(__name__)


@contextmanager
def hold_lock(folder: Path) -> Iterator[None]:
    """Hold the folder for this process; its death, a kill too, sets the folder free.

    Raises `UserError` where another process holds it. Where the file system knows no locks the folder is used without.
    """
    path = RunFolder(folder).lock
    descriptor = _lock_file(path)
    try:
        yield
    finally:
        if descriptor is not None:
            with suppress(OSError):
                path.unlink()
            os.close(descriptor)


def is_locked(folder: Path) -> bool:
    """Return whether another process holds the folder now."""
    try:
        with RunFolder(folder).lock.open("r+b") as file:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return True
    except OSError:
        return False
    return False


def _lock_file(path: Path) -> int | None:
    # A record lock, which a forked loader process does not inherit: it may outlive a killed training by seconds.
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            holder = os.read(descriptor, 200).decode(errors="replace").strip() or "another process"
            os.close(descriptor)
            raise UserError(
                f"{path.parent} is in use by {holder}: wait until it has ended, or stop it; only one process can "
                "use a run."
            ) from None
        except OSError as error:
            os.close(descriptor)
            log.warning(f"{path.parent} cannot be locked ({error.strerror}): make sure that only one process uses it.")
            return None
        if _is_still(path, descriptor):
            os.truncate(descriptor, 0)
            os.write(descriptor, f"process {os.getpid()} on {socket.gethostname()}\n".encode())
            return descriptor
        os.close(descriptor)


def _is_still(path: Path, descriptor: int) -> bool:
    """Return whether the file that was opened is the one that lies there: its holder removes it when it ends."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except OSError:
        return False
