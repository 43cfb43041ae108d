"""How far a long piece of work is: a bar on a terminal, a log line every few seconds elsewhere."""

import logging
import math
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from uncial.reports.terminal.console import is_live, make_console
from uncial.reports.terminal.formatting import duration, rate
from uncial.reports.terminal.notebook import RedrawnLine, bar, is_notebook

Item = TypeVar("Item")
Advance = Callable[[int], None]
"""To be called with how many more units are done."""

LOG_EVERY = 10.0
"""Seconds between log lines."""

NOTEBOOK_EVERY = 0.5
"""Seconds between two states of a bar in a notebook."""

log = logging.getLogger("uncial.progress")


def progress(
    description: str, total: int | None, unit: str = "lines", console: Console | None = None
) -> AbstractContextManager[Advance]:
    """Return a context whose value is called with the units done since the last call. `total` is None where it is not
    known.
    """
    console = console or make_console()
    if is_live(console):
        return _bar(description, total, unit, console)
    return _notebook_bar(description, total, unit) if is_notebook() else _log_lines(description, total, unit)


def report_progress(
    items: Iterable[Item],
    description: str,
    total: int | None = None,
    unit: str = "lines",
    size: Callable[[Item], int] = lambda item: 1,
    console: Console | None = None,
) -> Iterator[Item]:
    """Yield the items and show how many are done; `size` says for how many units an item counts."""
    with progress(description, total, unit, console) as advance:
        for item in items:
            yield item
            advance(size(item))


@contextmanager
def _bar(description: str, total: int | None, unit: str, console: Console) -> Iterator[Advance]:
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TextColumn("{task.fields[speed]}", markup=False),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    start = time.monotonic()
    with Progress(*columns, console=console, expand=False) as progress:
        task = progress.add_task(description, total=total, speed=rate(math.nan, unit))
        done = 0

        def advance(units: int) -> None:
            nonlocal done
            done += units
            progress.update(task, completed=done, speed=rate(done / max(time.monotonic() - start, 1e-9), unit))

        yield advance
        if total is None:
            progress.update(task, total=done)


@contextmanager
def _notebook_bar(description: str, total: int | None, unit: str) -> Iterator[Advance]:
    line, start, shown, done = RedrawnLine(), time.monotonic(), 0.0, 0

    def tell() -> None:
        seconds = max(time.monotonic() - start, 1e-9)
        line.show(f"{bar(done, total)} {description}: {_so_far(done, total, seconds, unit)}")

    def advance(units: int) -> None:
        nonlocal done, shown
        done += units
        if time.monotonic() - shown >= NOTEBOOK_EVERY:
            shown = time.monotonic()
            tell()

    yield advance
    tell()


@contextmanager
def _log_lines(description: str, total: int | None, unit: str) -> Iterator[Advance]:
    start = last = time.monotonic()
    done = 0

    def advance(units: int) -> None:
        nonlocal done, last
        done += units
        now = time.monotonic()
        if now - last >= LOG_EVERY:
            last = now
            log.info("%s: %s", description, _so_far(done, total, now - start, unit))

    yield advance
    seconds = time.monotonic() - start
    speed = rate(done / max(seconds, 1e-9), unit)
    log.info("%s: %s", description, f"{done:,} {unit} in {duration(seconds)}, {speed}")


def _so_far(done: int, total: int | None, seconds: float, unit: str) -> str:
    speed = done / seconds
    if total is None:
        return f"{done:,} {unit}, {rate(speed, unit)}"
    left = (total - done) / speed if speed else math.inf
    return f"{done:,}/{total:,} {unit}, {rate(speed, unit)}, {duration(left)} left"
