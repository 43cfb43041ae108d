"""The compiled store: what was put in comes out, whole or not at all."""

import pickle
import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from uncial.data.lines.dataset import LineDataset
from uncial.data.lines.sampler import SampleIndex
from uncial.data.store.cache import is_complete
from uncial.data.store.store import ROWS_IN_A_BATCH, Store, StoredLine, StoreWriter, is_store, write_rows
from uncial.document import Issue
from uncial.errors import UserError
from uncial.models.preprocessing import Preprocessing
from uncial.text.codec import CharacterCodec
from uncial.text.rules import TextRules

LINE = StoredLine(
    page="book/p 1",
    line="l1",
    document="book",
    hand="",
    group="",
    subset=None,
    image_hash="00#0",
    region_type="MainZone",
    language=None,
    direction="rtl",
    text="ſé🙂\u0301",
    strip=np.arange(12, dtype=np.uint8).reshape(3, 4),
)

SIZES = st.integers(1, 20)


def strip(height, width, channels, seed):
    shape = (height, width) if channels == 1 else (height, width, channels)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(
    st.lists(st.tuples(st.integers(1, 9), st.integers(1, 30), st.text(max_size=5)), max_size=5), st.sampled_from([1, 3])
)
def test_lines_come_out_as_they_were_put_in(tmp_path, rows, channels):
    lines = [
        replace(
            LINE, line=f"l{i}", text=text.encode("utf-8", "replace").decode(), strip=strip(height, width, channels, i)
        )
        for i, (height, width, text) in enumerate(rows)
    ]
    write_rows(tmp_path / "s.arrow", lines, channels, "d")
    store = Store(tmp_path / "s.arrow")
    assert len(store) == len(lines)
    assert store.sizes().tolist() == [list(line.strip.shape[:2]) for line in lines]
    for row, line in enumerate(lines):
        assert np.array_equal(store.strip(row), line.strip)
        names = (
            "page",
            "line",
            "document",
            "hand",
            "group",
            "subset",
            "image_hash",
            "region_type",
            "direction",
            "text",
        )
        assert [store.value(row, name) for name in names] == [getattr(line, name) for name in names]


def test_rows_of_several_record_batches_keep_their_order(tmp_path):
    lines = [replace(LINE, line=f"l{i}", strip=strip(2, 3, 1, i)) for i in range(2 * ROWS_IN_A_BATCH + 3)]
    write_rows(tmp_path / "s.arrow", lines, 1, "d")
    store = Store(tmp_path / "s.arrow")
    assert store.column("line") == [line.line for line in lines]
    assert all(np.array_equal(store.strip(row), lines[row].strip) for row in (0, 255, 256, 512, 514))


def test_problems_and_notes_lie_in_the_store(tmp_path):
    problem, note = Issue("a.xml", "l1", "ß <&> 'x'"), Issue("b.xml", "", "turned")
    writer = StoreWriter(tmp_path / "s.arrow", 1, "d")
    writer.add(LINE)
    writer.close([problem], [note])
    store = Store(tmp_path / "s.arrow")
    assert (store.problems, store.notes) == ((problem,), (note,))
    assert len(store) == 1


def test_a_store_is_handed_to_a_worker_by_its_path(tmp_path):
    """A training process sends it to every loader; the pixels must not go along."""
    write_rows(tmp_path / "s.arrow", [replace(LINE, strip=strip(100, 1000, 1, 0))], 1, "d")
    pickled = pickle.dumps(Store(tmp_path / "s.arrow"))
    assert len(pickled) < 1000
    assert np.array_equal(pickle.loads(pickled).strip(0), strip(100, 1000, 1, 0))


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_lines_that_were_read_hold_no_memory(tmp_path):
    """A worker would else grow by all lines that it has ever read, to the size of the store."""

    def mapped():
        status = Path("/proc/self/status").read_text()
        return int(re.search(r"RssFile:\s+(\d+)", status)[1]) * 1024

    lines = [replace(LINE, strip=strip(1000, 1000, 1, i)) for i in range(40)]
    write_rows(tmp_path / "s.arrow", lines, 1, "d")
    store = Store(tmp_path / "s.arrow")
    dataset = LineDataset(store, np.arange(40), Preprocessing(), CharacterCodec.from_texts([LINE.text]), TextRules())
    before = mapped()
    for row in range(40):
        dataset.__getitems__([SampleIndex(row, 0)])
    assert mapped() < before + 10e6
    assert all(np.array_equal(store.strip(row), lines[row].strip) for row in range(40))
    assert mapped() > before + 30e6, "what is read is mapped until it is let go"


def test_who_changes_a_strip_changes_nobody_elses(tmp_path):
    write_rows(tmp_path / "s.arrow", [LINE], 1, "d")
    store = Store(tmp_path / "s.arrow")
    store.strip(0)[:] = 99
    assert np.array_equal(store.strip(0), LINE.strip)


@pytest.mark.parametrize("left", [0, 1, 100, 0.5, -1])
def test_a_torn_file_is_not_complete(tmp_path, left):
    path = tmp_path / "s.arrow"
    write_rows(path, [LINE] * 300, 1, "d")
    whole = path.read_bytes()
    assert is_complete(path, "d", Store)
    path.write_bytes(whole[: int(left * len(whole)) if isinstance(left, float) else left])
    assert not is_complete(path, "d", Store)
    with pytest.raises(UserError, match=r"s\.arrow.*(complete|compiled store)"):
        Store(path)


def test_a_store_of_other_inputs_is_not_the_one_wanted(tmp_path):
    write_rows(tmp_path / "s.arrow", [LINE], 1, "d")
    assert not is_complete(tmp_path / "s.arrow", "e", Store)
    assert not is_complete(tmp_path / "t.arrow", "d", Store)


def test_a_store_of_another_version_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr("uncial.data.store.store.FORMAT_VERSION", 99)
    write_rows(tmp_path / "s.arrow", [LINE], 1, "d")
    monkeypatch.undo()
    assert not is_complete(tmp_path / "s.arrow", "d", Store)
    with pytest.raises(UserError, match=r"format 99.*compile"):
        Store(tmp_path / "s.arrow")


def test_other_arrow_files_are_no_stores(tmp_path):
    path = tmp_path / "k.arrow"
    schema = pa.schema([("text", pa.string())])
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
        writer.write_batch(pa.RecordBatch.from_pylist([{"text": "a"}], schema=schema))
    assert not is_store(path)
    with pytest.raises(UserError, match="not a compiled store"):
        Store(path)


def test_nothing_lies_at_the_path_before_the_end_or_after_an_error(tmp_path):
    def lines():
        yield LINE
        assert not (tmp_path / "s.arrow").exists()
        raise ValueError

    with pytest.raises(ValueError):
        write_rows(tmp_path / "s.arrow", lines(), 1, "d")
    assert list(tmp_path.iterdir()) == []


def test_an_error_leaves_an_older_store_as_it_was(tmp_path):
    write_rows(tmp_path / "s.arrow", [LINE], 1, "d")
    writer = StoreWriter(tmp_path / "s.arrow", 1, "e")
    writer.add(LINE)
    writer.abandon()
    assert is_complete(tmp_path / "s.arrow", "d", Store)
