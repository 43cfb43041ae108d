"""The content of a file as a hash: what tells two names of one image apart from two images."""

import hashlib
from functools import lru_cache
from pathlib import Path


def content_hash(path: Path) -> str:
    """SHA-256 of the file's bytes in hexadecimal, computed once for a size and modification time. Raises OSError."""
    state = path.stat()
    return _hash(str(path), state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=1 << 17)
def _hash(path: str, size: int, modified: int) -> str:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
