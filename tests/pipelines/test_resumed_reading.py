"""task=predict goes on where it was stopped or killed, and leaves what a reading at one go leaves."""

import fcntl
import os
import re
import shutil
import signal
from pathlib import Path

import pytest
from killing import in_own_process
from program import run_program

from uncial.models.files import load_model, save_model
from uncial.pipelines import page_copies
from uncial.pipelines.recognition import Transcriber

OUTPUTS = {"xml": "pages", "tsv": "table.tsv", "jsonl": "table.jsonl"}
TIME = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|\+00:00)?")


@pytest.fixture
def predict(run, trained, drawn, tmp_path, monkeypatch):
    """`predict(form, …, into=…)` reads the drawn pages file by file into the folder `out`, or where `output` says."""
    monkeypatch.setattr(page_copies, "MAX_LINES_IN_FLIGHT", 1)

    def predict(form, *more, output="out", source=drawn / "page", into="run"):
        target = () if output is None else (f"predict.output={tmp_path / output / OUTPUTS[form]}",)
        typed = ("task=predict", f"checkpoint={trained.folder}", f"predict.input={source}", f"predict.format={form}")
        return run(*typed, *target, *more, into=into)

    return predict


@pytest.fixture
def read_files(monkeypatch):
    """How many files are read, by a list that grows; `stop_at` says after how many `stop` is called."""
    return _watch(monkeypatch)


def _watch(monkeypatch):
    class Reads(list):
        stop_at: int | None = None
        stop = staticmethod(lambda: os.kill(os.getpid(), signal.SIGTERM))

    reads, read = Reads(), Transcriber.read

    def counted(self, strips):
        if reads.stop_at == len(reads):
            reads.stop()
        reads.append(1)
        return read(self, strips)

    monkeypatch.setattr(Transcriber, "read", counted)
    return reads


