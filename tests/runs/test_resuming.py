"""Resuming a run: whatever has stopped it, it ends as if nothing had, to the bit; and what may be changed."""

import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import pytest
import yaml
from drawn_layouts import read_csv
from killing import differences, in_own_process, killed_after, left_by
from program import TINY, Ended, run_program

from uncial.models.files import load_model

ARGUMENTS = (
    "task=train",
    "data=page",
    "data.lines=20",
    *TINY,
    "trainer.batch_width=500",
    "trainer.max_steps=8",
    "trainer.validations=3",
    "trainer.accumulate=2",
    "trainer.patience=5",
    "scheduler=plateau",
    "scheduler.patience=1",
    "freeze=[backbone]",
    "freeze_for=3_steps",
    "callbacks.samples=0",
    "callbacks.ema=0.8",
    "callbacks.watchdog=help",
    "callbacks.checkpoints.every_steps=3",
    "callbacks.checkpoints.keep_last=1",
    "callbacks.checkpoints.keep_best=1",
)
"""What has to go on in all its parts: dropout, augmentation, accumulation, a schedule, patience and a watchdog that
remember, and averaged weights."""


@dataclass(frozen=True)
class Whole:
    """A run that was never stopped. Read only. `seconds` of a processor were spent on it."""

    arguments: tuple[str, ...]
    folder: Path
    seconds: float


