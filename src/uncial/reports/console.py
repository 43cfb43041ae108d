"""Printing to the terminal, or to the file or pipe that takes its place."""

import sys
from typing import IO

from rich.console import Console, RenderableType

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
