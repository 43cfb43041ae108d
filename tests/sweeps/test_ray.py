"""Sweeps through hydra/launcher=ray, on a Ray cluster of this machine."""

import importlib.util
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from program import QUIET, ROOT, TINY, quoted, run_program

from uncial.runs.outcome import FAILED, read_outcome

HAS_RAY = importlib.util.find_spec("ray") is not None
needs_ray = pytest.mark.skipif(not HAS_RAY, reason="ray is not installed: pip install '.[ray]'")
JOBS = "model.head.hidden=16,24"
SHORT = (
    *(key for key in TINY if "hidden" not in key),
    "trainer.batch_width=1000",
    "trainer.validations=2",
    "trainer.max_steps=300",
    "callbacks.checkpoints.every_steps=5",
)
ON_RAY = ("hydra/launcher=ray", "hydra.launcher.cpus=1", "hydra.launcher.parallel=1")


def program(output: Path, *arguments: str) -> subprocess.Popen:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}
    with output.open("wb") as file:
        command = [sys.executable, str(ROOT / "run.py"), *arguments]
        # A shell starts what it runs in the background with Ctrl-C ignored, and this would inherit that.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            return subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, cwd=output.parent, env=environment)
        finally:
            signal.signal(signal.SIGINT, before)


def until(condition: Callable[[], bool], process: subprocess.Popen, output: Path) -> None:
    while not condition():
        assert process.poll() is None, output.read_text()
        time.sleep(0.02)


def worker(name: str) -> int:
    """The process that Ray has given this name."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if (folder / "cmdline").read_bytes().startswith(f"ray::{name}".encode()):
                return int(folder.name)
        except OSError:
            continue
    raise AssertionError(f"no process of {name}")


@dataclass(frozen=True)
class Told:
    folder: Path
    stopped: tuple[int, str]
    lost: object
    completed: tuple[int, str]


@pytest.fixture(scope="module")
def arguments(drawn, tmp_path_factory) -> tuple[str, ...]:
    store = f"paths.store={tmp_path_factory.mktemp('store')}"
    return ("-m", *QUIET, "data=page", f"data.root={drawn / 'page'}", store, *SHORT, JOBS)


@pytest.fixture(scope="module")
def sweep(arguments, tmp_path_factory) -> Told:
    """Of two jobs one after the other the first is killed, and Ctrl-C comes in the second; then the sweep is
    completed. Read only."""
    root = tmp_path_factory.mktemp("ray")
    folder, output = root / "a sweep", root / "first.txt"
    process = program(output, *arguments, *ON_RAY, f"hydra.sweep.dir={quoted(folder)}")
    try:
        until((folder / "0" / "last.ckpt").exists, process, output)
        os.kill(worker("job 0"), signal.SIGKILL)
        until((folder / "1" / "last.ckpt").exists, process, output)
        process.send_signal(signal.SIGINT)
        stopped = process.wait(timeout=300), output.read_text()
        lost = read_outcome(folder / "0")
        again = root / "second.txt"
        process = program(again, "-m", f"resume={quoted(folder)}")
        return Told(folder, stopped, lost, (process.wait(timeout=400), again.read_text()))
    finally:
        if process.poll() is None:
            process.kill()


@needs_ray
def test_a_lost_job_has_failed_and_a_stopped_one_has_saved_its_state(sweep):
    code, output = sweep.stopped
    assert code == 130, output
    assert sweep.lost.state == FAILED
    assert "the job's process in Ray was lost" in sweep.lost.error
    assert "Stopping the jobs of the sweep in Ray: 1" in output
    assert "  1 model.head.hidden=24: not ended" in output
    assert "To complete the sweep: python run.py -m 'resume=" in output
    assert "The state after step" in (sweep.folder / "1/log.txt").read_text()


@needs_ray
def test_the_sweep_completed_by_ray_is_to_the_bit_that_of_the_basic_launcher(sweep, arguments, tmp_path):
    code, output = sweep.completed
    assert code == 0, output
    process = program(tmp_path / "local.txt", *arguments, f"hydra.sweep.dir={tmp_path / 'local'}")
    assert process.wait(timeout=400) == 0, (tmp_path / "local.txt").read_text()
    for job in "01":
        assert "Resuming " in (sweep.folder / job / "log.txt").read_text()
        names = [{path.name for path in (root / job).iterdir()} for root in (sweep.folder, tmp_path / "local")]
        assert names[0] == names[1]
        for name in ("best.safetensors", "predictions.csv", "metrics.csv", "outcome.json"):
            assert (sweep.folder / job / name).read_bytes() == (tmp_path / "local" / job / name).read_bytes(), name


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("hydra.launcher.parallel=0", "hydra.launcher.parallel=0: a whole number is needed"),
        ("hydra.launcher.cpus=x", "hydra.launcher.cpus=x: a number is needed"),
        ("hydra.launcher.gpu=1", "Did you mean hydra.launcher.gpus?"),
    ],
)
@needs_ray
def test_mistakes_end_in_one_sentence(typed, told, tmp_path):
    ended = run_program(tmp_path / "run", "-m", "hydra/launcher=ray", typed, f"hydra.sweep.dir={tmp_path / 'sweep'}")
    assert ended.code == 1
    assert told in ended.output.splitlines()[-1]


def test_without_the_package_it_is_said_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(sys.modules, "uncial.sweeps.ray_cluster", raising=False)
    monkeypatch.delattr("uncial.sweeps.ray_cluster", raising=False)
    ended = run_program(tmp_path / "run", "-m", "hydra/launcher=ray", f"hydra.sweep.dir={tmp_path / 'sweep'}")
    assert ended.code == 1
    assert re.fullmatch(r"Error: hydra/launcher=ray needs ray; install it: .*\[ray\]'", ended.output.splitlines()[-1])


def test_the_keys_of_the_config_are_those_of_the_settings():
    keys = yaml.safe_load((ROOT / "conf/hydra/launcher/ray.yaml").read_text(encoding="utf-8"))
    assert set(keys) == {"_target_", "address", "cpus", "gpus", "resources", "parallel"}
