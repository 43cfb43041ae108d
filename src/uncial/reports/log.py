"""The handler through which messages reach the terminal."""

import logging
import sys
from typing import TextIO


class StandardOutputHandler(logging.StreamHandler[TextIO]):
    """Writes to what standard output is at that moment, not when logging was set up.

    A progress bar stands in for standard output while it is shown, so messages appear above it instead of through it.
    """

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        return sys.stdout
