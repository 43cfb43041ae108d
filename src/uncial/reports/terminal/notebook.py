"""What can be redrawn below a cell of a notebook, with nothing but what every notebook has."""

import math
import sys
from typing import Any

WIDTH = 30
"""Characters of a bar."""


def is_notebook() -> bool:
    """Tell whether this process is the kernel of a notebook."""
    # IPython is asked only where it is there already: it is no part of the program, and slow to import.
    module = sys.modules.get("IPython")
    shell = module.get_ipython() if module is not None else None
    return shell is not None and hasattr(shell, "kernel")


def bar(done: float, total: float | None) -> str:
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