def contents(folder: Path) -> dict[str, bytes]:
    """All files below a folder, without the times at which lines were read."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): TIME.sub(b"TIME", path.read_bytes()) for path in files}


@pytest.mark.parametrize("form", OUTPUTS)
def test_a_reading_that_was_terminated_goes_on_with_the_pages_it_had_not_read(predict, form, tmp_path, read_files):
    whole = predict(form, output="whole", into="whole_run")
    assert whole.code == 0, whole
    for stopped_at in (1, 11) if form == "jsonl" else (5,):
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
        read_files.clear()
        read_files.stop_at = stopped_at
        stopped = predict(form, into=f"stopped{stopped_at}")
        assert stopped.code == 143, stopped
        assert "Traceback" not in stopped.output
        assert (f"{stopped_at} of 12 pages are read and kept" in stopped.output) == (stopped_at > 0)
        assert not (tmp_path / "out" / OUTPUTS[form]).is_file()
        assert list((tmp_path / "out").rglob(".*")) == []
        read_files.stop_at = None
        ended = predict(form, into=f"ended{stopped_at}")
        assert ended.code == 0, ended
        assert (f"{stopped_at} of 12 pages were read before" in ended.output) == (stopped_at > 0)
        assert len(read_files) == 12, "no page twice"
        assert contents(tmp_path / "out") == contents(tmp_path / "whole")
        for report in ("skipped.csv", "review.csv"):
            assert ended.read(report) == whole.read(report)


@pytest.mark.parametrize("form", ["xml", "jsonl"])
def test_what_a_kill_tears_is_dropped(predict, trained, drawn, form, tmp_path, monkeypatch, read_files):
    assert predict(form, output="whole", into="whole_run").code == 0
    target = f"predict.output={tmp_path / 'killed' / OUTPUTS[form]}"
    typed = (
        "task=predict",
        f"checkpoint={trained.folder}",
        f"predict.input={drawn / 'page'}",
        f"predict.format={form}",
    )

    def before():
        reads = _watch(monkeypatch)
        reads.stop_at, reads.stop = 6, lambda: os.kill(os.getpid(), signal.SIGKILL)

    assert (
        in_own_process(tmp_path / "run9", *typed, f"predict.format={form}", target, before=before)[0] == -signal.SIGKILL
    )
    journal = tmp_path / "killed" / f"{OUTPUTS[form]}.partial"
    rows = journal.read_bytes().splitlines(keepends=True)
    assert len(rows) == 7
    for torn in (rows[0][:9], b"".join(rows)[:-1], b"".join(rows[:3]) + b"\0" * 40):
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
        shutil.copytree(tmp_path / "killed", tmp_path / "out")
        (tmp_path / "out" / journal.name).write_bytes(torn)
        read_files.clear()
        ended = predict(form)
        assert ended.code == 0, ended
        assert len(read_files) == 12 - max(torn.count(b"\n") - 1, 0)
        assert contents(tmp_path / "out") == contents(tmp_path / "whole")


@pytest.mark.parametrize("form", ["xml", "tsv"])
def test_changed_pages_are_read_anew(predict, drawn, form, tmp_path, read_files):
    source = tmp_path / "in"
    shutil.copytree(drawn / "page", source)
    read_files.stop_at = 8
    assert predict(form, source=source).code == 143
    read_files.stop_at = None
    read_files.clear()
    shutil.copy(source / "drawn_0009.png", source / "drawn_0002.png")
    edited = source / "page/drawn_0004.xml"
    edited.write_text(edited.read_text(encoding="utf-8") + "<!-- edited -->", encoding="utf-8")
    (source / "page/drawn_0006.xml").unlink()
    ended = predict(form, source=source)
    assert "5 of 11 pages were read before" in ended.output
    assert len(read_files) == 6
    assert predict(form, source=source, output="whole").code == 0
    if form == "xml":
        (tmp_path / "out/pages/page/drawn_0006.xml").unlink()  # Written when there was such a page.
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_another_model_and_other_settings_begin_anew(predict, trained, tmp_path, read_files):
    recognizer, card = load_model(trained.folder / "best.safetensors")
    with_other_weights = tmp_path / "other.safetensors"
    recognizer.head.layers[0].weight_hh_l0.data.mul_(0.5)
    save_model(with_other_weights, recognizer, card)
    for number, other in enumerate((f"checkpoint={with_other_weights}", "data.max_height=20")):
        read_files.clear()
        read_files.stop_at = 5
        assert predict("jsonl", into=f"a{number}").code == 143
        read_files.stop_at = None
        read_files.clear()
        ended = predict("jsonl", other, into=f"b{number}")
        assert "all is read anew" in ended.output
        assert len(read_files) == 12
        assert predict("jsonl", other, output="whole", into=f"c{number}").code == 0
        assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_copies_that_somebody_has_changed_meanwhile_stay(predict, tmp_path, read_files):
    read_files.stop_at = 4
    assert predict("xml").code == 143
    read_files.stop_at = None
    read_files.clear()
    corrected, deleted = (tmp_path / f"out/pages/page/drawn_000{number}.xml" for number in (2, 3))
    corrected.write_text(corrected.read_text(encoding="utf-8") + "<!-- corrected -->", encoding="utf-8")
    deleted.unlink()
    ended = predict("xml")
    assert ended.code == 0, ended
    assert "changed since they were written" in ended.output
    assert str(corrected) in ended.output
    assert corrected.read_text(encoding="utf-8").endswith("<!-- corrected -->")
    assert deleted.is_file()
    assert len(read_files) == 9


@pytest.mark.parametrize("form", ["xml", "jsonl"])
def test_without_an_output_the_same_command_goes_on_in_the_same_folder(predict, form, tmp_path, read_files):
    read_files.stop_at = 4
    assert predict(form, output=None, into="outputs/first").code == 143
    read_files.stop_at = None
    other = predict(form, "data.max_height=20", output=None, into="outputs/other")
    assert "read before" not in other.output
    read_files.clear()
    ended = predict(form, output=None, into="outputs/second")
    assert ended.code == 0, ended
    assert len(read_files) == 8
    assert not (tmp_path / "outputs/second").exists()
    assert "4 of 12 pages were read before" in (tmp_path / "outputs/first/log.txt").read_text(encoding="utf-8")
    again = predict(form, output=None, into="outputs/third")
    assert "read before" not in again.output
    first, third = (contents(tmp_path / "outputs" / name) for name in ("first", "third"))
    for name in set(first) | set(third):
        if not name.endswith((".yaml", ".json", "log.txt")):
            assert first[name] == third[name]


def test_nobodys_file_is_taken_for_a_journal_and_two_processes_do_not_share_one(predict, tmp_path):
    mine = tmp_path / "out/table.tsv.partial"
    mine.parent.mkdir()
    mine.write_text("my own notes\n", encoding="utf-8")
    ended = predict("tsv")
    assert (ended.code, mine.read_text(encoding="utf-8")) == (1, "my own notes\n")
    assert "table.tsv.partial is no unfinished reading" in ended.output
    mine.write_bytes(b"")
    holder = os.fork()
    if not holder:
        with mine.open("r+b") as file:
            fcntl.lockf(file, fcntl.LOCK_EX)
            (tmp_path / "held").touch()
            signal.pause()
    while not (tmp_path / "held").exists():
        pass
    try:
        ended = predict("tsv")
    finally:
        os.kill(holder, signal.SIGKILL)
        os.waitpid(holder, 0)
    assert ended.code == 1
    assert "is being written by another process" in ended.output


def test_a_reading_that_fails_before_it_begins_leaves_nothing(trained, drawn, tmp_path, monkeypatch):
    monkeypatch.setattr(Transcriber, "read", lambda self, strips: os.kill(os.getpid(), signal.SIGINT))
    monkeypatch.setattr(signal, "getsignal", signal.getsignal)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        typed = ("task=predict", f"checkpoint={trained.folder}", f"predict.input={drawn / 'page'}")
        ended = run_program(tmp_path / "run", *typed, f"predict.output={tmp_path / 'out/pages'}")
    finally:
        signal.signal(signal.SIGINT, before)
    assert ended.code == 130, ended
    assert list((tmp_path / "out").iterdir()) == []
