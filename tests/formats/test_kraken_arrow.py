"""kraken's compiled sets: rows without their pixels, and the image of one row."""

import pyarrow as pa
import pytest
from kraken_files import write_arrow

from uncial.errors import UnusableInput, UserError
from uncial.formats.lines.kraken_arrow import get_image_bytes, is_kraken, read_metadata, read_rows


def test_rows_and_images_across_batches(tmp_path):
    rows = [(f"t{i}", f"png{i}".encode(), "fr", None) for i in range(5)]
    path = write_arrow(tmp_path / "a b.arrow", rows)
    read = list(read_rows(path))
    assert [(row.row, row.text, row.language, row.subset, row.batch) for row in read] == [
        (i, f"t{i}", "fr", None, i // 2) for i in range(5)
    ]
    assert [get_image_bytes(path, i) for i in (4, 0, 3)] == [b"png4", b"png0", b"png3"]
    assert is_kraken(path)
    assert read_metadata(path)["im_mode"] == "L"


def test_the_stated_split_and_missing_values(tmp_path):
    rows = [
        ("a", b"1", None, "train"),
        ("b", b"", None, "validation"),
        (None, b"3", None, "test"),
        ("d", b"4", "", None),
    ]
    read = list(read_rows(write_arrow(tmp_path / "a.arrow", rows, batch=10)))
    assert [row.subset for row in read] == ["train", "val", "test", None]
    assert [row.has_image for row in read] == [True, False, True, True]
    assert [row.text for row in read] == ["a", "b", None, "d"]


def test_older_files_have_no_language_and_may_have_no_split(tmp_path):
    path = write_arrow(tmp_path / "a.arrow", [("a", b"1", None, None)], columns=(), language=False)
    assert [(row.text, row.language, row.subset) for row in read_rows(path)] == [("a", None, None)]


def test_a_rewritten_file_is_read_anew(tmp_path):
    path = write_arrow(tmp_path / "a.arrow", [("a", b"1", None, None)])
    assert get_image_bytes(path, 0) == b"1"
    path.unlink()
    write_arrow(path, [("bb", b"22", None, None)] * 2)
    assert get_image_bytes(path, 1) == b"22"


@pytest.mark.parametrize("row", [-1, 5])
def test_rows_that_do_not_exist(tmp_path, row):
    path = write_arrow(tmp_path / "a.arrow", [("a", b"1", None, None)] * 5)
    with pytest.raises(UnusableInput, match=f"has no row {row}: it holds 5"):
        get_image_bytes(path, row)


def test_files_of_another_kind(tmp_path):
    broken = tmp_path / "broken.arrow"
    broken.write_bytes(write_arrow(tmp_path / "a.arrow", [("a", b"1" * 500, None, None)]).read_bytes()[:-40])
    with pytest.raises(UserError, match=r"broken\.arrow is not an Arrow IPC file, or an incomplete one"):
        list(read_rows(broken))
    other = tmp_path / "other.arrow"
    table = pa.table({"x": [1]})
    with pa.OSFile(str(other), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write(table)
    assert not is_kraken(other)
    with pytest.raises(UserError, match="not one of kraken's"):
        list(read_rows(other))
