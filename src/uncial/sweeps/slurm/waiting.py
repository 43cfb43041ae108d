"""Waiting for the jobs of a sweep: until each has ended, or the sweep is stopped, which ends them."""

import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType
from typing import NoReturn

from uncial.sweeps.slurm import queue

TERMINATED = 143
"""The exit code after SIGTERM."""

PATIENCE = 3
"""How often in a row the queue has to know nothing of a job before it counts as lost."""


@dataclass(frozen=True)
class Submitted:
    """A job of the sweep: its number, its id in SLURM, and whether its result is there."""

    number: int
    id: str
    has_result: Callable[[], bool]


@dataclass(frozen=True)
class Lost:
    """A job that has ended without a result: the state in which the queue last knew it."""

    number: int
    state: str


def wait(jobs: Mapping[int, Submitted], poll: float, tell: Callable[[str], None]) -> Iterator[int | Lost]:
    """Yield each job's number when its result is there, or what became of it. `tell` hears how many wait and run."""
    left, told = dict(jobs), ""
    last: dict[str, str] = {}
    unseen: Counter[int] = Counter()
    looked = -poll
    while left:
        for number in [number for number, job in left.items() if job.has_result()]:
            del left[number]
            yield number
        if time.monotonic() - looked >= poll and left:
            looked = time.monotonic()
            found = queue.states()
            if found is not None:
                for number, job in list(left.items()):
                    state = found.get(job.id)
                    last[job.id] = state or last.get(job.id, "unknown to squeue")
                    unseen[number] = 0 if queue.is_in_queue(state) else unseen[number] + 1
                    # The result of a job that has just ended may take a moment to be seen from here.
                    if unseen[number] >= PATIENCE and not job.has_result():
                        del left[number]
                        yield Lost(number, last[job.id])
                text = standing([found.get(job.id, "") for job in left.values()], len(jobs) - len(left))
                if text != told:
                    told = text
                    tell(text)
        if left:
            time.sleep(min(1.0, poll))


def standing(states: list[str], ended: int) -> str:
    running = states.count(queue.RUNNING)
    return f"{running} running, {len(states) - running} waiting, {ended} ended"


@contextmanager
def ended_with_the_sweep(jobs: Mapping[int, Submitted], say: Callable[[], None]) -> Iterator[None]:
    """Around the waiting: whatever ends it early, Ctrl-C, SIGTERM or an error, takes the jobs out of SLURM's queue.
    Then `say` says what is missing."""
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    except BaseException:
        ids = [job.id for job in jobs.values()]
        print(f"Cancelling the jobs of the sweep in SLURM: {', '.join(ids)}", flush=True)
        queue.cancel(ids)
        # A second Ctrl-C does not wait for them.
        with suppress(KeyboardInterrupt):
            _wait_for_end(ids)
        say()
        raise
    finally:
        signal.signal(signal.SIGTERM, before)


def _wait_for_end(ids: list[str]) -> None:
    for _ in range(120):
        found = queue.states()
        if found is not None and not any(queue.is_in_queue(found.get(one)) for one in ids):
            return
        time.sleep(1)


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(TERMINATED)
