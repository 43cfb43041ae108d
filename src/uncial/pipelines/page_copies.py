"""Reads pages as files hold them and writes copies of the files with what was read in the place of their text."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from omegaconf import DictConfig

from uncial.config.schema import as_tuple
from uncial.data.filters import check_direction
from uncial.data.settings import SourceSettings
from uncial.document import Issue, Page, TextLine, Transcription
from uncial.errors import UnusableInput
from uncial.formats.provenance import Reader
from uncial.formats.write_xml import write_transcriptions
from uncial.imaging.extraction import ExtractionSettings, extract_page
from uncial.metrics.review import ReadLine
from uncial.models.recognizer import Recognizer
from uncial.pipelines.output_places import copy_places, keep_corrections, keep_originals
from uncial.pipelines.recognition import NOT_FINITE, Transcriber, is_finite
from uncial.reports.terminal.progress_bar import show_progress
from uncial.text.directions import runs_down

LINES_AT_ONCE = 512
"""Lines, of as many files as hold them, that are read together: the more, the more of them have one width and share a
batch."""

Texts = Mapping[str, Mapping[str, Transcription]]
"""What was read, by page id, then by line id."""


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
    """The pages of a file, what they say, and what was found in reading them."""

    pages: Sequence[Page]
    texts: Texts
    found: TranscriptionReport

    @property
    def source(self) -> Path:
        return self.pages[0].source


IsRead = Callable[[Sequence[Page]], bool]
"""Whether the pages of a file need not be read."""


def settings_to_read(inputs: Sequence[str], data: DictConfig, key: str = "data.root") -> SourceSettings:
    """How PAGE and ALTO files are read whose lines need no text; every file counts, also one without lines. `key` is
    where the inputs were given."""
    return SourceSettings(
        "xml",
        tuple(inputs),
        include=as_tuple(data.include),
        exclude=as_tuple(data.exclude),
        images=tuple(Path(folder) for folder in as_tuple(data.images)),
        options={"unlabelled": True, "every_file": True},
        key=key,
    )


def read_pages(
    pages: Sequence[Page], transcriber: Transcriber, data: DictConfig, is_read: IsRead = lambda file_pages: False
) -> Iterator[list[ReadFile]]:
    """Reads all lines of the pages, with a progress bar, and yields the files of each group with what they say; those
    for which `is_read` holds are passed over."""
    check_direction(data.direction)
    usual = _usual_direction(transcriber.recognizer)
    groups = [(group, [file_pages for file_pages in group if not is_read(file_pages)]) for group in _groups(pages)]
    left = [unread for _, unread in groups if unread]
    lines = sum(len(page.lines) for group in left for file_pages in group for page in file_pages)
    with show_progress("reading", lines) as advance:
        for group in left:
            directed = [[with_direction(page, data.direction, usual) for page in file_pages] for file_pages in group]
            found = [TranscriptionReport() for _ in group]
            texts = _read(directed, transcriber, data, found)
            advance(sum(len(page.lines) for file_pages in directed for page in file_pages))
            yield [ReadFile(*each) for each in zip(group, texts, found, strict=True)]


def read_into_copies(
    pages: Sequence[Page], transcriber: Transcriber, data: DictConfig, found: TranscriptionReport, target: Path
) -> None:
    """Reads all lines of the pages into copies of their files below `target`, which say so; see `copies_below`.

    Raises `UserError` where a copy would take the place of what a person wrote."""
    copies = copies_below(pages, target)
    keep_corrections(copies, target, "predict.output")
    for group in read_pages(pages, transcriber, data):
        for file in group:
            write_copy(file, copies[file.source], transcriber.reader)
            found.add(file.found)


def copies_below(pages: Sequence[Page], target: Path) -> dict[Path, Path]:
    """Where the copy of each file of the pages goes: below `target`, as the files lie below the folder that all images
    have in common, so that `X.jpg` with `page/X.xml` gives `page/X.xml`.

    Raises `UserError` where a copy would take the place of a file that is read."""
    copies = copy_places(pages, target)
    keep_originals(copies, copies.values(), target, "predict.output")
    return copies


def _read(
    files: Sequence[Sequence[Page]], transcriber: Transcriber, data: DictConfig, found: Sequence[TranscriptionReport]
) -> Iterator[Texts]:
    """What the lines of each file say, by page and line; lines that cannot be cut become problems."""
    cutting = ExtractionSettings(data.max_height, transcriber.recognizer.preprocessing.channels, data.max_pixels)
    cut = [
        {page.id: _strips(page, cutting, of_file) for page in pages}
        for pages, of_file in zip(files, found, strict=True)
    ]
    read = iter(transcriber.read(strip for pages in cut for strips in pages.values() for strip in strips.values()))
    for pages, strips_by_page, of_file in zip(files, cut, found, strict=True):
        texts = {
            page.id: _finite({line: next(read) for line in strips_by_page[page.id]}, page, of_file) for page in pages
        }
        of_file.read.extend(
            ReadLine(page, line, len(text.text.strip()), text.confidence)
            for page, by_line in texts.items()
            for line, text in by_line.items()
        )
        yield texts


def _finite(texts: dict[str, Transcription], page: Page, found: TranscriptionReport) -> dict[str, Transcription]:
    """Without the lines for which the model's outputs are NaN or Inf, which become problems."""
    broken = [line for line, text in texts.items() if not is_finite(text)]
    found.problems.extend(Issue(str(page.source), line, NOT_FINITE) for line in broken)
    return {line: text for line, text in texts.items() if line not in broken}


