"""A search for lines that goes on from what was done before: pages that are as they were, by the same model, are passed
over."""

import hashlib
import json
import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from uncial.document import Issue, Page
from uncial.errors import UnusableInput
from uncial.files import hash_content, remove_unfinished
from uncial.pipelines.found_files import FoundFileWriter, Placement, refuse_files_in_place
from uncial.pipelines.pipeline import Pipeline, apply_pipelines
from uncial.pipelines.reading_journal import FileRead, Journal
from uncial.reports.terminal.formatting import plural
from uncial.reports.terminal.progress_bar import show_progress

log = logging.getLogger(__name__)

LISTED = ("region_without_lines", "passed_over")
"""Kinds of problems of pages of which a file is written all the same: those that are blank, and those that have lines
already."""


@dataclass
class SearchTotals:
    """What was found on all pages together. `confidence` is the sum of those of the lines. `timed` pages took
    `seconds`, those `before` were done by an earlier command. `problems` are listed, `notes` are doubts."""

    pages: int = 0
    lines: int = 0
    regions: int = 0
    confidence: float = 0.0
    blank: int = 0
    kept: int = 0
    before: int = 0
    timed: int = 0
    seconds: float = 0.0
    problems: list[Issue] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def find_into_files(
    placed: Sequence[Placement],
    pipelines: Sequence[Pipeline],
    writer: FoundFileWriter,
    journal: Journal,
    is_kept: Callable[[Page], bool],
) -> SearchTotals:
    """Find the lines and regions of all pages and write their files; what was done before is passed over.

    A file that was changed since it was written is somebody's work and stays as it is. Raises `UserError` where another
    file is in the place of one to write.
    """
    known = {one.file: kept for one in placed if (kept := journal.find(one.key)) is not None and kept.copy}
    refuse_files_in_place(placed, [*known, *_list_unfinished(placed, writer, journal)])
    for folder in {one.file.parent for one in placed}:
        remove_unfinished(folder)
    changed = [path for path, kept in known.items() if path.is_file() and hash_content(path) != kept.copy]
    if changed:
        log.warning(
            f"Files that were changed since they were written stay as they are ({len(changed):,}, the first: "
            f"{changed[0]}); delete what is to be found anew."
        )
    left = [one for one in placed if one.file not in changed and not _is_done(one, journal)]
    before = len(placed) - len(left)
    if before:
        log.info(f"{before:,} of {plural(len(placed), 'page')} were done before; the others follow.")
    begun, done = time.perf_counter(), 0
    try:
        with show_progress("finding lines", len(left), "pages") as advance:
            for place, found in _find(left, pipelines, writer, is_kept):
                journal.add({place.key: found})
                done += 1
                advance(1)
    except BaseException:
        if before + done:
            total = plural(len(placed), "page")
            log.info(f"{before + done:,} of {total} are done and kept; the same command goes on from there.")
        raise
    totals = _collect(placed, journal)
    return replace(totals, before=before, timed=done, seconds=time.perf_counter() - begun)


def _list_unfinished(placed: Sequence[Placement], writer: FoundFileWriter, journal: Journal) -> list[Path]:
    """Return the file that was written when an earlier command was killed, before the journal had it."""
    first = next((one for one in placed if journal.find(one.key) is None), None)
    return [first.file] if first is not None and first.file.is_file() and writer.has_written(first.file) else []


def _is_done(place: Placement, journal: Journal) -> bool:
    """Return whether a page was done before and is as it was then, and its file lies where it was written."""
    kept = journal.find(place.key)
    if kept is None or kept.digest != _hash(place):
        return False
    has_image = not place.scan.number or (place.image is not None and place.image.is_file())
    return kept.copy is None or (place.file.is_file() and has_image)


def _find(
    placed: Sequence[Placement],
    pipelines: Sequence[Pipeline],
    writer: FoundFileWriter,
    is_kept: Callable[[Page], bool],
) -> Iterator[tuple[Placement, FileRead]]:
    """Yield each page's place with what became of it, as they come out of the pipelines."""
    found = apply_pipelines(pipelines, (one.scan.page for one in placed))
    for place, page in zip(placed, found, strict=True):
        issues = list(page.issues)
        keeps = is_kept(place.scan.page)
        copy = None
        if not any(_is_fault(issue) for issue in issues):
            try:
                writer.write(page, place, keeps)
                copy = _settle(place.file)
                issues += _list(place, page, keeps)
            except UnusableInput as error:
                issues.append(Issue(str(page.source), "", str(error), error.kind))
        problems = [_tell_page(issue, place) for issue in issues if not issue.is_doubt]
        notes = [_tell_page(issue, place).reason for issue in issues if issue.is_doubt]
        counts = {
            "lines": len(page.lines),
            "regions": len(page.regions),
            "confidence": sum(line.confidence or 0.0 for line in page.lines),
            "kept": keeps,
        }
        yield place, FileRead(_hash(place), [json.dumps(counts)], [], problems, notes, copy)


def _is_fault(issue: Issue) -> bool:
    return not issue.is_doubt and not issue.line


def _list(place: Placement, page: Page, keeps: bool) -> list[Issue]:
    """Return what is to be said of a page whose file was written."""
    if keeps:
        count = plural(len(page.lines), "line")
        reason = f"it has {count}, kept as they are; predict.lines=find finds them anew"
        return [Issue(str(page.source), "", reason, "passed_over")]
    if not page.lines:
        reason = "no line was found on it: look whether it is blank"
        return [Issue(str(page.source), "", reason, "region_without_lines")]
    return []


def _tell_page(issue: Issue, place: Placement) -> Issue:
    """Return the problem with the number of the page where its file holds several; the file is named apart."""
    reason = issue.reason.removeprefix(f"{issue.file}: ")
    number = place.scan.number
    if number and f"page {number}" not in reason:
        reason = f"page {number}: {reason}"
    return replace(issue, reason=reason)


def _collect(placed: Sequence[Placement], journal: Journal) -> SearchTotals:
    totals = SearchTotals()
    for place in placed:
        found = journal.find(place.key)
        if found is None:
            continue
        totals.problems += found.problems
        totals.notes += found.notes
        if found.copy is None:
            continue
        counts = json.loads(found.rows[0])
        totals.pages += 1
        totals.kept += counts["kept"]
        if not counts["kept"]:
            totals.blank += not counts["lines"]
            totals.lines += counts["lines"]
            totals.regions += counts["regions"]
            totals.confidence += counts["confidence"]
    return totals


def _settle(file: Path) -> str:
    """Return the hash of a file that is on the disk by then: its row in the journal must not come there before it."""
    with file.open("rb") as opened:
        os.fsync(opened.fileno())
    return hash_content(file)


def _hash(place: Placement) -> str:
    """Of all that decides on what is found: the bytes of the image and of the file that describes it, and the page as
    it was understood."""
    digest = hashlib.sha256()
    page = place.scan.page
    for path in dict.fromkeys([page.source, *([page.image.path] if page.image else [])]):
        try:
            digest.update(hash_content(path).encode())
        except OSError as error:
            digest.update(str(error.errno).encode())
    digest.update(repr((place.scan.name, page)).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()
