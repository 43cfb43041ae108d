"""Streams that are closed, full or ASCII, names that are not UTF-8, folders that cannot be written, SIGTERM:
no run ends in a traceback, and none loses its work at its end."""

import logging
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from program import QUIET, ROOT, TINY, quoted

import uncial.data.store.cache
from uncial.reports.terminal.console import LogFileHandler

LATIN1 = os.fsdecode("März".encode("latin-1"))


def in_a_shell(command: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    paths = os.pathsep.join(filter(None, [str(ROOT / "src"), os.environ.get("PYTHONPATH")]))
    surroundings = {"PATH": os.environ["PATH"], "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", **environment}
    return subprocess.run(["/bin/sh", "-c", command], capture_output=True, env=surroundings, check=False)


def test_outputs_that_are_closed_full_or_broken_end_no_run(trained, drawn, tmp_path):
    """With an encoding of few letters, a backend of matplotlib that is not installed, and no home."""
    for number, outputs in enumerate((">&- 2>&- <&-", "> /dev/full 2> /dev/full", "2>&1 | true")):
        run = tmp_path / f"run{number}"
        typed = f"task=predict checkpoint={trained.folder} predict.input={drawn / 'page'} hydra.run.dir={run}"
        program = f"{sys.executable} {ROOT / 'run.py'} {typed} trainer.threads=1"
        ended = in_a_shell(
            f"({program}; echo $? > {tmp_path / 'code'}) {outputs}",
            MPLBACKEND="module://matplotlib_inline.backend_inline",
            PYTHONIOENCODING="ascii",
            LC_ALL="C",
            PYTHONUTF8="0",
        )
        assert (tmp_path / "code").read_text() == "0\n", ended
        assert ended.stderr == b"", ended
        assert "reading: 36 lines" in (run / "log.txt").read_text(encoding="utf-8")
        assert (run / "review.csv").is_file()


def test_a_folder_that_is_gone_beneath_the_command_is_told(tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    ended = in_a_shell(f"cd {gone} && rmdir {gone} && {sys.executable} {ROOT / 'run.py'} task=inspect")
    assert ended.returncode == 1
    assert b"the folder in which the command was typed is gone" in ended.stderr
    assert b"Traceback" not in ended.stderr


def test_an_output_that_nobody_may_write_is_told_without_a_promise(run, trained, drawn):
    typed = (f"checkpoint={trained.folder}", f"predict.input={drawn / 'page'}", "predict.output=/proc/read")
    ended = run("task=predict", *typed)
    assert ended.code == 1, ended
    assert "choose another place with predict.output" in ended.output
    assert "make room" not in ended.output
    assert "is kept" not in ended.output


def test_a_full_disk_is_told_once_by_the_log(tmp_path, capsys):
    handler = LogFileHandler("/dev/full", delay=True)
    for _ in range(3):
        handler.handle(logging.makeLogRecord({"msg": f"a name {LATIN1}"}))
    handler.close()
    told = capsys.readouterr().err
    assert told.count("/dev/full cannot be written (No space left on device)") == 1
    assert "Traceback" not in told


@pytest.mark.parametrize("where", ["data", "run", "name", "store"])
def test_a_training_says_at_once_that_a_name_is_not_utf8(run, drawn, tmp_path, where):
    shutil.copytree(drawn / "page", tmp_path / LATIN1)
    data = tmp_path / LATIN1 if where == "data" else drawn / "page"
    more = {"name": [f"name={quoted(LATIN1)}"], "store": [f"paths.store={quoted(tmp_path / LATIN1)}"]}.get(where, [])
    into = LATIN1 if where == "run" else "run"
    ended = run("task=train", "data=page", f"data.root={quoted(data)}", *TINY, *more, into=into)
    assert ended.code == 1, ended
    assert len(ended.output.splitlines()) == 1
    assert "is not UTF-8" in ended.output
    assert "M\\udce4rz" in ended.output


def test_reading_takes_names_that_are_not_utf8(run, trained, drawn, tmp_path):
    shutil.copytree(drawn / "page", tmp_path / LATIN1)
    for kind in (".png", ".xml"):
        (path,) = (tmp_path / LATIN1).rglob(f"drawn_0003{kind}")
        path.rename(path.with_name(LATIN1 + kind))
    typed = ("task=predict", f"checkpoint={trained.folder}", f"predict.input={quoted(tmp_path / LATIN1)}")
    for form, output in (("xml", LATIN1), ("jsonl", f"{LATIN1}.jsonl"), ("tsv", f"{LATIN1}.tsv")):
        target = tmp_path / "out" / output
        ended = run(*typed, f"predict.format={form}", f"predict.output={quoted(target)}", into=f"{LATIN1}{form}")
        assert ended.code == 0, ended
        assert target.is_dir() if form == "xml" else len(target.read_text(encoding="utf-8").splitlines()) == 36
    shutil.copytree(trained.folder, tmp_path / f"model{LATIN1}")
    ended = run("task=predict", f"checkpoint={quoted(tmp_path / f'model{LATIN1}')}", *typed[2:], into="refused")
    assert ended.code == 1
    assert "is not UTF-8" in ended.output


def test_a_complete_store_is_used_where_nothing_can_be_written(run, drawn, tmp_path, monkeypatch):
    typed = ("task=inspect", "data=page", f"data.root={drawn / 'page'}")
    assert run(*typed).code == 0

    def refused(*arguments, **named):
        raise OSError(30, os.strerror(30), str(tmp_path / "store"))

    monkeypatch.setattr(uncial.data.store.cache, "FileLock", refused)
    assert run(*typed, into="again").code == 0
    ended = run(*typed, "data.max_height=64", into="other")
    assert ended.code == 1
    assert "Read-only file system" in ended.output
    assert "paths.store" in ended.output


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
@pytest.mark.parametrize("task", ["compile", "inspect", "test", "train", "audit"])
def test_a_signal_ends_each_task_with_its_code_and_leaves_no_half_file(
    run, trained, drawn, tmp_path, monkeypatch, task, number, code
):
    cut, pages = uncial.data.store.compile.cut_page, []

    def stopped(page, settings):
        pages.append(page)
        if len(pages) == 5:
            os.kill(os.getpid(), number)
        return cut(page, settings)

    monkeypatch.setattr(uncial.data.store.compile, "cut_page", stopped)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        model = () if task in ("compile", "train") else (f"checkpoint={trained.folder}",)
        ended = run(f"task={task}", "data=page", f"data.root={drawn / 'page'}", *model, *QUIET)
    finally:
        signal.signal(signal.SIGINT, before)
    assert ended.code == code, ended
    assert ended.output.splitlines()[-1] == "Stopped."
    assert "Traceback" not in ended.output
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    left = [path.name for path in tmp_path.rglob("*") if path.is_file() and path.suffix in (".partial", ".arrow")]
    assert left + [path.name for path in Path(ended.folder).glob(".*")] == []


LONG = "x" * 300


@pytest.mark.parametrize(
    "typed",
    [
        ("task=inspect", "data=page", "data.root={drawn}/page", f"paths.store={LONG}"),
        ("task=inspect", "data=page", f"data.root={LONG}"),
        ("task=predict", "checkpoint={trained}", f"predict.input={LONG}"),
        ("task=predict", "checkpoint={trained}", "predict.input={drawn}/page", f"predict.output={LONG}"),
        ("task=predict", f"checkpoint={LONG}", "predict.input={drawn}/page"),
        ("task=train", f"resume={LONG}"),
        ("task=dryrun", f"name={LONG}", "hydra.run.dir={drawn}/" + LONG),
    ],
    ids=lambda typed: typed[-1][:20],
)
def test_a_name_that_is_too_long_is_told_in_one_sentence(run, trained, drawn, typed):
    ended = run(*(argument.format(drawn=drawn, trained=trained.folder) for argument in typed))
    assert ended.code == 1, ended
    assert ended.output.startswith("Error: "), ended
    assert len(ended.output.splitlines()) == 1
