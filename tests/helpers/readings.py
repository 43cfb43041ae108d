"""Copies of files with what a model might have read in them."""

from collections.abc import Mapping
from pathlib import Path

from uncial.document import Page, TextLine, Transcription
from uncial.formats.provenance import Reader
from uncial.formats.transcription_files import write_pages


def write_transcriptions(
    source: Path,
    target: Path,
    texts: Mapping[str, Transcription],
    image_name: str | None = None,
    reader: Reader | None = None,
) -> None:
    """Write a copy of `source` with these texts, by the ids of its lines."""
    lines = tuple(TextLine(name, "p", transcription=read) for name, read in texts.items())
    write_pages([Page("p", source, lines=lines)], target, image_name, reader)
