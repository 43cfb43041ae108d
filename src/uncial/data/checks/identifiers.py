"""Lines whose identifiers the files do not state, or state twice: what is written back finds them by made-up ones."""

from collections.abc import Iterator, Sequence

from uncial.data.checks.findings import Finding
from uncial.document import Page


def made_up_identifiers(pages: Sequence[Page]) -> Iterator[Finding]:
    """Information about each file with such lines."""
    for page in pages:
        count = int(page.metadata.get("made_up_line_ids", 0))
        if count:
            lines = "line has no id of its own" if count == 1 else "lines have no id of their own"
            message = f"{count:,} {lines} in the file (none, or one that another line has) and got one from its place"
            remedy = "Nothing; export the page again where other programs shall find these lines by their ids."
            yield Finding("information", "made_up_line_ids", message, str(page.source), "", remedy)
