"""The compiled store: one memory-mapped Arrow IPC file that holds every line image of a data set.

Strips are raw pixels at their own scale, so that reading one is a copy of some kilobytes and one store serves models
of every height. The file is written under a temporary name and renamed when it is complete. Beside each batch of rows
stand check sums: one for each strip, which is compared when the strip is first read, and one for all else, which is
compared when the file is opened. Stores of earlier versions have none and are read without.
"""

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from uncial.data.store.arrow_file import ArrowWriter, MappedArrow
from uncial.document import Issue
from uncial.errors import UserError

FORMAT_VERSION = 2
METADATA_KEY = b"uncial"
STRIP_SUMS, ROW_SUM = b"strip_sums", b"row_sum"
"""Under these keys a batch has the CRC-32 of each strip's pixels, and that of its other columns."""

ROWS_IN_A_BATCH = 256

SCHEMA = pa.schema(
    [
        ("page", pa.string()),
        ("line", pa.string()),
        ("document", pa.string()),
        ("hand", pa.string()),
        ("group", pa.string()),
        ("subset", pa.string()),
        ("image_hash", pa.string()),
        ("region_type", pa.string()),
        ("language", pa.string()),
        ("direction", pa.string()),
        ("text", pa.string()),
        ("reader", pa.string()),
        ("height", pa.int32()),
        ("width", pa.int32()),
        ("pixels", pa.large_binary()),
    ]
)


@dataclass(frozen=True, slots=True)
class StoredLine:
    """One row of the store: a line's strip, (h, w) or (h, w, 3) uint8, its text, and where both come from."""

    page: str
    line: str
    document: str
    hand: str
    group: str
    subset: str | None
    image_hash: str
    region_type: str | None
    language: str | None
    direction: str | None
    text: str
    strip: np.ndarray
    reader: str | None = None


class StoreWriter:
    """Writes a store at `path`; nothing lies there until `close`."""

    def __init__(self, path: Path, channels: int, digest: str) -> None:
        self.path = path
        described = {"version": FORMAT_VERSION, "channels": channels, "digest": digest}
        self._file = ArrowWriter(path, SCHEMA, METADATA_KEY, described)
        self._rows: list[dict[str, Any]] = []

    def add(self, line: StoredLine) -> None:
        row = {name: getattr(line, name) for name in SCHEMA.names if hasattr(line, name)}
        height, width = line.strip.shape[:2]
        self._rows.append({**row, "height": height, "width": width, "pixels": line.strip.tobytes()})
        if len(self._rows) == ROWS_IN_A_BATCH:
            self._flush()

    def _flush(self) -> None:
        if self._rows:
            batch = pa.RecordBatch.from_pylist(self._rows, schema=SCHEMA)
            sums = np.array([zlib.crc32(row["pixels"]) for row in self._rows], dtype=np.uint32)
            described = {STRIP_SUMS: sums.tobytes().hex(), ROW_SUM: str(_sum_rows(batch))}
            self._file.write(batch, described)
            self._rows = []

    def close(self, problems: Sequence[Issue] = (), notes: Sequence[Issue] = ()) -> None:
        """Completes the file and puts it in its place.

        `notes` are about lines that are in the store, `problems` about others.
        """
        self._flush()
        self._file.close(problems, notes)

    def abandon(self) -> None:
        """Removes what was written so far."""
        self._file.abandon()


