"""Manifests: a path or glob a row, as kraken's `ketos train -t` takes them."""

from pathlib import Path

from uncial.formats.encoding import read_utf8, rows
from uncial.formats.lines.results import refuse_results


def read_manifest(path: Path) -> list[tuple[int, str]]:
    """The rows of a manifest with their numbers; blank rows and `#` comments are left out.

    Raises `UnusableInput` where the file cannot be read, is not UTF-8, or holds what a recogniser read.
    """
    text = read_utf8(path)
    refuse_results(path, text)
    return [(number, row.strip()) for number, row in rows(text)]
