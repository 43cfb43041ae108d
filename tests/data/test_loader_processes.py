"""Loader processes that cannot start, die or hang: the run ends in one sentence, and none of them is waited for without
end."""

import os
import resource
import signal
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from killing import in_own_process
from program import TINY, run_program
from small_models import make_batch
from torch.utils.data._utils import signal_handling

from uncial.data.lines import loader
from uncial.data.lines.dataset import Batch
from uncial.data.lines.loader import Signs, WatchedLoader, pack, report_lost_workers, send_signs_of_life, unpack
from uncial.errors import UserError

SHORT = (
    "data=page",
    *TINY,
    "data.ratio=[0.8,0.2,0]",
    "trainer.workers=2",
    "trainer.validations=1",
    "trainer.batch_width=500",
    "scheduler=constant",
    "scheduler.warmup_steps=1",
    "callbacks.samples=0",
)


def limited() -> None:
    """A run that hangs is killed."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(120)


def test_a_batch_comes_out_of_the_pipe_as_it_went_in():
    batch = make_batch([30, 40], 32)
    batch.loss_weight, batch.infeasible = 0.5, (1,)
    again = unpack(pack(batch))
    for name in Batch.__slots__:
        before, after = getattr(batch, name), getattr(again, name)
        same = torch.equal(before, after) if isinstance(before, torch.Tensor) else before == after
        assert same, name
    again.images += 1  # Not read-only.


def test_a_run_needs_neither_shared_memory_for_its_batches_nor_many_files(drawn, tmp_path):
    """Each batch of torch's own transport takes a file of shared memory, and two files of the main process."""

    def few_files() -> None:
        limited()
        resource.setrlimit(resource.RLIMIT_NOFILE, (len(list(Path("/proc/self/fd").iterdir())) + 50,) * 2)

    arguments = (*SHORT, f"data.root={drawn / 'page'}", "trainer.max_steps=12")
    code, told = in_own_process(tmp_path / "run", *arguments, before=few_files)
    assert code == 0, told


@pytest.mark.parametrize("left", [2, 9])
def test_processes_that_cannot_be_started_end_the_run_with_the_remedy(drawn, tmp_path, monkeypatch, left):
    """As in 64 kB of shared memory, where a queue finds no room for its semaphores."""
    context = torch.multiprocessing.get_context("fork")
    made = []

    def queue(*arguments, **named):
        made.append(1)
        if len(made) > left // 2:
            raise OSError(28, "No space left on device")
        return type(context).Queue(context, *arguments, **named)

    monkeypatch.setattr(context, "Queue", queue, raising=False)
    ended = run_program(tmp_path / "run", *SHORT, f"data.root={drawn / 'page'}", "trainer.max_steps=2")
    assert ended.code == 1, ended
    last = ended.output.strip().splitlines()[-1]
    assert "No space left on device" in last
    assert "trainer.workers=0" in last
    assert "Traceback" not in ended.output


def loader_processes(process: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def test_a_process_that_is_killed_ends_the_run_with_the_remedy_and_a_state(drawn, tmp_path):
    folder = tmp_path / "run"

    def kill_one(process: int) -> None:
        while not (folder / "last.ckpt").is_file():
            if os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                return
            time.sleep(0.01)
        os.kill(loader_processes(process)[0], signal.SIGKILL)

    def begin() -> None:
        limited()
        # Torch hears of the end of its processes once it has said so; another test may have taken that back since.
        signal_handling._SIGCHLD_handler_set = False

    code, told = in_own_process(
        folder, *SHORT, f"data.root={drawn / 'page'}", "trainer.max_steps=100000", before=begin, beside=kill_one
    )
    assert code == 1, told
    assert "A process that loads lines was killed (Killed)" in told
    assert "trainer.workers=0" in told
    assert "Traceback" not in told
    assert "To resume: python run.py resume=" in told


class Sleeping(torch.utils.data.Dataset):
    """Its first batch does not come: the process sleeps, or computes."""

    def __init__(self, seconds: float, computes: bool):
        self.seconds, self.computes = seconds, computes

    def __len__(self):
        return 4

    def __getitem__(self, place):
        end = time.monotonic() + self.seconds
        while self.computes and time.monotonic() < end:
            np.sort(np.random.default_rng(1).random(10_000))
        time.sleep(max(0.0, end - time.monotonic()))
        return make_batch([20], 8)


def watched(seconds: float, computes: bool) -> WatchedLoader:
    return WatchedLoader(
        Sleeping(seconds, computes),
        batch_size=1,
        num_workers=1,
        collate_fn=lambda batches: pack(batches[0]),
        multiprocessing_context="fork",
    )


def test_a_process_that_does_nothing_for_long_is_taken_to_hang(monkeypatch):
    monkeypatch.setattr(loader, "STALLED", 0.5)
    with pytest.raises(UserError, match=r"it hangs; trainer\.workers=0"):
        next(iter(watched(60.0, computes=False)))


def test_a_slow_one_is_waited_for(monkeypatch):
    monkeypatch.setattr(loader, "STALLED", 0.5)
    assert isinstance(next(iter(watched(7.0, computes=True))), Batch)


def test_one_that_waits_for_the_disk_is_waited_for_and_told_of(monkeypatch, caplog):
    monkeypatch.setattr(loader, "STALLED", 0.5)
    monkeypatch.setattr(loader, "TOLD", 0.5)
    monkeypatch.setattr(loader, "send_signs_of_life", lambda process: Signs(is_busy=True, work=(1,)))
    assert isinstance(next(iter(watched(7.0, computes=False))), Batch)
    assert "trainer.workers=0" in caplog.text


def test_signs_of_life_tell_work_from_rest():
    before = send_signs_of_life(os.getpid())
    assert before is not None
    assert before.is_busy
    end = time.process_time() + 0.05
    while time.process_time() < end:
        pass
    assert send_signs_of_life(os.getpid()) != before
    assert send_signs_of_life(2**30) is None


def test_an_error_of_something_else_stays_what_it_is():
    with pytest.raises(RuntimeError, match="other"), report_lost_workers():
        raise RuntimeError("other")


def test_they_go_when_the_run_is_killed(drawn, tmp_path):
    """Also with a batch on its way into a pipe that nobody reads any more."""
    folder, left = tmp_path / "run", []

    def kill(process: int) -> None:
        while not (folder / "last.ckpt").is_file():
            if os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                return
            time.sleep(0.01)
        left.extend(loader_processes(process))
        os.kill(process, signal.SIGKILL)

    code, told = in_own_process(
        folder, *SHORT, f"data.root={drawn / 'page'}", "trainer.max_steps=100000", before=limited, beside=kill
    )
    assert code == -signal.SIGKILL, told
    assert len(left) >= 2
    end = time.monotonic() + 60
    while any(map(runs, left)) and time.monotonic() < end:
        time.sleep(0.1)
    assert not any(map(runs, left))


def runs(process: int) -> bool:
    """Whether it is there, and not only its number, which nobody has asked for yet."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
