"""kraken's compiled data sets: an Arrow IPC file whose rows hold the PNG of a line and its text."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from uncial.errors import UnusableInput, UserError

_SUBSETS = (("train", "train"), ("validation", "val"), ("test", "test"))
"""kraken's boolean columns and what we call the parts."""


@dataclass(frozen=True, slots=True)
class ArrowRow:
    """A line of the file without its pixels. `batch` counts the record batches from 0.

    kraken fills a record batch with whole pages, so lines of one page never lie in two batches.
    """

    row: int
    text: str | None
    language: str | None
    subset: str | None
    batch: int
    has_image: bool


def is_kraken(path: Path) -> bool:
    """Return whether an Arrow file is one that kraken compiled. Raises `UserError` where it is no Arrow IPC file."""
    return _is_kraken_schema(_open(path).schema)


def read_metadata(path: Path) -> dict[str, Any]:
    """Return what kraken says of the file (`type`, `alphabet`, `counts`, `im_mode`, ...); empty where it says
    nothing."""
    stored = (_open(path).schema.metadata or {}).get(b"lines")
    try:
        return dict(json.loads(stored)) if stored else {}
    except (ValueError, TypeError):
        return {}


def read_rows(path: Path) -> Iterator[ArrowRow]:
    """Yield the rows in order, one record batch at a time; the images stay in the mapped file."""
    reader = _open(path)
    if not _is_kraken_schema(reader.schema):
        raise UserError(
            f"{path} is an Arrow file but not one of kraken's: it has no column `lines` with `text` and `im`"
        )
    explicit = bool(_find_columns_in_use(reader))
    row = 0
    for index in range(reader.num_record_batches):
        batch = _read_batch(path, reader, index)
        lines = batch.column("lines")
        texts = lines.field("text").to_pylist()
        sizes = pc.binary_length(lines.field("im")).to_pylist()
        languages = _read_languages(lines)
        subsets = _read_subsets(batch) if explicit else [None] * len(batch)
        for i in range(len(batch)):
            yield ArrowRow(row, texts[i], languages[i], subsets[i], index, bool(sizes[i]))
            row += 1


def get_image_bytes(path: Path, row: int) -> bytes:
    """Return the encoded image (PNG) of one row. Raises `UnusableInput` where the row does not exist or holds none."""
    reader, starts = _find_indexed(path)
    index = int(np.searchsorted(starts, row, side="right")) - 1
    if row < 0 or row >= starts[-1]:
        raise UnusableInput(f"{path} has no row {row}: it holds {starts[-1]}")
    lines = _read_batch(path, reader, index).column("lines")
    image = lines.field("im")[row - int(starts[index])].as_py()
    if not image:
        raise UnusableInput(f"row {row} of {path} holds no image", "missing_image")
    return bytes(image)


def _is_kraken_schema(schema: pa.Schema) -> bool:
    if "lines" not in schema.names:
        return False
    kind = schema.field("lines").type
    return pa.types.is_struct(kind) and {"text", "im"} <= {kind.field(i).name for i in range(kind.num_fields)}


def _find_columns_in_use(reader: pa.ipc.RecordBatchFileReader) -> set[str]:
    """Return the subsets that some row is in: kraken writes the columns full of False where there is no explicit
    split."""
    used = set()
    for index in range(reader.num_record_batches):
        batch = reader.get_batch(index)
        used |= {name for column, name in _SUBSETS if column in batch.schema.names and pc.any(batch[column]).as_py()}
    return used


def _read_subsets(batch: pa.RecordBatch) -> list[str | None]:
    """Return the strictest part that a row is in; None where it is in none."""
    subsets: list[str | None] = [None] * len(batch)
    for column, name in _SUBSETS:
        if column in batch.schema.names:
            for i, member in enumerate(batch[column].to_pylist()):
                if member:
                    subsets[i] = name
    return subsets


def _read_languages(lines: pa.StructArray) -> list[str | None]:
    if lines.type.get_field_index("language") < 0:
        return [None] * len(lines)
    values = lines.field("language").to_pylist()
    return [value[0] if isinstance(value, list) and value else value or None for value in values]


def _read_batch(path: Path, reader: pa.ipc.RecordBatchFileReader, index: int) -> pa.RecordBatch:
    try:
        return reader.get_batch(index)
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"{path} is damaged ({_shorten(error)}): compile it again") from error


def _open(path: Path) -> pa.ipc.RecordBatchFileReader:
    try:
        stat = path.stat()
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror})") from error
    return _open_mapped(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=8)
def _open_mapped(path: Path, changed: int, size: int) -> pa.ipc.RecordBatchFileReader:
    """Return the opened file: opening costs more than reading a row, and a changed file is opened anew."""
    try:
        return pa.ipc.open_file(pa.memory_map(str(path), "r"))
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"{path} is not an Arrow IPC file, or an incomplete one ({_shorten(error)})") from error


def _find_indexed(path: Path) -> tuple[pa.ipc.RecordBatchFileReader, np.ndarray]:
    stat = path.stat()
    return _open_mapped(path, stat.st_mtime_ns, stat.st_size), _find_starts(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=8)
def _find_starts(path: Path, changed: int, size: int) -> np.ndarray:
    """Return the first row of each record batch, and the number of rows at the end."""
    reader = _open_mapped(path, changed, size)
    lengths = [_read_batch(path, reader, index).num_rows for index in range(reader.num_record_batches)]
    return np.cumsum([0, *lengths])


def _shorten(error: Exception) -> str:
    return str(error).splitlines()[0][:120] if str(error) else type(error).__name__
