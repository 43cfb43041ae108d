"""What SLURM's queue says of jobs, and taking jobs out of it."""

import getpass
import os
import shutil
import subprocess
from collections.abc import Iterable, Sequence

ENDED = frozenset(
    ("BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "TIMEOUT", "REVOKED")
)
"""States from which a job does not come back; a failed node's job is listed as pending when it is to run again."""

RUNNING, PREEMPTED = "RUNNING", "PREEMPTED"


def has_slurm() -> bool:
    """Whether jobs can be submitted from here."""
    return all(shutil.which(name) for name in ("sbatch", "squeue", "scancel"))


def states() -> dict[str, str] | None:
    """The state of each of the user's jobs that the queue still knows, by its id, `17` or `17_3` for the job of an
    array. None where the queue does not answer."""
    user = os.environ.get("USER") or getpass.getuser()
    command = ["squeue", "--noheader", "--array", f"--user={user}", "--states=all", "--format=%i|%T"]
    answer = _ask(command)
    if answer is None:
        return None
    return dict(line.strip().split("|", 1) for line in answer.splitlines() if "|" in line)


def is_in_queue(state: str | None) -> bool:
    return state is not None and state not in ENDED and state != PREEMPTED


def cancel(ids: Iterable[str]) -> None:
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
