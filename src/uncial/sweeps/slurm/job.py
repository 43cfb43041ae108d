"""What SLURM runs on a node: one job of a sweep."""

import logging
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any

from hydra.core.utils import JobReturn
from submitit import JobEnvironment
from submitit.helpers import DelayedSubmission

from uncial.sweeps.launch import LaunchContext
from uncial.termination import TIME_IS_UP, OutOfTime, SigtermHandler


@dataclass(frozen=True)
class ClusterJob:
    """Called on the node with a job's number, its overrides and the state of Hydra, again when the job was queued
    again. `folder` and `environment` are those of the command that was typed."""

    context: LaunchContext
    folder: str
    environment: Mapping[str, str]

    def __call__(self, number: int, overrides: Sequence[str], state: Any) -> JobReturn:
        os.chdir(self.folder)
        os.environ.update(self.environment)
        # It prints what it says itself; in the run's log.txt it would be out of place.
        logging.getLogger("submitit").propagate = False
        # submitit lets SIGTERM pass unheard; a task that is cancelled keeps what it has done.
        signal.signal(signal.SIGTERM, SigtermHandler())
        _only_here(TIME_IS_UP)
        try:
            return self.context.run_job(number, overrides, state, JobEnvironment().job_id)
        except OutOfTime:
            # Its folder is free and its loggers are closed: now submitit may have the job queued again, and leaves.
            signal.raise_signal(TIME_IS_UP)
            raise

    def checkpoint(self, *arguments: Any) -> DelayedSubmission:
        """What is to be called when the job runs again: the same, which finds its folder begun."""
        return DelayedSubmission(self, *arguments)


def _only_here(number: signal.Signals) -> None:
    """SLURM sends the signal to every process of a job. Loader processes, which have inherited its handler, would save
    and queue the job once more each."""
    own, before = os.getpid(), signal.getsignal(number)

    def handle(number: int, frame: FrameType | None) -> None:
        if os.getpid() == own and callable(before):
            before(number, frame)

    signal.signal(number, handle)