def _strips(page: Page, cutting: ExtractionSettings, found: TranscriptionReport) -> dict[str, np.ndarray]:
    """The page's lines as training cuts them, by line id."""
    try:
        cut = extract_page(page, cutting)
    except UnusableInput as error:
        found.problems.append(Issue(str(page.source), "", str(error), error.kind))
        return {}
    found.notes.extend(note.reason for note in cut.notes)
    found.notes.extend(
        f"{page.source}{f', line {note.line}' if note.line else ''}: {note.reason}" for note in cut.geometry
    )
    strips: dict[str, np.ndarray] = {}
    for line, strip in zip(page.lines, cut.strips, strict=True):
        if isinstance(strip, UnusableInput):
            found.problems.append(Issue(str(page.source), line.id, str(strip), strip.kind))
        else:
            strips[line.id] = strip
    return strips


def with_direction(page: Page, direction: str | None, usual: str | None) -> Page:
    """The page with the direction of writing in lines whose file states none, by which training cut their like.

    It is `direction` where that is set. Else the text of a line tells; where there is no text yet, `usual`, the
    direction of most texts that the model was trained on, `ttb` in tall lines alone.
    """

    def told(line: TextLine) -> TextLine:
        if line.direction is not None:
            return line
        if direction or (usual and not line.text and (usual != "ttb" or _is_column(line))):
            return replace(line, direction=direction or usual)
        return line

    return replace(page, lines=tuple(map(told, page.lines)))


def _usual_direction(recognizer: Recognizer) -> str | None:
    if recognizer.text.mixed == "R":
        return "rtl"
    return "ttb" if runs_down("".join(recognizer.codec.alphabet)) else None


def _is_column(line: TextLine) -> bool:
    """Whether it is so tall that training would take its text for more than one character above the other."""
    corners = line.polygon or (line.box and (line.box[:2], line.box[2:]))
    if line.baseline or not corners:
        return False
    across, down = (max(values) - min(values) for values in zip(*corners, strict=True))
    return down > 2 * across


def _by_source(pages: Sequence[Page]) -> Iterator[list[Page]]:
    """The pages of each file together: an ALTO file may hold several."""
    by_source: dict[Path, list[Page]] = {}
    for page in pages:
        by_source.setdefault(page.source, []).append(page)
    yield from by_source.values()


def _groups(pages: Sequence[Page]) -> Iterator[list[list[Page]]]:
    """The pages by file, of as many files together as hold the lines that are read at once. The first groups are small,
    so that something is done soon; all depend on the pages alone, so that lines meet the same ones in every run."""
    group: list[list[Page]] = []
    lines, files = 0, 1
    for file_pages in _by_source(pages):
        group.append(file_pages)
        lines += sum(len(page.lines) for page in file_pages)
        if lines >= LINES_AT_ONCE or len(group) >= files:
            yield group
            group, lines, files = [], 0, 2 * files
    if group:
        yield group


def write_copy(file: ReadFile, target: Path, reader: Reader) -> bool:
    """Writes the copy, which says that `reader` read it, but not where none of the lines could be read: it would pass
    off what was there before. Returns whether it did."""
    by_line = {line: text for page in file.pages for line, text in file.texts[page.id].items()}
    if not by_line and any(page.lines for page in file.pages):
        return False
    try:
        write_transcriptions(file.source, target, by_line, reader=reader)
    except UnusableInput as error:
        file.found.problems.append(Issue(str(file.source), "", str(error)))
        return False
    return True
