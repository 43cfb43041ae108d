"""The messages of one run in a process that is somebody else's: to the terminal and its log.txt, and no other way."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from logging.config import DictConfigurator
from typing import Any


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
    own = _built(settings)
    root.handlers[:] = [*own, RelayHandler(handlers, level)]
    root.setLevel(settings["root"]["level"])
    try:
        yield own
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        for handler in own:
            handler.close()


def _built(settings: Mapping[str, Any]) -> list[logging.Handler]:
    # dictConfig itself would close the handlers that are there.
    configurator = DictConfigurator(dict(settings))
    formatters: Any = configurator.config["formatters"]
    for name in list(formatters):
        formatters[name] = configurator.configure_formatter(formatters[name])
    handlers: Any = configurator.config["handlers"]
    return [configurator.configure_handler(handlers[name]) for name in configurator.config["root"]["handlers"]]


def _has_level(logger: logging.Logger) -> bool:
    """Whether the logger, or one above it that is not the root, has a level of its own."""
    here: logging.Logger | None = logger
    while here is not None and here.parent is not None:
        if here.level:
            return True
        here = here.parent
    return False
