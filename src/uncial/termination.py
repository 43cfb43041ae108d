"""SIGTERM ends every task as Ctrl-C does, by an exception that lets each file that is being written be put away; and
how a cluster says that a job is near its time limit."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

TERMINATED = 143
"""128 and the number of SIGTERM, as shells count."""

SAME_SIGNAL = 0.5
"""Seconds in which a process may get one signal twice: for itself, and as one of all in a group or job."""


class Terminated(SystemExit):
    """Takes the program out of whatever it does when SIGTERM comes."""


class SigtermHandler:
    """Raises `Terminated` at a first SIGTERM; a second one ends the process at once."""

    def __init__(self) -> None:
        self._process = os.getpid()
        self._requested_at: float | None = None

    def __call__(self, number: int, frame: object) -> None:
        if os.getpid() != self._process:
            # A forked process has inherited the handler, and SIGTERM is how its parent ends it.
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        elif self._requested_at is None:
            self._requested_at = time.monotonic()
            raise Terminated(TERMINATED)
        elif time.monotonic() - self._requested_at > SAME_SIGNAL:
            os._exit(TERMINATED)


@contextmanager
def sigterm_raises() -> Iterator[None]:
    """Let SIGTERM raise `Terminated`, unless somebody else listens to it already, as a launcher of jobs or nohup."""
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, SigtermHandler())
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def is_free(number: signal.Signals) -> bool:
    """Return whether nobody but this program listens to SIGINT or SIGTERM, so that a training may."""
    handler = signal.getsignal(number)
    default = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
    return handler is default or handler == default or isinstance(handler, SigtermHandler)


TIME_IS_UP = signal.SIGUSR2
"""What submitit lets SLURM send before a job reaches its time limit."""


class OutOfTime(SystemExit):
    """Takes a job that has saved its state out of the program, to the launcher, which has it queued again."""
