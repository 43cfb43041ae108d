"""Loader processes that are watched: what keeps them from giving their batches ends the run in one sentence.

Batches come through pipes. Shared memory, which torch would take, may be small or missing (64 MB in a container), and a
batch for which it has no room is dropped without a word and waited for without end.
"""

import logging
import os
import pickle
import re
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torch.utils.data.dataloader import _BaseDataLoaderIter, _MultiProcessingDataLoaderIter

from uncial.errors import UserError

REMEDY = "trainer.workers=0 loads the lines in the main process"

STALLED = 900.0
"""Seconds in which the process that a batch is waited for neither computes, nor reads or writes, nor waits for a disk,
until it is taken to hang."""

TOLD = 120.0
"""Seconds of waiting for one batch after which a person is told of it."""

log = logging.getLogger(__name__)


class WatchedLoader(DataLoader[Any]):
    """A loader of whole batches. Raises `UserError` where its processes cannot be started, die or hang.

    Where there are processes `collate_fn` is `packed` and `worker_init_fn` is `exit_with_parent`.
    """

    def _get_iterator(self) -> _BaseDataLoaderIter:
        if not self.num_workers:
            return super()._get_iterator()
        try:
            return _WatchedIterator(self)
        except OSError as error:
            raise UserError(
                f"The {self.num_workers} processes that load lines cannot be started ({error.strerror or error}): "
                f"there is too little of shared memory (/dev/shm), of open files (ulimit -n) or of processes; {REMEDY}."
            ) from None


class _WatchedIterator(_MultiProcessingDataLoaderIter):
    def __init__(self, loader: WatchedLoader) -> None:
        self._watched_since = self._still_since = time.monotonic()
        self._last_signs: tuple[object, ...] | None = None
        self._is_told = False
        super().__init__(loader)

    def __del__(self) -> None:
        if hasattr(self, "_workers_status"):
            super().__del__()
            return
        for worker in getattr(self, "_workers", ()):  # Of the processes some could be started, and others not.
            worker.terminate()

    def _next_data(self) -> Any:
        self._watched_since = self._still_since = time.monotonic()
        self._last_signs = None
        try:
            data = super()._next_data()
        except UserError as error:
            # Torch puts the traceback of the process into the message.
            raise UserError(str(error).rpartition("UserError: ")[2].strip()) from None
        return unpack(data) if isinstance(data, bytes) else data

    def _try_get_data(self, *arguments: Any, **named: Any) -> Any:
        try:
            found = super()._try_get_data(*arguments, **named)
        except (OSError, EOFError) as error:
            raise UserError(
                f"The processes that load lines can no longer be heard ({error or type(error).__name__}): often too "
                f"few files may be open (ulimit -n); {REMEDY}."
            ) from None
        if not found[0]:
            self._watch()
        return found

    def _watch(self) -> None:
        """Called every few seconds in which no batch has come; all processes are alive then."""
        now, process = time.monotonic(), self._workers[self._task_info[self._rcvd_idx][0]].pid
        signs = send_signs_of_life(process)
        if signs is None or signs.is_busy or signs.work != self._last_signs:
            self._still_since, self._last_signs = now, signs.work if signs else None
        if now - self._still_since > STALLED:
            raise UserError(
                f"The process that loads lines ({process}) has done nothing for {STALLED / 60:.0f} minutes and gives "
                f"no batch: it hangs; {REMEDY}."
            )
        if now - self._watched_since > TOLD and not self._is_told:
            self._is_told = True
            log.warning(
                f"No lines have come for {TOLD / 60:.0f} minutes from the process that loads them ({process}), which "
                f"{'works or waits for the disk' if signs and signs.is_busy else 'is alive'}; if it stays so, {REMEDY}."
            )


def build_loader(dataset: Dataset[Any], sampler: Iterable[list[Any]], workers: int, prefetched: int) -> DataLoader[Any]:
    """Return a loader of the batches that a dataset makes of the samples of `sampler`; each of the `workers` processes
    makes so many in advance."""
    return WatchedLoader(
        dataset,
        batch_sampler=sampler,
        collate_fn=pack if workers else _keep,
        num_workers=workers,
        worker_init_fn=exit_with_parent if workers else None,
        persistent_workers=workers > 0,
        prefetch_factor=prefetched if workers else None,
        multiprocessing_context="fork" if workers else None,
        # Of its own: else how often torch's is drawn from would depend on the workers.
        generator=torch.Generator(),
    )


def _keep(batch: Any) -> Any:
    return batch


def exit_with_parent(number: int) -> None:
    """What loader process `number` begins with: it ends when the process that started it is no more.

    Torch's own way is to leave its loop then, and to wait for a pipe to be emptied that nobody reads any more.
    """
    Thread(target=_exit_with, args=(os.getppid(),), daemon=True).start()


def _exit_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


@dataclass(frozen=True)
class Signs:
    """What tells whether a process does something: `is_busy` while one of its threads computes or waits for a disk, and
    its `work` until now, as seconds of computing and bytes that it has read and written."""

    is_busy: bool
    work: tuple[object, ...]


def send_signs_of_life(process: int | None) -> Signs | None:
    """Return those of a process; None where the system does not tell."""
    folder = Path(f"/proc/{process}")
    try:
        threads = [(path / "stat").read_text().rpartition(")")[2].split() for path in (folder / "task").iterdir()]
        moved = tuple((folder / "io").read_text().splitlines()[:2])
    except (OSError, IndexError):
        return None
    return Signs(
        is_busy=any(thread[0] in "RD" for thread in threads),
        work=(sum(int(thread[11]) + int(thread[12]) for thread in threads), *moved),
    )


@contextmanager
def report_lost_workers() -> Iterator[None]:
    """Around a training or a test: a loader process that died, of which torch tells by an error at any moment, ends it
    as a `UserError`."""
    try:
        yield
    except RuntimeError as error:
        if isinstance(error.__context__, UserError):
            raise error.__context__ from None  # Lightning takes down loaders that have never begun, and fails at that.
        text = str(error)
        if "DataLoader worker" not in text and not text.startswith("Too many open files"):
            raise
        by = re.search(r"killed by signal: (\w+)", text)
        how = f"was killed ({by[1]})" if by else "died" if "worker" in text else "can no longer be heard"
        raise UserError(
            f"A process that loads lines {how}. Often the memory, the shared memory (/dev/shm) or the number of open "
            f"files (ulimit -n) was not enough; {REMEDY}."
        ) from None


def pack(batch: Any) -> bytes:
    """Return the batch as it goes through a pipe."""
    arrays: dict[str, Any] = {
        name: value.numpy() for name, value in _iterate_values(batch) if isinstance(value, Tensor)
    }
    return pickle.dumps(replace(batch, **arrays), protocol=5)


def unpack(data: bytes) -> Any:
    """Return the batch that was packed."""
    batch = pickle.loads(data)
    arrays = {name: value for name, value in _iterate_values(batch) if isinstance(value, np.ndarray)}
    tensors: dict[str, Any] = {name: torch.from_numpy(value) for name, value in arrays.items()}
    return replace(batch, **tensors)


def _iterate_values(batch: Any) -> Iterator[tuple[str, Any]]:
    return ((field.name, getattr(batch, field.name)) for field in fields(batch))
