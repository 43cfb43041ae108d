"""A compiled store that is not as it was written is told of, and one of an earlier version is read as before."""

import json

import numpy as np
import pyarrow as pa
import pytest
from program import TINY

from uncial.data.store.cache import is_complete
from uncial.data.store.store import METADATA_KEY, SCHEMA, Store, StoredLine, write_rows
from uncial.errors import UserError


def line(number: int, text: str = "some words") -> StoredLine:
    pixels = np.random.default_rng(number).integers(0, 255, (20, 90 + number % 7), dtype=np.uint8)
    page = f"page_{number // 9}"
    return StoredLine(page, f"l{number}", "", "", "", None, "", None, None, None, f"{text} {number}", pixels)


@pytest.fixture
def lines():
    return [line(number) for number in range(600)]


@pytest.fixture
def store(lines, tmp_path):
    path = tmp_path / "store.arrow"
    write_rows(path, lines, 1, "digest")
    return path


def alter(path, content: bytes, by: int = 0) -> None:
    """Turn one bit where `content` stands in the file."""
    data = bytearray(path.read_bytes())
    assert data.count(content) == 1
    data[data.index(content) + by] ^= 1
    path.write_bytes(data)


def test_a_whole_store_is_read_as_it_was_written(store, lines):
    opened = Store(store)
    for row in (0, 255, 256, 599, 0):
        assert np.array_equal(opened.strip(row), lines[row].strip)


@pytest.mark.parametrize("row", [0, 300, 599])
def test_an_altered_strip_is_named_and_the_others_are_read(store, lines, row):
    alter(store, lines[row].strip.tobytes(), by=1000)
    opened = Store(store)
    with pytest.raises(UserError, match=rf"line l{row} of page page_{row // 9} .*delete it"):
        opened.strip(row)
    other = (row + 1) % len(lines)
    assert np.array_equal(opened.strip(other), lines[other].strip)


def test_an_altered_text_is_told_when_the_store_is_opened_and_it_is_made_again(store):
    alter(store, b"some words 599", by=2)
    with pytest.raises(UserError, match="texts or names"):
        Store(store)
    assert not is_complete(store, "digest", Store)


def test_a_store_without_check_sums_is_read(store, lines, tmp_path):
    """As versions before wrote them."""
    opened, old = pa.ipc.open_file(store), tmp_path / "old.arrow"
    described = {METADATA_KEY: json.dumps({"version": 2, "channels": 1, "digest": "digest"}).encode()}
    with pa.OSFile(str(old), "wb") as file, pa.ipc.new_file(file, SCHEMA.with_metadata(described)) as writer:
        for number in range(opened.num_record_batches - 1):
            writer.write_batch(opened.get_batch(number))
        empty = pa.RecordBatch.from_pylist([], schema=SCHEMA)
        writer.write_batch(empty, custom_metadata={b"problems": b"[]", b"notes": b"[]"})
    assert is_complete(old, "digest", Store)
    assert np.array_equal(Store(old).strip(599), lines[599].strip)


@pytest.mark.parametrize("workers", [0, 1])
def test_a_training_on_an_altered_store_ends_in_one_sentence(run, drawn, tmp_path, workers):
    short = (*TINY, "data=page", f"data.root={drawn / 'page'}", "trainer.max_steps=2", f"trainer.workers={workers}")
    own = f"paths.store={tmp_path / 'own'}"
    assert run("task=compile", "data=page", f"data.root={drawn / 'page'}", own, into="compiled").code == 0
    (path,) = (tmp_path / "own").glob("*.arrow")
    for row in range(len(Store(path))):
        alter(path, Store(path).strip(row).tobytes(), by=40)
    ended = run("task=train", *short, own)
    assert ended.code == 1, ended
    last = ended.output.strip().splitlines()[-1]
    assert last.startswith(f"Error: {path} has changed since it was compiled")
    assert "Traceback" not in ended.output
    path.unlink()
    assert run("task=train", *short, own, into="again").code == 0
