"""How far a long piece of work is: a bar on a terminal or below a cell of a notebook, a log
line every few seconds elsewhere."""

import logging
import math
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from uncial.reports.terminal.console import is_live, make_console
from uncial.reports.terminal.formatting import format_duration, format_rate

WIDTH = 30
"""Characters of a bar."""


def is_notebook() -> bool:
    """Tell whether this process is the kernel of a notebook."""
    # IPython is asked only where it is there already: it is no part of the program, and slow to import.
    module = sys.modules.get("IPython")
    shell = module.get_ipython() if module is not None else None
    return shell is not None and hasattr(shell, "kernel")


def make_bar(done: float, total: float | None) -> str:
    """Draw how much of the total is done; nothing where the total is not known."""
    if not total or not math.isfinite(total):
        return ""
    filled = min(WIDTH, int(WIDTH * done / total))
    return f"{'█' * filled}{'░' * (WIDTH - filled)}"


class RedrawnLine:
    """A line of text below the cell that takes the place of the one shown before."""

    def __init__(self) -> None:
        self._handle: Any = None

    def show(self, text: str) -> None:
        from IPython.display import display  # type: ignore[import-not-found]

        content = {"text/plain": text.strip()}
        if self._handle is None:
            self._handle = display(content, raw=True, display_id=True)
        else:
            self._handle.update(content, raw=True)


Item = TypeVar("Item")
Advance = Callable[[int], None]
"""To be called with how many more units are done."""

LOG_EVERY = 10.0
"""Seconds between log lines."""

NOTEBOOK_EVERY = 0.5
"""Seconds between two states of a bar in a notebook."""

log = logging.getLogger("uncial.progress")


def show_progress(
    description: str, total: int | None, unit: str = "lines", console: Console | None = None
) -> AbstractContextManager[Advance]:
    """Return a context whose value is called with the units done since the last call. `total` is None where it is not
    known.
    """
    console = console or make_console()
    if is_live(console):
        return _show_bar(description, total, unit, console)
    return _make_notebook_bar(description, total, unit) if is_notebook() else _log_lines(description, total, unit)


def report_progress(
    items: Iterable[Item],
    description: str,
    total: int | None = None,
    unit: str = "lines",
    size: Callable[[Item], int] = lambda item: 1,
    console: Console | None = None,
) -> Iterator[Item]:
    """Yield the items and show how many are done; `size` says for how many units an item counts."""
    with show_progress(description, total, unit, console) as advance:
        for item in items:
            yield item
            advance(size(item))


@contextmanager
def _show_bar(description: str, total: int | None, unit: str, console: Console) -> Iterator[Advance]:
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TextColumn("{task.fields[speed]}", markup=False),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    start = time.monotonic()
    with Progress(*columns, console=console, expand=False) as progress:
        task = progress.add_task(description, total=total, speed=format_rate(math.nan, unit))
        done = 0

        def advance(units: int) -> None:
            nonlocal done
            done += units
            progress.update(task, completed=done, speed=format_rate(done / max(time.monotonic() - start, 1e-9), unit))

        yield advance
        if total is None:
            progress.update(task, total=done)


@contextmanager
def _make_notebook_bar(description: str, total: int | None, unit: str) -> Iterator[Advance]:
    line, start, shown, done = RedrawnLine(), time.monotonic(), 0.0, 0

    def tell() -> None:
        seconds = max(time.monotonic() - start, 1e-9)
        line.show(f"{make_bar(done, total)} {description}: {_format_progress(done, total, seconds, unit)}")

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
            log.info("%s: %s", description, _format_progress(done, total, now - start, unit))

    yield advance
    seconds = time.monotonic() - start
    speed = format_rate(done / max(seconds, 1e-9), unit)
    log.info("%s: %s", description, f"{done:,} {unit} in {format_duration(seconds)}, {speed}")


def _format_progress(done: int, total: int | None, seconds: float, unit: str) -> str:
    speed = done / seconds
    if total is None:
        return f"{done:,} {unit}, {format_rate(speed, unit)}"
    left = (total - done) / speed if speed else math.inf
    return f"{done:,}/{total:,} {unit}, {format_rate(speed, unit)}, {format_duration(left)} left"
