"""One process at a time uses a run's folder: a second one is refused, and a dead one holds nothing."""

import os
import subprocess
import sys
from contextlib import contextmanager

import pytest
from program import TINY, quoted

from uncial.errors import UserError
from uncial.runs.lock import hold_lock, is_locked

HOLD = """
import sys
from pathlib import Path
from uncial.runs.lock import hold_lock
with hold_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
print("free", flush=True)
"""


@contextmanager
def held(folder):
    """Another process that holds the folder until its input is closed."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_folder_that_another_process_holds_is_refused_and_the_process_named(tmp_path):
    with held(tmp_path) as other:
        assert is_locked(tmp_path)
        with pytest.raises(UserError, match=rf"is in use by process {other.pid} on .*: wait"), hold_lock(tmp_path):
            pytest.fail("two processes hold one folder")
        assert is_locked(tmp_path), "who was refused frees nothing"
        other.stdin.close()
        assert other.stdout.readline() == "free\n"
        other.wait()
        assert not is_locked(tmp_path)
        with hold_lock(tmp_path):
            pass
    assert list(tmp_path.iterdir()) == [], "no file is left of it"


def test_the_death_of_a_process_frees_its_folder(tmp_path):
    with held(tmp_path) as other:
        other.kill()
        other.wait()
        assert not is_locked(tmp_path)
        with hold_lock(tmp_path):
            assert f"process {os.getpid()} on " in next(tmp_path.iterdir()).read_text()


def test_a_run_that_is_used_is_not_resumed_before_it_is_free(run, drawn, tmp_path):
    short = ("trainer.batch_width=1000", "trainer.validations=1", "callbacks.samples=0", "report.pictures=0")
    typed = ("task=train", "data=page", f"data.root={quoted(drawn / 'page')}", *TINY, *short)
    first = run(*typed, "trainer.max_steps=1")
    assert first.code == 0, first
    resume = f"resume={quoted(first.folder)}"
    before = {path.name: path.stat().st_mtime_ns for path in first.folder.iterdir() if path.name != "log.txt"}
    with held(first.folder) as other:
        refused = run(resume)
        assert refused.code == 1, refused
        assert f"{first.folder} is in use by process {other.pid}" in refused.output
        assert {name: (first.folder / name).stat().st_mtime_ns for name in before} == before
    again = run(resume)
    assert "is finished" in again.output, again


def test_a_new_run_is_not_begun_in_a_folder_that_is_used(run, drawn, tmp_path):
    folder = tmp_path / "new"
    folder.mkdir()
    data = ("data=page", f"data.root={quoted(drawn / 'page')}")
    with held(folder) as other:
        refused = run("task=train", *data, *TINY, "trainer.max_steps=1", into="new")
    assert refused.code == 1, refused
    assert f"{folder} is in use by process {other.pid}" in refused.output
    assert not (folder / "last.ckpt").exists()


def test_resume_auto_passes_over_a_run_that_is_used(run, drawn, tmp_path):
    """It takes the newest unfinished run of the name that nobody uses, here none: a new one begins."""
    typed = (
        "task=train",
        "data=page",
        f"data.root={quoted(drawn / 'page')}",
        *TINY,
        "name=shared",
        f"paths.outputs={quoted(tmp_path)}",
        "trainer.batch_width=1000",
        "trainer.max_steps=3",
        "trainer.validations=1",
        "callbacks.samples=0",
    )
    broken = run(*typed, "+callbacks.more.fail={_target_: breaking.FailAfter, step: 2}", into="shared/first")
    assert broken.code != 0, broken
    assert (broken.folder / "last.ckpt").is_file()
    again = (*typed, "+callbacks.more.fail={_target_: breaking.FailAfter, step: 9}", "resume=auto")
    with held(broken.folder):
        beside = run(*again, into="shared/second")
    assert beside.code == 0, beside
    assert "No unfinished run" in beside.output
    assert (beside.folder / "best.safetensors").is_file()
