"""What a reading has done so far, kept beside its output, so that one that was stopped or killed goes on from there.

The journal is a file of rows, each with a check sum: first what the reading is, then what was read of the files of one
group each. A row counts when it is whole, so that the end of a kill is dropped.
"""

import errno
import fcntl
import glob
import hashlib
import json
import os
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from uncial.document import Issue
from uncial.errors import UserError
from uncial.metrics.review import ReadLine

SUFFIX = ".partial"
MARK = b"uncial-reading "
"""What each row begins with, so that no file of the user is taken for a journal."""


@dataclass(frozen=True)
class FileRead:
    """What became of the file with this `digest`: its `rows` of the table, or the hash of its `copy`, None where there
    is none; and what the reports are made of."""

    digest: str
    rows: list[str] = field(default_factory=list)
    read: list[ReadLine] = field(default_factory=list)
    problems: list[Issue] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    copy: str | None = None


class Journal:
    """What was read of each file, by its path: `find` looks it up, `add` appends to it."""

    def __init__(self, path: Path, file: BinaryIO, places: dict[str, int]) -> None:
        self.path = path
        self._file = file
        self._places = places
        self._row: tuple[int, dict[str, Any]] = (-1, {})

    def find(self, source: Path) -> FileRead | None:
        """Return what was read of a file, None where nothing was."""
        place = self._places.get(str(source))
        if place is None:
            return None
        if self._row[0] != place:
            self._file.seek(place)
            self._row = (place, _read_content(self._file.readline()) or {})
        return _describe_file_read(self._row[1][str(source)])

    def add(self, files: Mapping[Path, FileRead]) -> None:
        """Append what was read of a group of files, durably. Raises `UserError` where it cannot be written."""
        place = self._file.seek(0, os.SEEK_END)
        content = {str(source): asdict(found) for source, found in files.items()}
        _write(self.path, self._file, place, _format_row(content))
        self._places.update(dict.fromkeys(content, place))


@contextmanager
def open_journal(
    target: Path, about: Mapping[str, Any], inputs: Sequence[str], begins_anew: Callable[[Path], object]
) -> Iterator[Journal]:
    """The journal of the reading that writes `target`, held by this process and removed when the block ends well.

    `about` says which model reads and how, in plain types; where that was another one, the journal is emptied and
    `begins_anew` told. `inputs` is what `find_begun_reading` finds it by. Raises `UserError` where another process
    holds it or it cannot be written.
    """
    path, file = _open(target)
    with file:
        head, places, end = _scan(path, file)
        if head.get("about") != about:
            if places:
                begins_anew(path)
            places, end = {}, 0
        os.ftruncate(file.fileno(), end)
        if not end:
            _write(path, file, 0, _format_row({"about": about, "inputs": list(inputs)}))
        try:
            yield Journal(path, file, places)
        except BaseException:
            if not places:
                path.unlink(missing_ok=True)
            raise
        path.unlink(missing_ok=True)


def find_begun_reading(folder: Path, name: str, about: Mapping[str, Any], inputs: Sequence[str]) -> Path | None:
    """Return the newest folder beside `folder` in which a reading of these inputs, whose output is called `name`, was
    begun that no process goes on with."""
    found = {}
    for path in folder.parent.glob(f"*/{glob.escape(_name(name))}"):
        try:
            with path.open("r+b") as file:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                head, places, _ = _scan(path, file)
                if places and head == {"about": about, "inputs": list(inputs)}:
                    found[path.stat().st_mtime_ns] = path.parent
        except (OSError, UserError):
            continue
    return found[max(found)] if found else None


def _name(target: str) -> str:
    name = f"{target}{SUFFIX}"
    # A file system has room for 255 bytes.
    return name if len(os.fsencode(name)) <= 255 else f"{hashlib.sha256(os.fsencode(target)).hexdigest()}{SUFFIX}"


def _open(target: Path) -> tuple[Path, BinaryIO]:
    """Return the journal, beside the output; in it where that is a folder beside which nothing can be written."""
    path = target.with_name(_name(target.name)) if target.name else target / _name("reading")
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o666), "rb")
        except OSError as error:
            if target.is_dir() and path.parent != target:  # For instance one that is mounted.
                path = target / _name("reading")
                continue
            raise _explain_unwritable(path, error) from error
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            file.close()
            raise UserError(
                f"predict.output={target} is being written by another process: wait until it has ended, or name "
                "another place."
            ) from None
        except OSError:
            return path, file  # A file system without locks.
        if path.exists() and os.path.samestat(os.fstat(file.fileno()), path.stat()):
            return path, file
        file.close()  # Its holder has just finished, and removed it.


def _scan(path: Path, file: BinaryIO) -> tuple[dict[str, Any], dict[str, int], int]:
    """Return the first row, empty where there is none, where the files of the others stand, and where the last whole
    row ends.

    Raises `UserError` for what is no journal."""
    file.seek(0)
    head: dict[str, Any] = {}
    places: dict[str, int] = {}
    end = 0
    for row in iter(file.readline, b""):
        content = _read_content(row)
        if content is None:
            if end == 0 and not (row.startswith(MARK) or MARK.startswith(row) or not row.strip(b"\0")):
                raise UserError(f"{path} is no unfinished reading of this program: move it away.")
            break
        if end == 0:
            head = content
        else:
            places.update(dict.fromkeys(content, end))
        end += len(row)
    return head, places, end


def _write(path: Path, file: BinaryIO, place: int, row: bytes) -> None:
    """Append a row at the end, `place`: all of it, durably, or nothing. Not through the file's buffer, which would try
    again when it is closed."""
    try:
        written = 0
        while written < len(row):
            written += os.pwrite(file.fileno(), row[written:], place + written)
        os.fsync(file.fileno())
    except OSError as error:
        os.ftruncate(file.fileno(), place)
        raise _explain_unwritable(path, error) from error


def _format_row(content: Mapping[str, Any]) -> bytes:
    # ASCII: a file name may hold bytes that are no UTF-8, and JSON escapes them.
    data = json.dumps(content, ensure_ascii=True).encode()
    return MARK + f"{zlib.crc32(data):08x} ".encode() + data + b"\n"


def _read_content(row: bytes) -> dict[str, Any] | None:
    """None for a row that is not whole."""
    data = row[len(MARK) + 9 : -1]
    if (
        not row.startswith(MARK)
        or not row.endswith(b"\n")
        or row[len(MARK) :][:8] != f"{zlib.crc32(data):08x}".encode()
    ):
        return None
    content: dict[str, Any] = json.loads(data)
    return content


def _describe_file_read(content: Mapping[str, Any]) -> FileRead:
    return FileRead(
        content["digest"],
        content["rows"],
        [ReadLine(**line) for line in content["read"]],
        [Issue(**problem) for problem in content["problems"]],
        content["notes"],
        content["copy"],
    )


def _explain_unwritable(path: Path, error: OSError) -> UserError:
    told = f"{path} cannot be written ({error.strerror or error})"
    if error.errno not in (errno.ENOSPC, errno.EDQUOT):
        return UserError(f"{told}: choose another place with predict.output.")
    kept = "; what was read so far is kept, and the same command goes on from it" if path.exists() else ""
    return UserError(f"{told}: make room, or choose another place with predict.output{kept}.")
