"""Ctrl-C and SIGTERM during a training or a test end the program with their own exit codes."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from lightning.pytorch.utilities.exceptions import SIGTERMException

TERMINATED = 143
"""128 and the number of SIGTERM, as shells count."""


@contextmanager
def ending_by_signal() -> Iterator[None]:
    """Around a call of the Lightning Trainer.

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