class Store:
    """A compiled store, memory-mapped: what is resident does not grow with the data set.

    Pickles as its path, so that every worker process maps the file itself.
    """

    def __init__(self, path: Path) -> None:
        """Raise `UserError` for a file that is no whole store, and for one whose rows are not as they were written."""
        self.path = path
        self._open()
        self._check_rows()

    def _open(self) -> None:
        try:
            self._file = MappedArrow(self.path)
        except (pa.ArrowInvalid, OSError, ValueError) as error:
            raise UserError(
                f"{self.path} is not a complete compiled store ({error}): delete it, and it is made again."
            ) from None
        self._reader = self._file.reader
        description = self._file.read_description(METADATA_KEY)
        if description is None:
            raise UserError(
                f"{self.path} is an Arrow file, but not a compiled store of Uncial: read it with data=compiled."
            )
        if description["version"] != FORMAT_VERSION:
            raise UserError(
                f"{self.path} is a store of format {description['version']}, this version reads {FORMAT_VERSION}: "
                "compile the data again with task=compile."
            )
        self.channels: int = description["channels"]
        self.digest: str = description["digest"]
        self._table = self._reader.read_all()
        self._sums = self._strip_sums()
        self._is_checked = np.zeros(len(self), dtype=bool)
        self.problems, self.notes = self._file.read_issues()

    def __getstate__(self) -> dict[str, Path]:
        return {"path": self.path}

    def __setstate__(self, state: dict[str, Path]) -> None:
        self.path = state["path"]
        self._open()

    def __len__(self) -> int:
        return self._table.num_rows

    def column(self, name: str) -> list[Any]:
        """Return all values of a column other than `pixels`."""
        return self._table.column(name).to_pylist()

    def readers(self) -> list[str | None]:
        """Return the program that read the text of each line, None where a person wrote it: everywhere in older
        stores."""
        has_readers = "reader" in self._table.column_names
        return self.column("reader") if has_readers else [None] * len(self)

    def transcribed(self) -> np.ndarray:
        """(rows,) bool: whether a person wrote the text."""
        if "reader" not in self._table.column_names:
            return np.ones(len(self), dtype=bool)
        found: np.ndarray = self._table.column("reader").is_null().to_numpy()
        return found

    def sizes(self) -> np.ndarray:
        """(rows, 2) int64: height and width of each strip in pixels."""
        return np.stack(
            [self._table.column(name).to_numpy().astype(np.int64) for name in ("height", "width")], axis=1
        ).reshape(-1, 2)

    def value(self, row: int, name: str) -> Any:
        return self._table.column(name)[row].as_py()

    def strip(self, row: int) -> np.ndarray:
        """Return the line image of a row: (h, w) or (h, w, 3) uint8, in the mapped file. Raises `UserError` where it is
        not as it was written."""
        height, width = self.value(row, "height"), self.value(row, "width")
        stored = self._table.column("pixels")[row].as_buffer()
        if self._sums is not None and not self._is_checked[row]:
            if zlib.crc32(stored) != self._sums[row]:
                page, line = self.value(row, "page"), self.value(row, "line")
                raise self._altered(f"the image of line {line} of page {page} is not")
            self._is_checked[row] = True
        pixels = np.frombuffer(stored, dtype=np.uint8)
        return pixels.reshape((height, width) if self.channels == 1 else (height, width, self.channels))

    def _strip_sums(self) -> np.ndarray | None:
        """(rows,) uint32; None for a store without check sums."""
        found = []
        for number in range(self._reader.num_record_batches - 1):
            described = self._reader.get_batch_with_custom_metadata(number).custom_metadata or {}
            if STRIP_SUMS not in described:
                return None
            found.append(np.frombuffer(bytes.fromhex(described[STRIP_SUMS].decode()), dtype=np.uint32))
        return np.concatenate(found) if found else None

    def _check_rows(self) -> None:
        for number in range(self._reader.num_record_batches - 1):
            batch, described = self._reader.get_batch_with_custom_metadata(number)
            if described is not None and ROW_SUM in described and int(described[ROW_SUM]) != _sum_rows(batch):
                raise self._altered(
                    f"the texts or names of its lines {number * ROWS_IN_A_BATCH + 1} and following are not"
                )

    def _altered(self, what: str) -> UserError:
        return UserError(
            f"{self.path} has changed since it was compiled: {what} as it was written (check sum). The disk or a "
            "transfer may have damaged it: delete it, and it is made again from the images."
        )

    def let_go(self) -> None:
        """Hands back the pages of the file that were read (see `MappedArrow`)."""
        self._file.let_go()


def _sum_rows(batch: pa.RecordBatch) -> int:
    """CRC-32 of all columns but the pixels."""
    return zlib.crc32(batch.drop_columns(["pixels"]).serialize())


def is_store(path: Path) -> bool:
    """Return whether the file is a compiled store of Uncial (and not, for instance, one of kraken)."""
    try:
        with pa.memory_map(str(path), "r") as source:
            return METADATA_KEY in (pa.ipc.open_file(source).schema.metadata or {})
    except (pa.ArrowInvalid, OSError):
        return False


def write_rows(path: Path, lines: Iterable[StoredLine], channels: int, digest: str) -> None:
    """Writes a whole store at once; for small sets and tests."""
    writer = StoreWriter(path, channels, digest)
    try:
        for line in lines:
            writer.add(line)
    except BaseException:
        writer.abandon()
        raise
    writer.close()
