"""Sweeps on the SLURM of .ci/slurm: jobs whose time is up, that are cancelled, and whose results are the local ones."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from program import QUIET, ROOT, TINY, quoted

pytestmark = [
    pytest.mark.slurm,
    pytest.mark.skipif("UNCIAL_SLURM" not in os.environ, reason="no SLURM to submit to: make test-slurm starts one"),
]

SWEPT = "model.head.hidden=16,24"
SHORT = (*(key for key in TINY if "hidden" not in key), "trainer.batch_width=1000", "trainer.validations=2")
SMALL_JOBS = ("hydra/launcher=slurm", "hydra.launcher.memory=2G", "hydra.launcher.cpus=1", "hydra.launcher.poll=1")
STEPS = 80


@dataclass
class Command:
    """`python run.py` as it runs beside the test; `output` is the file that it writes to."""

    process: subprocess.Popen[bytes]
    output: Path

    def end(self) -> tuple[int, str]:
        return self.process.wait(timeout=400), self.output.read_text(encoding="utf-8")


@contextmanager
def typed(output: Path, *arguments: str) -> Iterator[Command]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "WANDB_MODE": "offline", "OMP_NUM_THREADS": "1"}
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "run.py"), *arguments],
            stdout=file,
            stderr=subprocess.STDOUT,
            cwd=output.parent,
            env=environment,
        )
    try:
        yield Command(process, output)
    finally:
        if process.poll() is None:
            process.kill()


def run(output: Path, *arguments: str) -> tuple[int, str]:
    with typed(output, *arguments) as command:
        return command.end()


def slurm(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def queued() -> list[str]:
    return slurm("squeue", "--noheader", "--array", "--format=%i").split()


def until(condition: Callable[[], object], what: str, command: Command | None = None) -> None:
    for _ in range(6000):
        if condition():
            return
        if command is not None and command.process.poll() is not None:
            break
        time.sleep(0.02)
    told = "" if command is None else command.output.read_text(encoding="utf-8")
    pytest.fail(f"waited in vain until {what}\n{told}")


def training_process(folder: Path) -> int:
    return int((folder / ".lock").read_text(encoding="utf-8").split()[1])


def hold(command: Command, folder: Path) -> int:
    """Stops the training in `folder` at one of its first steps, and returns its process."""
    until((folder / "last.ckpt").exists, f"{folder} trains", command)
    process = training_process(folder)
    os.kill(process, signal.SIGSTOP)
    return process


def minutes_run(job: str) -> int:
    *_, minutes, _ = slurm("squeue", "--noheader", f"--jobs={job}", "--format=%M").strip().split(":")
    return int(minutes)


def is_held(process: int) -> bool:
    status = Path(f"/proc/{process}/status")
    try:
        return "State:\tT" in status.read_text(encoding="utf-8")
    except OSError:
        return False


@pytest.fixture(scope="module")
def data(drawn, tmp_path_factory) -> tuple[str, ...]:
    store = tmp_path_factory.mktemp("store")
    return (
        *QUIET,
        "trainer.workers=1",
        "data=page",
        f"data.root={drawn / 'page'}",
        f"paths.store={store}",
        *SHORT,
        f"trainer.max_steps={STEPS}",
    )


@dataclass(frozen=True)
class Told:
    """What a sweep through SLURM and its completion ended with, and the W&B runs of a job before and after its
    time was up."""

    folder: Path
    stopped: tuple[int, str]
    left: list[str]
    completed: tuple[int, str]
    wandb: tuple[str, str]


@pytest.fixture(scope="module")
def sweep(data, tmp_path_factory) -> Told:
    """Two jobs: the time of the first is up when it has begun, and it goes on; the second still trains when the sweep
    is stopped by Ctrl-C. Then the sweep is completed. Read only."""
    root = tmp_path_factory.mktemp("cluster")
    folder = root / "a sweep"

    def wandb() -> str:
        return json.loads((folder / "0" / "wandb.json").read_text(encoding="utf-8"))["id"]

    more = (*SMALL_JOBS, "logger=wandb", f"hydra.sweep.dir={quoted(folder)}")
    with typed(root / "first.txt", "-m", *data, SWEPT, *more) as command:
        first = hold(command, folder / "0")
        hold(command, folder / "1")
        before = wandb()
        job = next(path.name for path in (folder / "slurm").glob("*_0"))
        slurm("scontrol", "update", f"JobId={job}", f"TimeLimit={minutes_run(job) + 2}")
        # SLURM continues what it tells that the time is up.
        until(lambda: not is_held(first), "the time of the first job is up", command)
        slurm("scontrol", "update", f"JobId={job}", "TimeLimit=60")
        until((folder / "0" / "outcome.json").exists, "the first job is finished", command)
        command.process.send_signal(signal.SIGINT)
        stopped = command.end()
    left, after = queued(), wandb()
    return Told(folder, stopped, left, run(root / "second.txt", "-m", f"resume={quoted(folder)}"), (before, after))


def test_a_stopped_sweep_leaves_no_job_and_says_what_is_missing(sweep):
    code, output = sweep.stopped
    assert code == 130, output
    assert sweep.left == []
    assert "1 of the 2 jobs did not finish, the others are finished." in output
    assert "  1 model.head.hidden=24: not ended" in output
    assert "To complete the sweep: python run.py -m 'resume=" in output


def test_it_is_completed_by_the_same_launcher(sweep):
    code, output = sweep.completed
    assert code == 0, output
    assert "Job 1 is " in output
    assert "Job 0 is " not in output


def test_a_job_whose_time_was_up_went_on_in_its_folder_and_its_run_of_wandb(sweep):
    log = (sweep.folder / "0" / "log.txt").read_text(encoding="utf-8")
    assert f"Resuming {sweep.folder / '0'} from step" in log
    assert "Resuming " in (sweep.folder / "1" / "log.txt").read_text(encoding="utf-8")
    assert sweep.wandb[0] == sweep.wandb[1]


def test_its_results_are_to_the_bit_those_of_the_sweep_run_here(sweep, data, tmp_path):
    folder = tmp_path / "local"
    code, output = run(tmp_path / "local.txt", "-m", *data, SWEPT, f"hydra.sweep.dir={folder}")
    assert code == 0, output
    for job in "01":
        for name in ("best.safetensors", "predictions.csv", "metrics.csv"):
            assert (folder / job / name).read_bytes() == (sweep.folder / job / name).read_bytes(), f"{job}/{name}"


def test_a_job_that_is_cancelled_in_slurm_is_told_and_sigterm_ends_the_others(data, tmp_path):
    folder = tmp_path / "sweep"
    held = ("hydra.launcher.options={hold: true}", f"hydra.sweep.dir={folder}")
    with typed(tmp_path / "held.txt", "-m", *data, SWEPT, *SMALL_JOBS, *held) as command:
        until(lambda: len(queued()) == 2, "the jobs are queued", command)
        again = run(tmp_path / "again.txt", "-m", f"resume={folder}")
        assert again[0] == 1
        assert "2 jobs of the sweep in" in again[1]
        slurm("scancel", next(job for job in queued() if job.endswith("_1")))
        until((folder / "1" / "outcome.json").exists, "the cancelled job is noticed", command)
        command.process.terminate()
        code, output = command.end()
    assert code == 143, output
    assert queued() == []
    assert "1 of the 2 jobs failed, 1 did not finish" in output
    assert "  1 model.head.hidden=24: the job was cancelled in SLURM" in output


def test_what_slurm_refuses_is_said_in_one_sentence(data, tmp_path):
    where = ("hydra.launcher.partition=nowhere", f"hydra.sweep.dir={tmp_path / 'sweep'}")
    code, output = run(tmp_path / "refused.txt", "-m", *data, SWEPT, *SMALL_JOBS, *where)
    assert code == 1
    assert "Error: SLURM does not take the jobs: " in output.splitlines()[-1]
    assert "partition" in output.splitlines()[-1]
    assert "Traceback" not in output


def test_every_option_of_a_dry_run_is_one_that_sbatch_takes(tmp_path):
    keys = {
        "partition": "gpu",
        "account": "letters",
        "qos": "night",
        "gpus": "1",
        "cpus": "2",
        "memory": "4G",
        "mail": "me@here.org",
        "options": "{nice: 100, exclusive: true}",
    }
    more = ("hydra/launcher=slurm", *(f"hydra.launcher.{key}={value}" for key, value in keys.items()))
    code, output = run(tmp_path / "dry.txt", "-m", "task=dryrun", "seed=1,2", *more, f"hydra.sweep.dir={tmp_path}/dry")
    assert code == 0, output
    script = tmp_path / "script.sh"
    script.write_text(output[output.index("#!/bin/bash") : output.index("\nJob 0 would be")], encoding="utf-8")
    tested = subprocess.run(["sbatch", "--test-only", script], capture_output=True, text=True)
    assert tested.returncode == 0, tested.stderr
    assert "in partition gpu" in tested.stderr
