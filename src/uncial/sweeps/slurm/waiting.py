"""Waiting for the jobs of a sweep in SLURM's queue until each has ended, or the sweep is stopped, which ends them."""

import getpass
import os
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from uncial.sweeps.slurm import waiting as queue

ENDED = frozenset(
    ("BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "TIMEOUT", "REVOKED")
)
"""States from which a job does not come back; a failed node's job is listed as pending when it is to run again."""

RUNNING, PREEMPTED = "RUNNING", "PREEMPTED"


def has_slurm() -> bool:
    """Return whether jobs can be submitted from here."""
    return all(shutil.which(name) for name in ("sbatch", "squeue", "scancel"))


def query_states() -> dict[str, str] | None:
    """Return the state of each of the user's jobs that the queue still knows, by its id, `17` or `17_3` for the job of
    an array. None where the queue does not answer."""
    user = os.environ.get("USER") or getpass.getuser()
    command = ["squeue", "--noheader", "--array", f"--user={user}", "--states=all", "--format=%i|%T"]
    answer = _ask(command)
    if answer is None:
        return None
    return dict(line.strip().split("|", 1) for line in answer.splitlines() if "|" in line)


def is_in_queue(state: str | None) -> bool:
    return state is not None and state not in ENDED and state != PREEMPTED


def cancel_jobs(ids: Iterable[str]) -> None:
    """Take jobs out of the queue. They are asked to end first, and save their state."""
    names = sorted(set(ids))
    if names:
        _ask(["scancel", *names])


def _ask(command: Sequence[str]) -> str | None:
    try:
        found = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout


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
            found = queue.query_states()
            if found is not None:
                for number, job in list(left.items()):
                    state = found.get(job.id)
                    last[job.id] = state or last.get(job.id, "unknown to squeue")
                    unseen[number] = 0 if queue.is_in_queue(state) else unseen[number] + 1
                    # The result of a job that has just ended may take a moment to be seen from here.
                    if unseen[number] >= PATIENCE and not job.has_result():
                        del left[number]
                        yield Lost(number, last[job.id])
                text = describe_states([found.get(job.id, "") for job in left.values()], len(jobs) - len(left))
                if text != told:
                    told = text
                    tell(text)
        if left:
            time.sleep(min(1.0, poll))


def describe_states(states: list[str], ended: int) -> str:
    running = states.count(queue.RUNNING)
    return f"{running} running, {len(states) - running} waiting, {ended} ended"


def end(jobs: Iterable[Submitted]) -> None:
    """Take the jobs out of SLURM's queue, and wait until they have left it."""
    ids = [job.id for job in jobs]
    print(f"Cancelling the jobs of the sweep in SLURM: {', '.join(ids)}", flush=True)
    queue.cancel_jobs(ids)
    for _ in range(120):
        found = queue.query_states()
        if found is not None and not any(queue.is_in_queue(found.get(one)) for one in ids):
            return
        time.sleep(1)
