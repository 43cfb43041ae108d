"""Processes for pages: none outlives the one that started it, and without them the pages are cut all the same."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from xml_samples import page_line, page_region, page_xml, put, put_image

from uncial.data.settings import SourceSettings, show_no_progress
from uncial.data.sources import xml as page
from uncial.data.store.compile import CompileSettings, hash_images, open_or_compile_store

SCRIPT = """
import os, sys, time
from pathlib import Path
from uncial.data.store.processes import make_page_processes

def work(folder):
    (Path(folder) / str(os.getpid())).touch()
    time.sleep(100)

if __name__ == "__main__":
    with make_page_processes(2) as pool:
        for _ in range(2):
            pool.submit(work, sys.argv[1])
"""


def runs(process: int) -> bool:
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return False
    return "State:\tZ" not in status  # ended, but not yet asked how by whoever inherited it


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="looks into /proc, which is Linux")
def test_they_end_with_the_process_that_is_killed(tmp_path):
    """They waited for pages that nobody gave them any more, until the machine was restarted."""
    script, found = tmp_path / "script.py", tmp_path / "found"
    script.write_text(SCRIPT)
    found.mkdir()
    with subprocess.Popen([sys.executable, str(script), str(found)]) as process:
        try:
            wait_for(lambda: len(list(found.iterdir())) == 2)
        finally:
            process.send_signal(signal.SIGKILL)
    wait_for(lambda: not any(runs(int(path.name)) for path in found.iterdir()))


class Deadly(CompileSettings):
    """Ends each process that it is sent to, as the system does where memory runs out."""

    def __reduce__(self):
        return os._exit, (1,)


def test_pages_are_cut_in_one_process_where_others_are_ended(tmp_path, caplog):
    for number in range(3):
        put(tmp_path / f"in/p{number}.xml", page_xml(page_region(page_line(f"text {number}")), image=f"p{number}.png"))
        put_image(tmp_path / f"in/p{number}.png", grey=150 + number)
    pages = page.read_page(SourceSettings("page", (str(tmp_path / "in"),))).pages
    store = open_or_compile_store(
        pages,
        hash_images(pages),
        Deadly(tmp_path / "store", workers=2),
        show_no_progress,
    )
    assert list(store.column("text")) == ["text 0", "text 1", "text 2"]
    assert "the others are cut in one process" in caplog.text
