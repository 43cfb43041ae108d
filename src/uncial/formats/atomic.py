"""Writing a file so that whoever finds it finds all of it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from uncial.errors import UserError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a path beside `path` to write to; when the block ends well it takes the place of `path` at once.

    Folders above `path` are made. Raises `UserError` where the file cannot be written. After any error the file beside
    is removed and `path` left as it was.
    """
    temporary = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        open_to_others(temporary)
        temporary.replace(path)
    except OSError as error:
        reason = error.strerror or error
        raise UserError(f"{path} cannot be written ({reason}): make room, or choose another place.") from error
    finally:
        with suppress(OSError):
            temporary.unlink()


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
def replacing_text(path: Path) -> Iterator[TextIO]:
    """Yield a UTF-8 text file, with line ends as written, that takes the place of `path` when the block ends well.

    What UTF-8 cannot hold, such as the undecodable bytes of a file name, is written as a backslash escape.
    """
    with (
        replacing(path) as temporary,
        temporary.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file,
    ):
        yield file
        file.flush()
        os.fsync(file.fileno())
