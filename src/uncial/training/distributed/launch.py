"""One process for each device: started, watched over, and ended together.

The process that the user started is none of them. It waits, passes signals on, and tells how it ended, so that it
depends on no device and on no other process whether a run comes to its end.
"""

import logging
import multiprocessing
import os
import pickle
import signal
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread, current_thread, main_thread
from typing import Any

from uncial.errors import UserError
from uncial.termination import is_free
from uncial.training.distributed.process_group import WorkerSpec, join_process_group
from uncial.training.distributed.signals import TIME_IS_UP, StoppedBySignal, exit_for_signal

START = "spawn"
"""How processes begin: anew, for neither CUDA nor OpenMP outlives a fork."""

GRACE = 10.0
"""Seconds that the others have to end when one has failed."""

DEFAULTS: dict[int, Any] = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
"""The signals that end a run, and what handles them in Python where nobody has taken them over."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class WorkerResult:
    """How a process ended, at `time` (seconds of the monotonic clock): with a `value`, by an `error`, as one that was
    stopped by the signal `stopped`, or without a word, with an exit code that is negative for a signal."""

    time: float
    value: Any = None
    error: Exception | None = None
    stopped: int | None = None
    exit_code: int | None = None

    @property
    def is_done(self) -> bool:
        return self.error is None and self.stopped is None and self.exit_code is None


class LostProcessError(UserError):
    """A process that could say nothing any more, not even how to go on."""


@dataclass
class _Worker:
    process: BaseProcess
    answers: Connection
    result: WorkerResult | None = None


def launch_workers(kind: str, numbers: Sequence[int], function: Callable[..., Any], *arguments: Any) -> Any:
    """Calls the function in one process for each device and returns what the first returns.

    `kind` and `numbers` are those of `Devices`; function, arguments and result have to be picklable. Within it the
    processes can speak to each other by torch.distributed (`process_group`). As soon as one fails or dies all are
    ended and its error is raised; a signal ends all, and is raised as in one process.
    """
    with TemporaryDirectory(prefix="uncial_") as folder:
        specs = [
            WorkerSpec(rank, len(numbers), kind, number, Path(folder) / "store") for rank, number in enumerate(numbers)
        ]
        workers: list[_Worker] = []
        try:
            with _forward_signals(workers) as (handled, forwarded):
                for spec in specs:
                    workers.append(_start_worker(spec, handled, function, arguments))
                _wait_for(workers)
        finally:
            _kill(workers)
    results = [worker.result for worker in workers]
    if all(result is not None and result.is_done for result in results):
        return results[0].value if results[0] else None
    stopped = [result.stopped for result in results if result and result.stopped]
    if signals := forwarded or stopped:
        exit_for_signal(TIME_IS_UP if TIME_IS_UP in signals else signal.Signals(signals[0]))
    raise find_first_error(results)


def find_first_error(results: Sequence[WorkerResult | None]) -> Exception:
    """Return the error of the process that began it: when one is gone the others fail too, because it no longer
    answers. None stands for a process that had to be ended."""
    known = [result for result in results if result is not None and result.error is not None]
    errors = [result.error for result in sorted(known, key=lambda result: result.time) if result.error is not None]
    for error in errors:
        if isinstance(error, UserError):
            return error
    for rank, result in enumerate(results):
        if result is not None and result.exit_code is not None:
            return LostProcessError(
                f"Process {rank + 1} of {len(results)} {_describe_exit(result.exit_code)}, and the run with it. Often "
                "the memory was not enough: lower trainer.batch_width, trainer.workers or trainer.devices."
            )
    return errors[0]


def _describe_exit(exit_code: int) -> str:
    if exit_code >= 0:
        return f"left with exit code {exit_code}"
    try:
        return f"was killed ({signal.Signals(-exit_code).name})"
    except ValueError:
        return f"was killed (signal {-exit_code})"


def _start_worker(
    spec: WorkerSpec, handled: Sequence[int], function: Callable[..., Any], arguments: Sequence[Any]
) -> _Worker:
    # Of C++ errors alone: DistributedDataParallel warns of what it was message to expect.
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    context: Any = multiprocessing.get_context(START)
    answers, answer = context.Pipe(duplex=False)
    work = (spec, os.getpid(), tuple(handled), answer, function, tuple(arguments))
    process = context.Process(target=_run_worker, args=work, name=f"process {spec.rank + 1}")
    resource_tracker.ensure_running()  # Its own start would let the signals through.
    signal.pthread_sigmask(signal.SIG_BLOCK, (*DEFAULTS, TIME_IS_UP))  # Until the process can do something about them.
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (*DEFAULTS, TIME_IS_UP))
    answer.close()
    return _Worker(process, answers)


def _wait_for(workers: Sequence[_Worker]) -> None:
    """Returns when all have ended, at the latest some seconds after one has failed."""
    deadline = None
    while open_ones := [worker for worker in workers if worker.result is None]:
        # By its exit code too: a loader process that outlives it keeps its end of the pipe open.
        dead = {id(worker): worker.process.exitcode for worker in open_ones}
        ready = wait([worker.answers for worker in open_ones], timeout=0.1)
        for worker in open_ones:
            if worker.answers in ready:
                worker.result = _receive_result(worker)
            elif (exit_code := dead[id(worker)]) is not None:
                worker.result = WorkerResult(time.monotonic(), exit_code=exit_code)
        failed = any(worker.result is not None and not worker.result.is_done for worker in workers)
        if failed and deadline is None:
            deadline = time.monotonic() + GRACE
        if deadline is not None and time.monotonic() > deadline:
            return


def _receive_result(worker: _Worker) -> WorkerResult:
    try:
        result: WorkerResult = pickle.loads(worker.answers.recv_bytes())
    except EOFError:
        worker.process.join()
        return WorkerResult(time.monotonic(), exit_code=worker.process.exitcode)
    return result


def _kill(workers: Sequence[_Worker]) -> None:
    for worker in workers:
        if worker.result is None or not worker.result.is_done:
            worker.process.kill()
        worker.process.join(GRACE)
        if worker.process.exitcode is None:
            worker.process.kill()
            worker.process.join()
        worker.answers.close()


@contextmanager
def _forward_signals(workers: Sequence[_Worker]) -> Iterator[tuple[list[int], list[int]]]:
    """Yield the signals that are forwarded to the workers, and those that have been so far. One that somebody else has
    taken over, a launcher of cluster jobs or nohup, is left to them."""
    forwarded: list[int] = []
    replaced: dict[int, Any] = {}

    def forward(number: int, frame: object) -> None:
        forwarded.append(number)
        for worker in workers:
            if worker.result is None and worker.process.pid is not None and worker.process.exitcode is None:
                os.kill(worker.process.pid, number)

    if current_thread() is main_thread():
        for ending in (signal.SIGINT, signal.SIGTERM):
            if is_free(ending):
                replaced[ending] = signal.signal(ending, forward)
        if callable(signal.getsignal(TIME_IS_UP)):
            replaced[TIME_IS_UP] = signal.signal(TIME_IS_UP, forward)
    try:
        yield list(replaced), forwarded
    finally:
        for number, handler in replaced.items():
            signal.signal(number, handler)


def _run_worker(
    spec: WorkerSpec,
    parent: int,
    handled: Sequence[int],
    answer: Connection,
    function: Callable[..., Any],
    arguments: Sequence[Any],
) -> None:
    """What each process does: its part, and then it says how that ended."""
    os.setsid()  # Else Ctrl-C reached it twice: from the terminal and from the process that passes it on.
    for number, default in DEFAULTS.items():
        signal.signal(number, default if number in handled else signal.SIG_IGN)
    signal.signal(TIME_IS_UP, _leave_to_launcher if TIME_IS_UP in handled else signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (*DEFAULTS, TIME_IS_UP))
    Thread(target=_exit_with_parent, args=(parent,), daemon=True).start()
    try:
        with join_process_group(spec):
            result = WorkerResult(time.monotonic(), value=function(*arguments))
    except KeyboardInterrupt:
        result = WorkerResult(time.monotonic(), stopped=signal.SIGINT)
    except (SystemExit, StoppedBySignal) as left:
        code = left.code if isinstance(left, SystemExit) and isinstance(left.code, int) else 128 + signal.SIGTERM
        result = WorkerResult(time.monotonic(), stopped=code - 128)
    except Exception as error:
        if not isinstance(error, UserError):
            error.add_note(f"In process {spec.rank + 1} of {spec.count}:\n{traceback.format_exc()}")
        result = WorkerResult(time.monotonic(), error=error)
    try:
        message = pickle.dumps(result)
        pickle.loads(message)
    except Exception:  # An error with arguments of its own cannot be made again from its message.
        message = pickle.dumps(
            WorkerResult(result.time, error=RuntimeError(f"{type(result.error).__name__}: {result.error}"))
        )
    answer.send_bytes(message)


def _leave_to_launcher(number: int, frame: object) -> None:
    """The launcher that listens to this signal is in the process that started this one."""


def _exit_with_parent(parent: int) -> None:
    """Ends this process when the one that started it is no more."""
    while os.getppid() == parent:
        time.sleep(0.2)
    os._exit(1)
