"""Reads pages as files hold them and writes copies of the files with what was read in the place of their text."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from omegaconf import DictConfig

from uncial.data.extraction import ExtractionSettings, extract_page
from uncial.data.filters import check_direction
from uncial.data.settings import SourceSettings
from uncial.errors import LineError, UserError
from uncial.formats.types import Page, Problem, TextLine
from uncial.formats.write_xml import write_transcriptions
from uncial.metrics.review import ReadLine
from uncial.models.recognizer import Recognizer
from uncial.reports.tracking import tracked
from uncial.tasks.configuration import listed
from uncial.text.directions import runs_down
from uncial.text.transcription import Transcription
from uncial.transcriber import Transcriber

LINES_AT_ONCE = 512
"""Lines, of as many files as hold them, that are read together: the more, the more of them have one width and share a
batch."""

Texts = Mapping[str, Mapping[str, Transcription]]
"""What was read, by page id, then by line id."""


@dataclass(frozen=True)
class Found:
    """The lines that were read, without their text, so that any number of pages can be. `problems` lists what could
    not be, `notes` what was with a doubt."""

    read: list[ReadLine] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def settings_to_read(inputs: Sequence[str], data: DictConfig, key: str = "data.root") -> SourceSettings:
    """How PAGE and ALTO files are read whose lines need no text; every file counts, also one without lines. `key` is
    where the inputs were given."""
    return SourceSettings(
        "xml",
        tuple(inputs),
        include=listed(data.include),
        exclude=listed(data.exclude),
        images=tuple(Path(folder) for folder in listed(data.images)),
        options={"unlabelled": True, "every_file": True},
        key=key,
    )


def read_pages(
    pages: Sequence[Page], transcriber: Transcriber, data: DictConfig, found: Found
) -> Iterator[tuple[Sequence[Page], Texts]]:
    """Reads all lines of the pages, with a progress bar, and yields those of each file with what they say; `found`
    counts them."""
    check_direction(data.direction)
    usual = _usual_direction(transcriber.recognizer)
    with tracked("reading", sum(len(page.lines) for page in pages)) as advance:
        for group in _groups(pages):
            directed = [with_direction(page, data.direction, usual) for file_pages in group for page in file_pages]
            texts = _read(directed, transcriber, data, found)
            advance(sum(len(page.lines) for page in directed))
            for file_pages in group:
                yield file_pages, {page.id: next(texts) for page in file_pages}


def read_into_copies(
    pages: Sequence[Page], transcriber: Transcriber, data: DictConfig, found: Found, target: Path
) -> None:
    """Reads all lines of the pages into copies of their files below `target`, which lie there as the files lie below
    the folder that all of them have in common.

    Raises `UserError` where a copy would take the place of a file that is read."""
    sources = list(dict.fromkeys(page.source for page in pages))
    common = os.path.commonpath([source.parent for source in sources])
    copies = {source: target / source.relative_to(common) for source in sources}
    keep_originals(sources, copies.values(), target)
    for source_pages, texts in read_pages(pages, transcriber, data, found):
        _write_copy(source_pages, texts, found, copies[source_pages[0].source])


def _read(
    pages: Sequence[Page], transcriber: Transcriber, data: DictConfig, found: Found
) -> Iterator[dict[str, Transcription]]:
    """What the lines of each page say, by line id; lines that cannot be cut become problems."""
    cutting = ExtractionSettings(data.max_height, transcriber.recognizer.preprocessing.channels, data.max_pixels)
    cut = [_strips(page, cutting, found) for page in pages]
    read = iter(transcriber.read(strip for strips in cut for strip in strips.values()))
    texts = [{line: next(read) for line in strips} for strips in cut]
    for page, by_line in zip(pages, texts, strict=True):
        found.read.extend(
            ReadLine(page.id, line, len(text.text.strip()), text.confidence) for line, text in by_line.items()
        )
    return iter(texts)


def _strips(page: Page, cutting: ExtractionSettings, found: Found) -> dict[str, np.ndarray]:
    """The page's lines as training cuts them, by line id."""
    try:
        cut = extract_page(page, cutting)
    except LineError as error:
        found.problems.append(Problem(str(page.source), "", str(error), error.kind))
        return {}
    found.notes.extend(note.reason for note in cut.notes)
    found.notes.extend(
        f"{page.source}{f', line {note.line}' if note.line else ''}: {note.reason}" for note in cut.geometry
    )
    strips: dict[str, np.ndarray] = {}
    for line, strip in zip(page.lines, cut.strips, strict=True):
        if isinstance(strip, LineError):
            found.problems.append(Problem(str(page.source), line.id, str(strip), strip.kind))
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


def keep_originals(read: Iterable[Path | str], written: Iterable[Path], output: Path) -> None:
    """Raises `UserError` where one of the files to write would take the place of one that is read. `output` is what
    the user named."""
    originals = {os.path.realpath(path) for path in read}
    for path in written:
        if os.path.realpath(path) in originals:
            raise UserError(
                f"predict.output={output}: {path} is one of the files to read; name another place, or leave that file "
                "out of the input with data.exclude."
            )


def _by_source(pages: Sequence[Page]) -> Iterator[list[Page]]:
    """The pages of each file together: an ALTO file may hold several."""
    by_source: dict[Path, list[Page]] = {}
    for page in pages:
        by_source.setdefault(page.source, []).append(page)
    yield from by_source.values()


def _groups(pages: Sequence[Page]) -> Iterator[list[list[Page]]]:
    """The pages by file, of as many files together as hold the lines that are read at once."""
    group: list[list[Page]] = []
    lines = 0
    for file_pages in _by_source(pages):
        group.append(file_pages)
        lines += sum(len(page.lines) for page in file_pages)
        if lines >= LINES_AT_ONCE:
            yield group
            group, lines = [], 0
    if group:
        yield group


def _write_copy(pages: Sequence[Page], texts: Texts, found: Found, target: Path) -> None:
    """Writes the copy, but not where none of the lines could be read: it would pass off what was there before."""
    by_line = {line: text for page in pages for line, text in texts[page.id].items()}
    if not by_line and any(page.lines for page in pages):
        return
    try:
        write_transcriptions(pages[0].source, target, by_line)
    except LineError as error:
        found.problems.append(Problem(str(pages[0].source), "", str(error)))
