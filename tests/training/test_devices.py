"""Several devices: what several processes train is what one would, and a run ends as one whatever ends a part."""

import json
import os
import re
import shutil
import signal
import time
from pathlib import Path

import cv2
import pytest
import torch
from drawn_layouts import read_csv
from killing import differences, in_own_process, left_by, signalled_when
from program import Ended, run_program
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import distributed

from uncial.config.overrides import format_override
from uncial.errors import UserError
from uncial.training.distributed import launch as processes
from uncial.training.module import TrainingModule
from uncial.training.schedulers.length import RunLength

TWO = ("trainer=cpu", "trainer.devices=2")
MODEL = """
from torch import nn
from torch.nn import functional


class Strips(nn.Module):
    def __init__(self, in_channels, height, width=4, channels=8):
        super().__init__()
        self.width, self.out_channels, self.out_height = width, channels, 1
        self.look = nn.Conv2d(in_channels, channels, (height, 2 * width), stride=width, padding=(0, width))

    def forward(self, images, widths):
        missing = -images.shape[3] % self.width
        looked = self.look(functional.pad(images, (0, missing))).relu()
        return looked[..., :-1], (widths + self.width - 1) // self.width

    def frames(self, width):
        return -(-width // self.width)
"""
EXACT = (
    "data=page",
    "data.lines=23",
    "augmentation=none",
    "model/backbone=strips",
    "model.preprocessing.height=32",
    "model.head.hidden=8",
    "model.head.layers=1",
    "model.head.output_dropout=0",
    "model.shortcut=0",
    "optimizer.lr=1e-2",
    "trainer.max_steps=12",
    "trainer.validations=2",
    "trainer.log_every=1",
    "callbacks.samples=0",
    "callbacks.checkpoints.every_steps=5",
)
"""A model without batch normalisation and dropout. 23 lines leave a step of one line, which only one process has."""


@pytest.fixture(autouse=True, scope="module")
def forked():
    """Processes that have all imports behind them: the suite would spend most of its time on those."""
    cv2.setNumThreads(1)  # A pool of threads does not outlive a fork.
    before, processes.START = processes.START, "fork"
    yield
    processes.START = before


