"""Processes beside the main one, for pages that are drawn or cut."""

import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context, parent_process
from threading import Thread

import cv2


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
