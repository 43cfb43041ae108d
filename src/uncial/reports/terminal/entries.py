"""Results and next steps as a run's last words list them: what each is, then a path or command whole for copying."""

from collections.abc import Mapping
from pathlib import Path

from rich.text import Text


def list_entries(entries: Mapping[str, Path] | Mapping[str, str] | Mapping[str, Path | str], style: str) -> list[Text]:
    """Return a line for each entry, the names padded to one width."""
    width = max(map(len, entries), default=0)
    return [Text.assemble(f"  {name:<{width}}  ", (str(value), style)) for name, value in entries.items()]
