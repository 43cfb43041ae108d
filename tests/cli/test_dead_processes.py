"""What processes that were killed were writing goes; nothing else does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from uncial.files import remove_unfinished, replace_file, replace_text_file


def _left_by_a_dead_process(path: Path) -> Path:
    """The unfinished file of a process that was killed while it replaced `path`."""
    program = (
        "import os, sys; from pathlib import Path; from uncial.files import replace_file\n"
        'with replace_file(Path(sys.argv[1])) as file: file.write_text("half"); print(file, flush=True);'
        "os.kill(os.getpid(), 9)"
    )
    told = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, check=False)
    return Path(told.stdout.strip())


def test_files_of_dead_processes_go_and_all_others_stay(tmp_path):
    dead = _left_by_a_dead_process(tmp_path / "a.b.xml")
    assert dead.is_file()
    other_machine = dead.with_name(dead.name.replace(dead.name.split("-")[1].split(".")[0], "00000000"))
    users = [tmp_path / name for name in (".notes.2024.txt", ".a.b.xml", ".a.99999999.xml", "a.b.xml", ".x-1.2")]
    for path in (other_machine, *users):
        path.write_text("kept", encoding="utf-8")
    with replace_file(tmp_path / "alive.txt") as alive:
        alive.write_text("alive", encoding="utf-8")
        remove_unfinished(tmp_path)
        assert alive.is_file()
    assert {path.name for path in tmp_path.iterdir()} == {
        "alive.txt",
        other_machine.name,
        *(path.name for path in users),
    }


def test_a_task_removes_what_a_dead_one_left_in_its_folder_and_output(run, trained, drawn, tmp_path):
    typed = ("task=predict", f"checkpoint={trained.folder}", f"predict.input={drawn / 'page'}")
    (tmp_path / "run").mkdir()
    (tmp_path / "out/page").mkdir(parents=True)
    left = [_left_by_a_dead_process(tmp_path / place) for place in ("run/metrics.json", "out/page/drawn_0003.xml")]
    mine = tmp_path / "out/page/.drawn_0003.2024.xml"
    mine.write_text("kept", encoding="utf-8")
    assert all(path.is_file() for path in left)
    ended = run(*typed, f"predict.output={tmp_path / 'out'}")
    assert ended.code == 0, ended
    assert not any(path.exists() for path in left)
    assert mine.is_file()


def test_stores_that_a_dead_process_began_go_and_one_that_is_being_written_stays(run, drawn, tmp_path):
    from filelock import FileLock

    store = tmp_path / "store"
    store.mkdir()
    dead, alive = (store / f"{digit * 20}.arrow.99999999.partial" for digit in "ab")
    mine = store / "notes.partial"
    for path in (dead, alive, mine):
        path.write_bytes(b"torn")
    with FileLock(store / f"{'b' * 20}.lock"):
        assert run("task=compile", "data=page", f"data.root={drawn / 'page'}").code == 0
    assert (dead.exists(), alive.exists(), mine.exists()) == (False, True, True)


@pytest.mark.parametrize("name", ["é" * 125 + ".xml", "x" * 255, "x" * 249 + ".jsonl"])
def test_a_name_may_be_as_long_as_the_file_system_allows(tmp_path, name):
    assert len(os.fsencode(name)) >= 254
    with replace_text_file(tmp_path / name) as file:
        file.write("whole")
    assert [path.name for path in tmp_path.iterdir()] == [name]
