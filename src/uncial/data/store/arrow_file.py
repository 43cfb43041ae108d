"""What stores of lines and of pages have in common: one Arrow IPC file each, written under another name until it is
whole, memory-mapped when it is read, and at its end what was left out or is doubtful.
"""

import json
import mmap
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa

from uncial.document import Issue
from uncial.files import write_through

PROBLEMS, NOTES = b"problems", b"notes"


class ArrowWriter:
    """Writes rows of a `schema` to `path`; nothing lies there until `close`. `description` stands in the file's
    metadata under `key`."""

    def __init__(self, path: Path, schema: pa.Schema, key: bytes, description: Mapping[str, Any]) -> None:
        self.path, self._schema = path, schema
        self._partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = pa.OSFile(str(self._partial), "wb")
        self._writer = pa.ipc.new_file(self._file, schema.with_metadata({key: json.dumps(description).encode()}))

    def write(self, batch: pa.RecordBatch, described: Mapping[bytes, str] | None = None) -> None:
        """Add a batch of rows, with metadata of its own."""
        self._writer.write_batch(batch, custom_metadata=described)

    def close(self, problems: Sequence[Issue] = (), notes: Sequence[Issue] = ()) -> None:
        """Complete the file and put it in its place. `notes` are about what is in it, `problems` about what is not."""
        # Known only now, when the schema at the head of the file is long written.
        last = {PROBLEMS: _to_json(problems), NOTES: _to_json(notes)}
        self._writer.write_batch(pa.RecordBatch.from_pylist([], schema=self._schema), custom_metadata=last)
        self._writer.close()
        self._file.close()
        write_through(self._partial)
        self._partial.replace(self.path)

    def abandon(self) -> None:
        """Remove what was written so far."""
        self._file.close()
        self._partial.unlink(missing_ok=True)


class MappedArrow:
    """An Arrow IPC file in memory: what is resident does not grow with it. Raises `OSError`, `ValueError` or
    `pyarrow.ArrowInvalid` for what is none."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self.reader = pa.ipc.open_file(pa.BufferReader(pa.py_buffer(self._mapped)))

    def read_description(self, key: bytes) -> dict[str, Any] | None:
        """Return what stands in the file's metadata under a key; None where nothing does."""
        found = (self.reader.schema.metadata or {}).get(key)
        return None if found is None else json.loads(found)

    def read_issues(self) -> tuple[tuple[Issue, ...], tuple[Issue, ...]]:
        """Return the problems and the notes at the file's end. Raises `KeyError` where it has none."""
        last = self.reader.get_batch_with_custom_metadata(self.reader.num_record_batches - 1).custom_metadata or {}
        problems, notes = (tuple(Issue(**issue) for issue in json.loads(last[name])) for name in (PROBLEMS, NOTES))
        return problems, notes

    def let_go(self) -> None:
        """Hand back the pages of the file that were read: the system keeps them as long as there is room, but they
        count as memory of this process no more, which would else grow by all that it has ever read."""
        if hasattr(mmap, "MADV_DONTNEED"):
            self._mapped.madvise(mmap.MADV_DONTNEED)


def _to_json(issues: Sequence[Issue]) -> bytes:
    return json.dumps([asdict(issue) for issue in issues]).encode()
