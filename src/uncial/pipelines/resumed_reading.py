"""A reading that goes on from what was read before: files that are as they were, by the same model, are passed over."""

import hashlib
import logging
import os
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from uncial.document import Page
from uncial.files import hash_content, remove_unfinished
from uncial.formats.lines.results import format_jsonl_rows, format_tsv_rows, write_rows
from uncial.formats.provenance import Reader
from uncial.pipelines.line_recognition import ReadingSettings
from uncial.pipelines.output_places import keep_corrections
from uncial.pipelines.page_copies import (
    ReadFile,
    TranscriptionReport,
    group_pages_by_file,
    place_copies,
    read_files,
    write_copy,
)
from uncial.pipelines.pipeline import Pipeline
from uncial.pipelines.reading_journal import FileRead, Journal
from uncial.pipelines.recognition import Transcriber
from uncial.reports.terminal.formatting import plural

log = logging.getLogger(__name__)

Keep = Callable[[str, ReadFile], FileRead]
"""Given the digest of a file and what was read in it: writes what is written at once, and says what is to be kept."""


@dataclass(frozen=True)
class Job:
    """The pages to read, the pipeline that reads them, and what the copies say of it."""

    pages: Sequence[Page]
    pipeline: Pipeline
    reader: Reader


def describe_reading(
    model: Path, transcriber: Transcriber, form: str, settings: ReadingSettings, program: str
) -> dict[str, Any]:
    """Return all but the files themselves that decides on what comes out, in plain types."""
    recognizer = transcriber.recognizer
    typed = {"preprocessing": repr(recognizer.preprocessing), "text": repr(recognizer.text)}
    return {"program": program, "model": hash_content(model), "format": form, **typed, **asdict(settings)}


def read_into_table(job: Job, journal: Journal, form: str, target: Path) -> TranscriptionReport:
    """Read all lines of the pages and write them in the order of the pages as `form`, tsv or jsonl."""
    remove_unfinished(target.parent)
    to_rows = format_tsv_rows if form == "tsv" else format_jsonl_rows

    def keep(digest: str, file: ReadFile) -> FileRead:
        return _find_kept(digest, file, rows=[row for page in file.pages for row in to_rows(page)])

    found = _read_rest(job, journal, keep, _list_read_before(job.pages, journal))
    write_rows(target, (row for kept in _put_in_order(job.pages, journal) for row in kept.rows))
    return found


def read_into_files(job: Job, journal: Journal, target: Path) -> TranscriptionReport:
    """Read all lines of the pages into copies of their files below `target`.

    A copy that was changed since it was written is somebody's work and stays as it is."""
    copies = place_copies(job.pages, target)
    for folder in {copy.parent for copy in copies.values()}:
        remove_unfinished(folder)

    def keep(digest: str, file: ReadFile) -> FileRead:
        copy, earlier = copies[file.source], journal.find(file.source)
        written = write_copy(file, copy, job.reader)
        if not written and earlier is not None and _is_as_written(copy, earlier):
            copy.unlink()  # Of the file as it was before.
        return _find_kept(digest, file, copy=_settle(copy) if written else None)

    known = {source: kept for source in copies if (kept := journal.find(source)) is not None}
    unknown = {source: copy for source, copy in copies.items() if source not in known}
    keep_corrections(unknown, target, "predict.output")
    there = {source: kept for source, kept in known.items() if kept.copy is None or copies[source].is_file()}
    changed = [source for source, kept in there.items() if kept.copy and not _is_as_written(copies[source], kept)]
    if changed:
        log.warning(
            f"Copies that were changed since they were written stay as they are ({len(changed):,}, the first: "
            f"{copies[changed[0]]}); delete what is to be read anew."
        )
    return _read_rest(job, journal, keep, {*changed, *(_list_read_before(job.pages, journal) & there.keys())})


def _is_as_written(copy: Path, kept: FileRead) -> bool:
    return copy.is_file() and hash_content(copy) == kept.copy


def _read_rest(job: Job, journal: Journal, keep: Keep, before: Collection[Path]) -> TranscriptionReport:
    """Reads the files that are not among those read `before`, and returns what was found in all."""
    done, by_source = set(before), group_pages_by_file(job.pages)
    if done:
        log.info(f"{_count(job.pages, done)} were read before; the others follow.")
    try:
        for group in read_files(job.pages, job.pipeline, lambda pages: pages[0].source in before):
            journal.add({file.source: keep(_hash(by_source[file.source]), file) for file in group})
            done.update(file.source for file in group)
    except BaseException:
        if done:
            log.info(f"{_count(job.pages, done)} are read and kept; the same command goes on from there.")
        raise
    found = TranscriptionReport()
    for kept in _put_in_order(job.pages, journal):
        found.add(TranscriptionReport(kept.read, kept.problems, kept.notes))
    return found


def _count(pages: Sequence[Page], done: Collection[Path]) -> str:
    return f"{sum(page.source in done for page in pages):,} of {plural(len(pages), 'page')}"


def _list_read_before(pages: Sequence[Page], journal: Journal) -> set[Path]:
    """Return the files that were read and are as they were then."""
    return {
        source
        for source, of_file in group_pages_by_file(pages).items()
        if (kept := journal.find(source)) is not None and kept.digest == _hash(of_file)
    }


def _put_in_order(pages: Sequence[Page], journal: Journal) -> Iterator[FileRead]:
    for source in dict.fromkeys(page.source for page in pages):
        kept = journal.find(source)
        assert kept is not None
        yield kept


def _find_kept(digest: str, file: ReadFile, rows: Sequence[str] = (), copy: str | None = None) -> FileRead:
    return FileRead(digest, list(rows), file.report.read, file.report.problems, file.report.notes, copy)


def _settle(copy: Path) -> str:
    """Return the hash of a file that is on the disk by then: its row in the journal must not come there before it."""
    with copy.open("rb") as file:
        os.fsync(file.fileno())
    return hash_content(copy)


def _hash(pages: Sequence[Page]) -> str:
    """Of all that decides on what is read in a file: its bytes, its pages as they were understood, and their images."""
    digest = hashlib.sha256()
    paths = [pages[0].source, *(page.image.path for page in pages if page.image)]
    for path in paths:
        try:
            digest.update(hash_content(path).encode())
        except OSError as error:
            digest.update(str(error.errno).encode())
    for page in pages:
        digest.update(repr(page).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()