@pytest.fixture(scope="module")
def whole(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Whole:
    base = tmp_path_factory.mktemp("resuming")
    arguments = (*ARGUMENTS, f"data.root={drawn / 'page'}")
    # Imports and the compiled store are for all.
    run_program(base / "first", *arguments, "trainer.max_steps=1", "trainer.validations=1", "trainer.accumulate=1")
    began = time.process_time()
    ended = run_program(base / "whole", *arguments)
    assert ended.code == 0, ended
    return Whole(arguments, ended.folder, time.process_time() - began)


@pytest.fixture
def stopped(whole: Whole, request: pytest.FixtureRequest) -> Path:
    """The folder of a run that is to be stopped, beside the whole one so that they share the store."""
    return whole.folder.parent / request.node.name.replace("[", "_").replace("]", "").replace("=", "_")


@pytest.fixture
def copied(whole: Whole, tmp_path: Path) -> Path:
    """A copy of the whole run."""
    return Path(shutil.copytree(whole.folder, tmp_path / "copied"))


def resume(folder: Path, *typed: str) -> Ended:
    return run_program(folder, f"resume={folder}", *typed)


def assert_nothing_tells_that_it_was_stopped(folder: Path, whole: Whole, workers: int = 0) -> None:
    """Nothing but the number of workers, which the run without a stop did without."""
    config = (folder / "config.yaml").read_text().replace(f"workers: {workers}", "workers: 0")
    (folder / "config.yaml").write_text(config)
    assert not differences(left_by(whole.folder), left_by(folder))
    assert {path.name for path in folder.iterdir()} == {path.name for path in whole.folder.iterdir()}


@pytest.mark.parametrize("workers", [0, 2])
def test_a_run_that_was_killed_anywhere_ends_as_if_it_had_not_been(whole, stopped, workers):
    """A failure prints the moments, as shares of the whole run's time: `UNCIAL_KILLED_AT=0.31,0.7` repeats them."""
    arguments: tuple[str, ...] = (*whole.arguments, f"trainer.workers={workers}")
    stated = os.environ.get("UNCIAL_KILLED_AT")
    shares = [float(share) for share in stated.split(",")] if stated else [random.uniform(0.2, 1) for _ in range(2)]
    for share in shares:
        code, told = in_own_process(stopped, *arguments, before=killed_after(share * whole.seconds))
        print(f"killed at {share:.4f} of {whole.seconds:.3f} s of processor time: exit code {code}")
        assert code in (-signal.SIGPROF, 0), told
        if code == 0:
            break
        if (stopped / "config.yaml").is_file():
            arguments = (f"resume={stopped}", f"trainer.workers={workers}")
    else:
        ended = run_program(stopped, *arguments)
        assert ended.code == 0 or "is finished" in ended.output, ended
    assert_nothing_tells_that_it_was_stopped(stopped, whole, workers)


def killed_in_validation(number: int) -> Callable[[], object]:
    """Kills the process at the first batch of the training's validation of this number, from 1."""

    def begin() -> None:
        from uncial.training.module import TrainingModule

        step, validations = TrainingModule.validation_step, iter(range(1, 10**6))

        def stepping(module, batch, batch_idx):
            if not module.trainer.sanity_checking and batch_idx == 0 and next(validations) == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return step(module, batch, batch_idx)

        patch.object(TrainingModule, "validation_step", stepping).start()

    return begin


@pytest.mark.parametrize(("number", "workers"), [(1, 0), (1, 2), (2, 0), (3, 0)])
def test_a_run_killed_in_a_validation_makes_it_and_goes_on(whole, stopped, number, workers):
    """The first one is at the end of an epoch, the others are within one, the last after the last step."""
    code, told = in_own_process(stopped, *whole.arguments, before=killed_in_validation(number))
    assert code == -signal.SIGKILL, told
    ended = resume(stopped, f"trainer.workers={workers}")
    assert ended.code == 0, ended
    assert_nothing_tells_that_it_was_stopped(stopped, whole, workers)


def failing_at(call: int) -> Callable[[], object]:
    """An error in the training's batch of this number, from 1."""

    def fail() -> None:
        raise RuntimeError("a fault in the midst of a step")

    return before_batch(call, fail)


def signalled_at(call: int, number: signal.Signals) -> Callable[[], object]:
    """A signal in the training's batch of this number, from 1."""
    return before_batch(call, lambda: os.kill(os.getpid(), number))


def before_batch(call: int, happen: Callable[[], object]) -> Callable[[], object]:
    from uncial.training.module import TrainingModule

    step, calls = TrainingModule.training_step, iter(range(1, 10**6))

    def stepping(module, batch, batch_idx):
        if next(calls) == call:
            happen()
        return step(module, batch, batch_idx)

    return patch.object(TrainingModule, "training_step", stepping).start


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_run_with_its_code_a_model_and_what_to_type(whole, stopped, number):
    """It comes in the fifth step; the first validation was after the third."""
    code, told = in_own_process(stopped, *whole.arguments, before=signalled_at(9, number))
    assert code == 128 + number, told
    assert "Traceback" not in told
    assert f"resume={stopped}" in (stopped / "log.txt").read_text()
    load_model(stopped / "best.safetensors")
    ended = resume(stopped)
    assert ended.code == 0, ended
    assert_nothing_tells_that_it_was_stopped(stopped, whole)


def test_an_error_leaves_the_state_of_the_step_that_it_came_in(whole, stopped):
    """The second batch of the fifth step: its first one has moved the statistics of normalisations already."""
    code, _ = in_own_process(stopped, *whole.arguments, before=failing_at(9))
    assert code != 0
    assert left_by(stopped)["run"]["steps"] == 4
    ended = resume(stopped)
    assert ended.code == 0, ended
    assert_nothing_tells_that_it_was_stopped(stopped, whole)


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("optimizer.lr=1e-4", "optimizer.lr is"),
        ("seed=2", "seed is 1 there and would be 2"),
        ("model=kraken", "model=kraken would change the run"),
        ("trainer.accumulate=1", "trainer.accumulate is 2 there and would be 1"),
        ("trainer.max_epochs=3", "trainer.max_steps=8"),
        ("+optimizer.foreach=false", "optimizer.foreach is null there and would be false"),
    ],
)
def test_what_would_change_the_run_is_refused_with_the_reason(copied, typed, told):
    before = (copied / "config.yaml").read_bytes()
    ended = resume(copied, typed)
    assert ended.code == 1, ended
    last = ended.output.strip().splitlines()[-1]
    assert last.startswith("Error: ")
    assert told in last
    assert (copied / "config.yaml").read_bytes() == before


def test_a_finished_run_says_so(copied):
    ended = resume(copied)
    assert ended.code == 1, ended
    last = ended.output.strip().splitlines()[-1]
    assert "is finished (8 steps)" in last
    assert "pretrained=" in last
    assert "trainer.max_epochs" not in last, "its length is that of trainer.max_steps"


