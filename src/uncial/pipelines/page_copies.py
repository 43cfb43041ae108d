"""Applies a pipeline to pages file by file, and writes copies of the files with what was read in their text's place."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from uncial.document import Issue, Page
from uncial.errors import UnusableInput
from uncial.formats.provenance import Reader
from uncial.formats.transcription_files import write_pages
from uncial.metrics.review import ReadLine
from uncial.pipelines.line_recognition import MAX_LINES_IN_FLIGHT
from uncial.pipelines.output_places import copy_places, keep_corrections, keep_originals
from uncial.pipelines.pipeline import Pipeline
from uncial.reports.terminal.progress_bar import show_progress

GEOMETRY_DOUBTS = ("baseline_outside_polygon", "far_vertex")
"""Doubts whose sentences do not name the file themselves."""


@dataclass(frozen=True)
class TranscriptionReport:
    """The lines that were read, without their text, so that any number of pages can be. `problems` lists what could
    not be, `notes` what was with a doubt."""

    read: list[ReadLine] = field(default_factory=list)
    problems: list[Issue] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, more: "TranscriptionReport") -> None:
        """Append what was found elsewhere."""
        self.read.extend(more.read)
        self.problems.extend(more.problems)
        self.notes.extend(more.notes)


@dataclass(frozen=True)
class ReadFile:
    """The pages of a file as they came out of the pipeline, and the report on them."""

    pages: Sequence[Page]
    report: TranscriptionReport

    @property
    def source(self) -> Path:
        """The file."""
        return self.pages[0].source


IsRead = Callable[[Sequence[Page]], bool]
"""Whether the pages of a file need not be read."""


def read_files(
    pages: Sequence[Page], pipeline: Pipeline, is_read: IsRead = lambda file_pages: False
) -> Iterator[list[ReadFile]]:
    """Apply the pipeline to the pages, with a progress bar, and yield the files of each group as they come out; those
    for which `is_read` holds are passed over."""
    groups = [[file_pages for file_pages in group if not is_read(file_pages)] for group in _group_files(pages)]
    left = [group for group in groups if group]
    lines = sum(len(page.lines) for group in left for file_pages in group for page in file_pages)
    with show_progress("reading", lines) as advance:
        for group in left:
            read = pipeline(page for file_pages in group for page in file_pages)
            files = [[next(read) for _ in file_pages] for file_pages in group]
            advance(sum(len(page.lines) for file_pages in files for page in file_pages))
            yield [ReadFile(file_pages, _report(file_pages)) for file_pages in files]


def read_into_copies(
    pages: Sequence[Page], pipeline: Pipeline, reader: Reader, found: TranscriptionReport, target: Path
) -> None:
    """Read all lines of the pages into copies of their files below `target`, which say that `reader` read them; see
    `place_copies`.

    Raises `UserError` where a copy would take the place of what a person wrote."""
    copies = place_copies(pages, target)
    keep_corrections(copies, target, "predict.output")
    for group in read_files(pages, pipeline):
        for file in group:
            write_copy(file, copies[file.source], reader)
            found.add(file.report)


def place_copies(pages: Sequence[Page], target: Path) -> dict[Path, Path]:
    """Return where the copy of each file of the pages goes: below `target`, as the files lie below the folder that all
    images have in common, so that `X.jpg` with `page/X.xml` gives `page/X.xml`.

    Raises `UserError` where a copy would take the place of a file that is read."""
    copies = copy_places(pages, target)
    keep_originals(copies, copies.values(), target, "predict.output")
    return copies


def write_copy(file: ReadFile, target: Path, reader: Reader) -> bool:
    """Write the copy, which says that `reader` read it, but not where none of the lines could be read: it would pass
    off what was there before. Return whether it was written."""
    lines = [line for page in file.pages for line in page.lines]
    if lines and all(line.transcription is None for line in lines):
        return False
    try:
        write_pages(file.pages, target, reader=reader)
    except UnusableInput as error:
        file.report.problems.append(Issue(str(file.source), "", str(error)))
        return False
    return True


def _report(pages: Sequence[Page]) -> TranscriptionReport:
    report = TranscriptionReport()
    for page in pages:
        report.read.extend(
            ReadLine(page.id, line.id, len(line.transcription.text.strip()), line.transcription.confidence)
            for line in page.lines
            if line.transcription is not None
        )
        report.problems.extend(issue for issue in page.issues if not issue.is_doubt)
        report.notes.extend(_format_doubt(issue) for issue in page.issues if issue.is_doubt)
    return report


def _format_doubt(issue: Issue) -> str:
    where = f"{issue.file}{f', line {issue.line}' if issue.line else ''}: " if issue.kind in GEOMETRY_DOUBTS else ""
    return f"{where}{issue.reason}"


def group_pages_by_file(pages: Sequence[Page]) -> dict[Path, list[Page]]:
    """Return the pages of each file together: an ALTO file may hold several."""
    by_source: dict[Path, list[Page]] = {}
    for page in pages:
        by_source.setdefault(page.source, []).append(page)
    return by_source


def _group_files(pages: Sequence[Page]) -> Iterator[list[list[Page]]]:
    """Yield the pages by file, of as many files together as hold the lines that are read at once. The first groups are
    small, so that something is done soon; all depend on the pages alone, so that lines meet the same ones in every
    run."""
    group: list[list[Page]] = []
    lines, files = 0, 1
    for file_pages in group_pages_by_file(pages).values():
        group.append(file_pages)
        lines += sum(len(page.lines) for page in file_pages)
        if lines >= MAX_LINES_IN_FLIGHT or len(group) >= files:
            yield group
            group, lines, files = [], 0, 2 * files
    if group:
        yield group
