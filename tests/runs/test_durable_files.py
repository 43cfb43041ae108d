"""What takes the place of a file is on the disk by then: a machine that goes down leaves the old one or the new one."""

import os
from dataclasses import dataclass
from pathlib import Path

import pytest
from program import TINY, quoted

from uncial.files import hardlink_or_copy, replace_file, replace_text_file


@dataclass(frozen=True)
class Replaced:
    """A file that took the place of another, and whether its content of then had been written through."""

    path: Path
    is_durable: bool


@pytest.fixture
def replaced(monkeypatch, tmp_path):
    """All files below the test's folder that take a place while the test runs."""
    found, written_through = [], {}
    sync, replace = os.fsync, os.replace

    def content_of(status):
        return status.st_size, status.st_mtime_ns

    def recording_sync(descriptor):
        sync(descriptor)
        status = os.fstat(descriptor)
        written_through[status.st_dev, status.st_ino] = content_of(status)

    def recording_replace(source, target, **keys):
        status = Path(source).stat()
        if Path(target).is_relative_to(tmp_path):
            is_durable = written_through.get((status.st_dev, status.st_ino)) == content_of(status)
            found.append(Replaced(Path(target), is_durable))
        replace(source, target, **keys)

    monkeypatch.setattr(os, "fsync", recording_sync)
    monkeypatch.setattr(os, "replace", recording_replace)
    return found


def test_each_way_of_replacing_a_file_writes_it_through_first(tmp_path, replaced):
    with replace_file(tmp_path / "bytes") as part:
        part.write_bytes(b"new")
    with replace_text_file(tmp_path / "text") as file:
        file.write("new" * 100_000)
    hardlink_or_copy(tmp_path / "text", tmp_path / "link")
    assert [(one.path.name, one.is_durable) for one in replaced] == [("bytes", True), ("text", True), ("link", True)]


def test_a_copy_where_the_disk_knows_no_links_is_written_through(tmp_path, replaced, monkeypatch):
    (tmp_path / "first").write_bytes(b"x" * 100_000)

    def refuse(*_):
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    hardlink_or_copy(tmp_path / "first", tmp_path / "second")
    assert [one.is_durable for one in replaced] == [True]


def test_all_that_a_training_and_a_reading_leave_is_written_through(run, drawn, tmp_path, replaced):
    trained = run(
        "task=train",
        "data=page",
        f"data.root={quoted(drawn / 'page')}",
        *TINY,
        "trainer.batch_width=500",
        "trainer.max_steps=3",
        "trainer.validations=2",
        "callbacks.checkpoints.keep_best=1",
    )
    assert trained.code == 0, trained
    read = run(
        "task=predict",
        f"checkpoint={quoted(trained.folder)}",
        f"predict.input={quoted(drawn / 'page')}",
        f"predict.output={quoted(tmp_path / 'read')}",
        into="reading",
    )
    assert read.code == 0, read
    assert [str(one.path) for one in replaced if not one.is_durable] == []
    names = {one.path.name for one in replaced}
    assert {"best.safetensors", "last.ckpt", "metrics.json", "report.html", "curves.png", "predictions.csv"} <= names
    assert any(name.endswith(".arrow") for name in names)
    assert any(name.startswith("step_") for name in names)
    assert sum(one.path.suffix == ".xml" for one in replaced) == 12
