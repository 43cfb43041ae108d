"""Work on pages in several processes, in the order of the pages."""

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import TypeVar

import cv2

log = logging.getLogger(__name__)

Item = TypeVar("Item")
Result = TypeVar("Result")

AHEAD = 3
"""Items for each process that are under way or done before they are asked for."""


def make_page_processes(count: int) -> ProcessPoolExecutor:
    """Processes of one thread each. They end with the one that starts them, even where that is killed."""
    # Not forked: the caller may hold threads of torch or OpenCV, which a fork would leave locked.
    return ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=_initialize_process)


def _initialize_process() -> None:
    cv2.setNumThreads(1)
    Thread(target=_exit_with_parent, daemon=True).start()


def _exit_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def map_pages(
    function: Callable[[Item], Result], items: Sequence[Item], workers: int, participle: str
) -> Iterator[Result]:
    """Yield what the function, which is sent to the processes, makes of each item, in their order, whatever the number
    of processes. Where one of them is lost the rest is done here, and told in the word of what is done: pages are cut.
    """
    workers, done = min(workers, len(items)), 0
    if workers > 1:
        try:
            for result in _map_in_processes(function, items, workers):
                done += 1
                yield result
        except BrokenProcessPool:
            # Ended by the system where memory runs out, or not to be started where too few files may be open; and so it
            # goes where the caller's own script starts its work without `if __name__ == "__main__"`.
            log.warning(
                f"A process by which pages are {participle} has been ended or could not be started: the others are "
                f"{participle} in one process (data.compile_workers=1)."
            )
    yield from map(function, items[done:])


def _map_in_processes(function: Callable[[Item], Result], items: Sequence[Item], workers: int) -> Iterator[Result]:
    waiting = iter(items)

    def submit(count: int) -> list[Future[Result]]:
        return [pool.submit(function, item) for item in islice(waiting, count)]

    try:
        pool = make_page_processes(workers)
        running = submit(AHEAD * workers)
    except OSError as error:
        raise BrokenProcessPool(str(error)) from error
    with pool:
        try:
            while running:
                yield running.pop(0).result()
                running += submit(1)
        finally:
            pool.shutdown(cancel_futures=True)
