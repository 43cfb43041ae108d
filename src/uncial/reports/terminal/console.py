"""Printing to the terminal, and the handlers through which messages reach it and the run's log.txt."""

import logging
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from logging.config import DictConfigurator
from typing import IO, Any, TextIO

from rich.console import Console, RenderableType


class RelayHandler(logging.Handler):
    """Hands to the handlers of the process what would have come to them at the level that the process had set."""

    def __init__(self, handlers: Sequence[logging.Handler], level: int) -> None:
        super().__init__()
        self.handlers, self.threshold = tuple(handlers), level

    def emit(self, record: logging.LogRecord) -> None:
        if not _has_level(logging.getLogger(record.name)) and record.levelno < self.threshold:
            return
        for handler in self.handlers:
            if record.levelno >= handler.level:
                handler.handle(record)


@contextmanager
def run_logging(settings: Mapping[str, Any]) -> Iterator[list[logging.Handler]]:
    """Write messages where `settings` say, a table for logging.config.dictConfig, of which root is heeded. Handlers and
    levels are as before at the end; the value are the handlers of the run."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    own = _build_handlers(settings)
    root.handlers[:] = [*own, RelayHandler(handlers, level)]
    root.setLevel(settings["root"]["level"])
    try:
        yield own
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        for handler in own:
            handler.close()


def _build_handlers(settings: Mapping[str, Any]) -> list[logging.Handler]:
    # dictConfig itself would close the handlers that are there.
    configurator = DictConfigurator(dict(settings))
    formatters: Any = configurator.config["formatters"]
    for name in list(formatters):
        formatters[name] = configurator.configure_formatter(formatters[name])
    handlers: Any = configurator.config["handlers"]
    return [configurator.configure_handler(handlers[name]) for name in configurator.config["root"]["handlers"]]


def _has_level(logger: logging.Logger) -> bool:
    """Return whether the logger, or one above it that is not the root, has a level of its own."""
    here: logging.Logger | None = logger
    while here is not None and here.parent is not None:
        if here.level:
            return True
        here = here.parent
    return False


UNBOUNDED = 10_000
"""Columns of an output that is no terminal: nothing there is wrapped or cut."""


def make_console(file: IO[str] | None = None) -> Console:
    """Return a console on `file` (standard output where None): coloured and as wide as the window on a terminal, else
    plain and without wrapping.

    Texts are never taken for markup, emoji codes or numbers to colour.
    """
    stream = sys.stdout if file is None else file
    terminal = stream.isatty()
    return Console(
        file=file,
        force_terminal=terminal,
        force_jupyter=False,  # which would make HTML of each line, in another order than that of the messages
        width=None if terminal else UNBOUNDED,
        markup=False,
        emoji=False,
        highlight=False,
    )


def show(console: Console, *renderables: RenderableType) -> None:
    """Print one below the other. Lines of text longer than a terminal are left to it to wrap, so that paths can be
    copied whole.
    """
    for renderable in renderables:
        console.print(renderable, soft_wrap=True)


def is_live(console: Console) -> bool:
    """Tell whether the console can redraw what it has printed, as a progress bar needs."""
    return console.is_interactive


class StandardOutputHandler(logging.StreamHandler[TextIO]):
    """Writes to what standard output is at that moment, not when logging was set up.

    A progress bar stands in for standard output while it is shown, so messages appear above it instead of through it.
    """

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        return sys.stdout

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Drop what cannot be shown; it is in log.txt."""


class LogFileHandler(logging.FileHandler):
    """Writes log.txt as UTF-8; what UTF-8 cannot hold, such as undecodable bytes of a file name, as backslash escapes.

    Where it cannot be written, as on a full disk, that is said once and the run goes on.
    """

    def __init__(self, filename: str, mode: str = "a", delay: bool = True) -> None:
        super().__init__(filename, mode, encoding="utf-8", delay=delay, errors="backslashreplace")
        self._has_failed = False

    def close(self) -> None:
        """Close the file, of which the last messages may be missing where the disk is full."""
        with suppress(OSError):
            super().close()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Say once that messages are missing in the file."""
        if not self._has_failed:
            self._has_failed = True
            error = sys.exc_info()[1]
            reason = (error.strerror if isinstance(error, OSError) else None) or error
            print(f"{self.baseFilename} cannot be written ({reason}): messages are missing in it.", file=sys.stderr)
