"""hydra/launcher=joblib: the jobs of a sweep side by side, each in a process of its own."""

import pytest
from program import TINY, quoted, run_program

from uncial.runs.outcome import FAILED, FINISHED, read_outcomes

SHORT = (*TINY, "trainer.max_steps=2", "trainer.validations=1", "trainer.batch_width=1000", "callbacks.samples=0")
SWEPT = "optimizer.lr=1e-3,-1,2e-3"


@pytest.fixture(scope="module")
def swept(drawn, tmp_path_factory):
    """The same three jobs one after another, and two at a time. Read only."""

    def sweep(name, *more):
        folder = tmp_path_factory.mktemp(name) / "sweep"
        typed = ("-m", "data=page", f"data.root={drawn / 'page'}", *SHORT, SWEPT, f"hydra.sweep.dir={quoted(folder)}")
        return run_program(folder, *typed, *more)

    return sweep("alone"), sweep("beside", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2")


def test_jobs_side_by_side_leave_what_they_leave_one_after_another(swept):
    alone, beside = (ended.folder for ended in swept)
    for job in ("0", "2"):
        for name in ("best.safetensors", "predictions.csv", "splits.csv"):
            assert (alone / job / name).read_bytes() == (beside / job / name).read_bytes(), f"{job}/{name}"
    assert sorted(path.name for path in beside.iterdir()) == sorted(path.name for path in alone.iterdir())


def test_a_job_that_fails_beside_others_is_told_and_takes_none_down(swept):
    _, beside = swept
    assert beside.code == 1
    states = {name: outcome.state for name, outcome in read_outcomes(beside.folder).items()}
    assert states == {"0": FINISHED, "1": FAILED, "2": FINISHED}
    assert "Error: 1 of the 3 jobs failed" in beside.output
    assert "optimizer.lr=-1: a number is needed that is 0 or more" in beside.output
    assert "Traceback" not in beside.output
