"""A sweep that is resumed: failed jobs are tried again, finished ones and those that were ended early are not."""

import json
import shutil
from pathlib import Path

import pytest
from program import TINY, Ended, quoted, run_program

from uncial.runs.outcome import FAILED, FINISHED, PRUNED, read_outcomes

SHORT = (
    *TINY,
    "trainer.max_steps=1",
    "trainer.validations=1",
    "trainer.batch_width=1000",
    "callbacks.samples=0",
    "report.pictures=0",
)


@pytest.fixture(scope="module")
def mended(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Ended, Ended, dict[str, int]]:
    """A sweep over two sets of data of which the second is not there, the sweep resumed when it is, and the times of
    the first job's files in between. Read only."""
    root = tmp_path_factory.mktemp("mended")
    folder, there, absent = root / "sweep", root / "there", root / "absent"
    shutil.copytree(drawn / "page", there)
    swept = f"data.root={quoted(there)},{quoted(absent)}"
    first = run_program(folder, "-m", "data=page", swept, *SHORT, f"hydra.sweep.dir={quoted(folder)}")
    before = times_of(folder / "0")
    shutil.copytree(there, absent)
    return first, run_program(folder, "-m", f"resume={quoted(folder)}"), before


def times_of(folder: Path) -> dict[str, int]:
    """When each file was written, but for the log, in which Hydra announces the job that comes next."""
    files = [path for path in folder.iterdir() if path.is_file() and path.name != "log.txt"]
    return {path.name: path.stat().st_mtime_ns for path in files}


def states_of(folder: Path) -> dict[str, str]:
    return {name: outcome.state for name, outcome in read_outcomes(folder).items()}


def test_a_failed_job_is_tried_again_and_a_finished_one_is_not(mended):
    first, second, before = mended
    assert first.code == 1, first
    assert "1 of the 2 jobs failed" in first.output
    assert second.code == 0, second
    assert states_of(second.folder) == {"0": FINISHED, "1": FINISHED}
    assert (second.folder / "1" / "best.safetensors").is_file()
    assert "Job 0 is finished." in second.output
    assert "Job 1 is finished." not in second.output
    assert times_of(second.folder / "0") == before


def test_what_an_outcome_says_counts_and_not_what_else_is_left(mended, tmp_path):
    """One that was ended early has nothing left; one that failed behind its scores, as a disk was full, has. A job
    without an outcome and with all its scores was told of by nobody: it ended when the sweep did."""
    folder = tmp_path / "sweep"
    shutil.copytree(mended[1].folder, folder)
    for name, state in (("0", PRUNED), ("1", FAILED)):
        path = folder / name / "outcome.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "state": state, "error": "as was told"}))
    assert (folder / "1" / "metrics.json").is_file()
    before = times_of(folder / "0")
    again = run_program(folder, "-m", f"resume={quoted(folder)}")
    assert again.code == 0, again
    assert states_of(folder) == {"0": PRUNED, "1": FINISHED}
    assert "Job 1 is finished." not in again.output
    assert times_of(folder / "0") == before
    (folder / "1" / "outcome.json").unlink()
    before = times_of(folder / "1")
    assert "Job 1 is finished." in run_program(folder, "-m", f"resume={quoted(folder)}").output
    assert {name: times_of(folder / "1")[name] for name in before} == before
