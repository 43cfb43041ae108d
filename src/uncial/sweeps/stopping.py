"""What becomes of the jobs on a cluster when the command that waits for them is stopped."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

from uncial.sweeps.callback import failures
from uncial.termination import TERMINATED


@contextmanager
def ended_with_the_sweep(end: Callable[[], None], sweep: Path) -> Iterator[None]:
    """Around waiting for jobs: whatever ends it early, Ctrl-C, SIGTERM or an error, calls `end`, which ends them too,
    and then says which are missing in the sweep's folder."""
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    except BaseException:
        # A second Ctrl-C does not wait for them.
        with suppress(KeyboardInterrupt):
            end()
        print(failures(sweep), flush=True)
        raise
    finally:
        signal.signal(signal.SIGTERM, before)


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(TERMINATED)
