"""Ctrl-C and SIGTERM during a training or a test end the program with their own exit codes; SIGUSR2 leaves it to a
launcher of cluster jobs that listens to it."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from lightning.pytorch.utilities.exceptions import SIGTERMException

from uncial.termination import SAME_SIGNAL, TERMINATED, TIME_IS_UP, OutOfTime, is_free
from uncial.training.distributed.process_group import is_rank_zero, world_size

Handler = Callable[[int, FrameType | None], Any] | int | None


class StoppedBySignal(BaseException):
    """Takes a training that was asked to stop out of Lightning's loops."""


class StopRequest:
    """Keeps a first Ctrl-C or SIGTERM as a wish, `requested`, for the training to end when its step is finished; a
    second one ends it at once.

    SIGUSR2, by which a cluster says that the job's time will soon be up, is such a wish too where somebody listens to
    it. What comes with it, mostly SIGTERM, changes nothing then: the job is to be queued again, whichever came first.
    """

    def __init__(self) -> None:
        self.requested: signal.Signals | None = None
        self._requested_at = 0.0
        self._process = os.getpid()
        self._replaced: dict[signal.Signals, Handler] = {}

    def listen(self) -> None:
        """Take the two signals over, unless somebody else has done so already, as nohup; and a launcher's SIGUSR2.

        Lightning puts a handler of its own in place when its trainer starts; listening again takes it away.
        """
        if threading.current_thread() is not threading.main_thread():
            return
        for number in (signal.SIGINT, signal.SIGTERM):
            if number not in self._replaced and not is_free(number):
                continue
            self._replaced.setdefault(number, signal.getsignal(number))
            signal.signal(number, self._handle)
        if TIME_IS_UP not in self._replaced and callable(launcher := signal.getsignal(TIME_IS_UP)):
            self._replaced[TIME_IS_UP] = launcher
            signal.signal(TIME_IS_UP, self._handle)

    def release(self) -> None:
        """Put back what was there before."""
        for number, handler in self._replaced.items():
            signal.signal(number, handler)
        self._replaced = {}

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if os.getpid() != self._process:
            _leave_to_main_process(number)
        elif TIME_IS_UP in (number, self.requested):
            self.requested = TIME_IS_UP
        elif self.requested is None:
            self.requested, self._requested_at = signal.Signals(number), time.monotonic()
            if is_rank_zero():
                # print is not signal-safe.
                os.write(2, b"\nFinishing this step, then stopping. Ctrl-C again stops now.\n")
        elif world_size() == 1 or time.monotonic() - self._requested_at > SAME_SIGNAL:
            raise StoppedBySignal


def _leave_to_main_process(number: int) -> None:
    """In a loader process, which has inherited the handler: Ctrl-C reaches it too, SIGTERM is how it is ended."""
    if number == signal.SIGTERM:
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)


@contextmanager
def handle_signals() -> Iterator[StopRequest]:
    """Around a training: what comes of Ctrl-C and SIGTERM is in the interruption."""
    interruption = StopRequest()
    interruption.listen()
    try:
        yield interruption
    finally:
        interruption.release()


def exit_for_signal(number: signal.Signals) -> None:
    """Leave the program with the exit code of this signal, or to the launcher whose signal it is."""
    if number == TIME_IS_UP:
        raise OutOfTime(TERMINATED)
    if number == signal.SIGTERM:
        raise SystemExit(TERMINATED)
    raise KeyboardInterrupt


@contextmanager
def exit_on_signals() -> Iterator[None]:
    """Around a test of the Lightning Trainer.

    After Ctrl-C it exits with 1 and leaves further Ctrl-C ignored, after SIGTERM it exits with 0, as if all were done.
    """
    handler = signal.getsignal(signal.SIGINT)
    try:
        yield
    except SIGTERMException:
        raise SystemExit(TERMINATED) from None
    except SystemExit as left:
        if not isinstance(left.__context__, KeyboardInterrupt):
            raise
        signal.signal(signal.SIGINT, handler)
        raise KeyboardInterrupt from None