@pytest.fixture(scope="module")
def exact(drawn, tmp_path_factory) -> tuple[str, ...]:
    """What `run_program` takes to train the model without normalisation and dropout."""
    outside = tmp_path_factory.mktemp("outside")
    (outside / "my_joined_strips.py").write_text(MODEL, encoding="utf-8")
    config = outside / "my_conf/model/backbone/strips.yaml"
    config.parent.mkdir(parents=True)
    config.write_text("_target_: my_joined_strips.Strips\n_partial_: true\n", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(outside)
        yield ("--config-dir", str(outside / "my_conf"), *EXACT, f"data.root={drawn / 'page'}")


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> Path:
    """Runs beside each other share the store."""
    return tmp_path_factory.mktemp("devices")


@pytest.fixture(scope="module")
def one(exact, base) -> Ended:
    """One process with the batches of two. Read only."""
    ended = run_program(base / "one", *exact, "trainer.batch_width=1000", "trainer.max_lines=4")
    assert ended.code == 0, ended
    return ended


@pytest.fixture(scope="module")
def two(exact, base) -> Ended:
    """Two processes. Read only."""
    ended = run_program(base / "two", *exact, *TWO, "trainer.batch_width=500", "trainer.max_lines=2")
    assert ended.code == 0, ended
    return ended


def farthest(one: Path, other: Path) -> float:
    """How far weights of two models are apart at most."""
    first, second = load_file(one), load_file(other)
    assert first.keys() == second.keys()
    return max(float((first[name] - second[name]).abs().max()) for name in first)


def test_two_processes_train_the_model_that_one_with_twice_the_batch_trains(one, two):
    assert farthest(one.folder / "best.safetensors", two.folder / "best.safetensors") < 1e-5
    assert {path.name for path in one.folder.rglob("*")} - events(one.folder) == (
        {path.name for path in two.folder.rglob("*")} - events(two.folder)
    )
    assert len(events(two.folder)) == len(events(one.folder))
    rows, same = (read_csv(ended.folder / "metrics.csv") for ended in (one, two))
    assert len(rows) == len(same) > 12
    for row, twin in zip(rows, same, strict=True):
        assert row.keys() == twin.keys()
        for name in row:
            assert (row[name] == twin[name] == "") or float(row[name]) == pytest.approx(float(twin[name]), abs=1e-4)
    for name in ("cer", "wer", "loss", "cer_interval", "lines"):
        assert one.metrics["val"][name] == pytest.approx(two.metrics["val"][name], abs=1e-4), name
    told = one.metrics["train"], two.metrics["train"]
    assert told[0]["steps"] == told[1]["steps"] == 12
    assert told[0]["epochs"] == told[1]["epochs"]


def events(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("events.out*")}


def test_one_process_writes(two):
    log = two.read("log.txt").splitlines()
    assert len([line for line in log if "val CER" in line and "step 12" in line]) == 2
    assert len(read_csv(two.folder / "predictions.csv")) == two.metrics["val"]["lines"]
    assert json.loads(two.read("environment.json"))["device"]["devices"] == 2
    assert not list(two.folder.glob(".*"))


@pytest.fixture(scope="module")
def talkative(two, base) -> Path:
    """That model with other readings for other lines, which so short a training has not taught it."""
    with safe_open(two.folder / "best.safetensors", "pt") as file:
        weights, about = {name: file.get_tensor(name) for name in file.keys()}, file.metadata()  # noqa: SIM118
    output = next(weight for name, weight in weights.items() if name.endswith("decoder.output.weight"))
    output.copy_(torch.randn(output.shape, generator=torch.Generator().manual_seed(1)) * 30)
    save_file(weights, base / "talkative.safetensors", about)
    return base / "talkative.safetensors"


def test_equal_weights_give_equal_scores_on_any_number_of_devices(talkative, exact, base):
    arguments = (
        "task=test",
        f"checkpoint={talkative}",
        *exact[2:4],
        exact[-1],
        "data.subset=val",
        "trust=[my_joined_strips]",
    )
    options = ("trainer=cpu", "trainer.evaluation_max_lines=2")
    runs = [run_program(base / f"test_{n}", *exact[:2], *arguments, *options, f"trainer.devices={n}") for n in (1, 2)]
    assert all(ended.code == 0 for ended in runs), runs
    alone, together = runs
    for name in ("predictions.csv", "lines.jsonl", "scores.csv", "ketos.txt", "review.csv", "metrics.csv"):
        assert alone.read(name) == together.read(name), name
    scores, same = ({**ended.metrics["test"], "seconds": 0} for ended in runs)
    assert scores == same
    assert len({row["prediction"] for row in read_csv(alone.folder / "predictions.csv")}) > 1


@pytest.mark.parametrize("count", [1, 2])
def test_a_run_goes_on_with_any_number_of_processes(two, base, count):
    """From the middle of an epoch: no line is left out of it or comes twice."""
    folder = Path(shutil.copytree(two.folder, base / f"resumed_{count}"))
    shutil.copy(folder / "checkpoints/step_00000005.ckpt", folder / "last.ckpt")
    ended = run_program(folder, f"resume={folder}", f"trainer.devices={count}", "trust=[my_joined_strips]")
    assert ended.code == 0, ended
    assert farthest(two.folder / "best.safetensors", folder / "best.safetensors") < 1e-5
    assert ended.metrics["train"]["epochs"] == two.metrics["train"]["epochs"]
    if count == 2:
        shutil.copy(two.folder / "config.yaml", folder / "config.yaml")
        assert not differences(left_by(two.folder), left_by(folder))


def limited() -> None:
    """A run that hangs is killed."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(120)


def is_alive(process: int) -> bool:
    return not os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT)


def children(process: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


@pytest.mark.parametrize("rank", [0, 1])
def test_a_process_that_is_killed_ends_the_run_with_its_error(exact, base, rank):
    """Of the first one too, which is the one that would say how to go on."""
    folder = base / f"killed {rank}"

    def kill_one(process: int) -> None:
        while not (folder / "last.ckpt").is_file() and is_alive(process):
            time.sleep(0.01)
        os.kill(children(process)[rank - 2], signal.SIGKILL)

    code, told = in_own_process(folder, *exact, *TWO, "trainer.max_steps=100000", before=limited, beside=kill_one)
    assert code == 1, told
    assert f"Process {rank + 1} of 2 was killed (SIGKILL)" in told
    assert re.search(rf"trainer.devices. To resume: .*{re.escape(format_override('resume', folder))} 'trust=", told)
    assert "Traceback" not in told
    assert "sync_dist" not in told, "the scores that each process logs are those of all"


def test_a_time_budget_is_that_of_the_first_and_the_error_of_one_alone_ends_all(exact, base, monkeypatch):
    folder, fix, validate = base / "budget", RunLength._set_total_steps, TrainingModule.validation_step

    def fix_by_another_clock(self, trainer):
        self._measure_start -= 3 * distributed.get_rank()
        fix(self, trainer)

    def fail_at_the_end(self, *arguments):
        steps = self.trainer.global_step
        (base / f"steps_{distributed.get_rank()}.txt").write_text(f"{steps}\n")
        if steps and steps == self.trainer.fit_loop.max_steps and distributed.get_rank() == 1:
            raise UserError("only here.")
        return validate(self, *arguments)

    monkeypatch.setattr(RunLength, "_set_total_steps", fix_by_another_clock)
    monkeypatch.setattr(TrainingModule, "validation_step", fail_at_the_end)
    budget = ("trainer.max_steps=null", "trainer.time_budget=2", "scheduler.warmup_steps=3")
    code, told = in_own_process(folder, *exact, *TWO, *budget, before=limited)
    assert code == 1, told
    assert "Error: only here.\n" in told
    assert "Traceback" not in told
    log = (folder / "log.txt").read_text()
    assert re.search(rf"To resume: .*{re.escape(format_override('resume', folder))} 'trust=", log)
    steps = [(base / f"steps_{rank}.txt").read_text() for rank in (0, 1)]
    assert steps[0] == steps[1]


@pytest.mark.parametrize("number", [signal.SIGTERM])
def test_a_signal_ends_all_processes_with_its_code_and_a_state(exact, base, number):
    folder = base / f"stopped_{number}"
    beside = signalled_when(folder / "last.ckpt", number)
    code, told = in_own_process(folder, *exact, *TWO, "trainer.max_steps=100000", before=limited, beside=beside)
    assert code == 128 + number, told
    assert "Traceback" not in told
    assert told.count("Finishing this step, then stopping") == 1
    steps = torch.load(folder / "last.ckpt", weights_only=True)["global_step"]
    assert f"The state after step {steps} of 100000" in (folder / "log.txt").read_text()