def test_other_data_are_refused(copied, tmp_path):
    (copied / "metrics.json").unlink()
    shutil.copytree(yaml.safe_load((copied / "config.yaml").read_text())["data"]["root"], tmp_path / "pages")
    xml = next((tmp_path / "pages" / "page").glob("*.xml"))
    xml.write_text(xml.read_text(encoding="utf-8").replace("<Unicode>", "<Unicode>x", 1), encoding="utf-8")
    ended = resume(copied, f"data.root={tmp_path / 'pages'}")
    assert ended.code == 1, ended
    assert "are not those that the run" in ended.output.strip().splitlines()[-1]


@pytest.mark.parametrize("damage", ["cut", "changed"])
def test_a_damaged_state_is_never_picked(copied, damage):
    content = (copied / "last.ckpt").read_bytes()
    middle = len(content) // 2
    torn = content[:middle] if damage == "cut" else content[:middle] + bytes(200) + content[middle + 200 :]
    (copied / "last.ckpt").write_bytes(torn)
    for path in (copied / "checkpoints").iterdir():
        if path.name != "step_00000006.ckpt":
            path.unlink()
    # Refused before anything is trained, but after the state was chosen.
    ended = resume(copied, "trainer.accelerator=none")
    assert "from step 6 of 8" in ended.output, ended
    assert "last.ckpt" in ended.output


@pytest.mark.parametrize("folder", ["nowhere", "."])
def test_a_folder_without_a_run_is_named(tmp_path, folder):
    ended = run_program(tmp_path / "run", f"resume={tmp_path / folder}")
    assert ended.code == 1, ended
    assert f"resume={tmp_path / folder}" in ended.output


@pytest.mark.parametrize("content", [b"a: [1\n", b"\xff\xfe\x00", b"- 1\n"])
def test_a_config_that_is_damaged_is_named(tmp_path, content):
    (tmp_path / "config.yaml").write_bytes(content)
    ended = run_program(tmp_path / "run", f"resume={tmp_path}")
    assert ended.code == 1, ended
    assert ended.output.strip().splitlines()[-1].startswith(f"Error: {tmp_path / 'config.yaml'} ")


@pytest.mark.parametrize("name", ["last.ckpt", "checkpoints/step_00000006.ckpt"])
def test_a_checkpoint_is_exported_as_the_model_that_it_holds(whole, tmp_path, name):
    ended = run_program(tmp_path / "run", "task=export", "format=safetensors", f"checkpoint={whole.folder / name}")
    assert ended.code == 0, ended
    of_checkpoint, exported = load_model(whole.folder / name), load_model(tmp_path / "run" / "model.safetensors")
    assert exported[1] == of_checkpoint[1]
    assert not differences(exported[0].state_dict(), of_checkpoint[0].state_dict())


def test_an_export_replaces_nothing(whole, tmp_path):
    (tmp_path / "mine.safetensors").write_text("mine")
    typed = ("task=export", f"checkpoint={whole.folder}", f"output={tmp_path / 'mine.safetensors'}")
    ended = run_program(tmp_path / "run", *typed)
    assert ended.code == 1, ended
    assert "exists already" in ended.output.strip().splitlines()[-1]
    assert (tmp_path / "mine.safetensors").read_text() == "mine"


def test_the_copies_that_are_kept_are_the_last_and_the_best(whole):
    """Of the copies every 3 steps the last one, and the best of the validations."""
    kept = {int(path.stem.removeprefix("step_")) for path in (whole.folder / "checkpoints").iterdir()}
    rows = [row for row in read_csv(whole.folder / "metrics.csv") if row["val/cer"]]
    best = min(rows, key=lambda row: float(row["val/cer"]))
    assert kept == {6, int(best["step"])}


def test_auto_goes_on_with_the_unfinished_run_and_else_begins_one(whole, stopped):
    """The run goes on in the folder that it has, whatever its date; once it is finished another one begins."""
    outputs = (f"paths.outputs={stopped}", "name=mine", "resume=auto")
    short = (*whole.arguments, *outputs, "trainer.max_steps=2", "trainer.validations=1")
    first, second = stopped / "mine" / "a", stopped / "mine" / "b"
    code, _ = in_own_process(first, *short, before=failing_at(3))
    assert code != 0
    assert (first / "last.ckpt").is_file()
    other = run_program(second, *short, "optimizer.lr=1e-4", "trainer.max_steps=1")
    assert "starting a new one" in other.output, other
    ended = run_program(stopped / "mine" / "c", *short)
    assert ended.code == 0, ended
    assert (first / "metrics.json").is_file()
    assert not (stopped / "mine" / "c").exists()
