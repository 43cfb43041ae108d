"""Files written so that whoever finds one finds all of it, and told apart by their content."""

import hashlib
import os
import re
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache, lru_cache
from pathlib import Path
from typing import TextIO

from uncial.errors import UserError

UNFINISHED = re.compile(r"\..+\.(?P<process>\d+)-(?P<machine>[0-9a-f]{8})(\.\w+)?")
"""The names of files that are being written: with the process that writes them, and its machine."""

LONGEST_NAME = 255
"""Bytes that file systems have room for in a name."""


@contextmanager
def replace_file(path: Path) -> Iterator[Path]:
    """Yield a path beside `path` to write to; when the block ends well it takes the place of `path` at once.

    Folders above `path` are made. Raises `UserError` where the file cannot be written. After any error the file beside
    is removed and `path` left as it was.
    """
    temporary = path.with_name(make_unfinished_name(path))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        open_to_others(temporary)
        write_through(temporary)
        temporary.replace(path)
    except OSError as error:
        reason = error.strerror or error
        raise UserError(f"{path} cannot be written ({reason}): make room, or choose another place.") from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def write_through(path: Path) -> None:
    """Wait until a file's content is on the disk: else a machine that goes down may leave it empty, in the place of the
    one that it has replaced."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def open_to_others(path: Path) -> None:
    """Gives a file that some library has made for its user alone the permissions of any new file there."""
    if not path.stat().st_mode & 0o077:
        sample = path.with_name(f"{path.name}.new")
        try:
            with sample.open("wb") as file:
                path.chmod(os.fstat(file.fileno()).st_mode & 0o777)
        finally:
            sample.unlink(missing_ok=True)


@contextmanager
def replace_text_file(path: Path) -> Iterator[TextIO]:
    """Yield a UTF-8 text file, with line ends as written, that takes the place of `path` when the block ends well.

    What UTF-8 cannot hold, such as the undecodable bytes of a file name, is written as a backslash escape.
    """
    with (
        replace_file(path) as temporary,
        temporary.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file,
    ):
        yield file


def remove_unfinished(folder: Path) -> None:
    """Remove the files that processes of this machine were writing in a folder when they were killed."""
    with suppress(OSError):
        for path in list(folder.glob(".*")):
            found = UNFINISHED.fullmatch(path.name)
            if found and found["machine"] == _name_machine() and not _is_alive(int(found["process"])):
                with suppress(OSError):
                    path.unlink()


def make_unfinished_name(path: Path) -> str:
    """Return what the file beside is called that is to take the place of `path`."""
    end = f".{os.getpid()}-{_name_machine()}{path.suffix}"
    room = LONGEST_NAME - 1 - len(os.fsencode(end))
    stem = os.fsencode(path.stem)
    return f".{path.stem if len(stem) <= room else stem[:room].decode(errors='ignore')}{end}"


@cache
def _name_machine() -> str:
    """Eight hexadecimal digits that tell the numbers of this machine's processes from another's, on a shared disk or
    in a container."""
    with suppress(OSError):
        return _shorten(f"{socket.gethostname()} {Path('/proc/self/ns/pid').stat().st_ino}")
    return _shorten(socket.gethostname())


def _shorten(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True


def hash_content(path: Path) -> str:
    """SHA-256 of the file's bytes in hexadecimal, computed once for a size and modification time. Raises OSError."""
    state = path.stat()
    return _hash(str(path), state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=1 << 17)
def _hash(path: str, size: int, modified: int) -> str:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hardlink_or_copy(source: Path, target: Path) -> None:
    """Makes `target` the file that `source` is now, without a copy where the disk allows it. `source` may be replaced
    later, not written to."""
    with replace_file(target) as temporary:
        try:
            os.link(source, temporary)
        except OSError:
            shutil.copyfile(source, temporary)


def count_cores() -> int:
    """Return the processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
