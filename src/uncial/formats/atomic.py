"""Text files that are either whole or not there."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from uncial.errors import UserError


@contextmanager
def atomic_text(path: Path) -> Iterator[TextIO]:
    """A UTF-8 file to write to, with LF line ends; it lies at `path` once the block has ended without an error.

    Raises `UserError` where the file cannot be written.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("w", encoding="utf-8", newline="\n") as file:
            yield file
        partial.replace(path)
    except OSError as error:
        if error.filename not in (None, str(partial), str(path.parent)):
            raise  # the caller's own trouble with another file
        raise UserError(
            f"{path} cannot be written ({error.strerror or error}); choose another place or make room"
        ) from error
    finally:
        with suppress(OSError):
            partial.unlink()
