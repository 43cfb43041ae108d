"""A recogniser as a pipeline: pages with lines in, the same pages with the text of their lines out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from uncial.data.filters import check_direction
from uncial.document import Issue, Page, PageWarning, TextLine, Transcription
from uncial.errors import UnusableInput
from uncial.formats.provenance import Reader
from uncial.imaging.extraction import ExtractionSettings, extract_page
from uncial.imaging.images import MAX_PIXELS
from uncial.models.recognizer import Recognizer
from uncial.pipelines.pipeline import add_issues, group_pages
from uncial.pipelines.recognition import NOT_FINITE, Transcriber, is_finite
from uncial.text.characters import is_vertical

MAX_LINES_IN_FLIGHT = 512
"""Lines, of as many pages as hold them, that are read together: the more, the more of them have one width and share a
batch. One page more than that may be in flight."""

MAX_PAGES_IN_FLIGHT = 512
"""Pages that are held together where they have hardly any lines."""


@dataclass(frozen=True)
class ReadingSettings:
    """How lines are cut and directed: keys of the `data` group.

    `direction` is that of all lines whose file states none (`ltr`, `rtl`, `ttb` or `btt`; None: as their text and the
    model say). Line images higher than `max_height` pixels are scaled down to it; images of more than `max_pixels` are
    refused.
    """

    direction: str | None = None
    max_height: int = 128
    max_pixels: int = MAX_PIXELS


class RecognitionPipeline:
    """Reads the lines of pages: a `Pipeline`.

    A line that was read has `text`, `confidence`, `reader` and `transcription` by the model, and neither words nor
    spans, for these belong to the old text. A line that could not be is as it was, and an issue says why. Line images
    of many pages share a batch, at most `MAX_LINES_IN_FLIGHT` lines and those of the page that exceeds them.
    """

    def __init__(self, transcriber: Transcriber, settings: ReadingSettings) -> None:
        check_direction(settings.direction)
        self.transcriber = transcriber
        self.settings = settings
        self._model_direction = find_model_direction(transcriber.recognizer)
        channels = transcriber.recognizer.preprocessing.channels
        self._extraction = ExtractionSettings(settings.max_height, channels, settings.max_pixels)

    def __call__(self, pages: Iterable[Page], /) -> Iterator[Page]:
        """Yield the pages, in order, with what the model reads in their lines."""
        for group in group_pages(pages, MAX_LINES_IN_FLIGHT, MAX_PAGES_IN_FLIGHT):
            yield from self._read_group(group)

    def _read_group(self, pages: Sequence[Page]) -> Iterator[Page]:
        cut = [self._extract(page) for page in pages]
        read = iter(self.transcriber.read(strip for strips, _ in cut for strip in strips.values()))
        for page, (strips, issues) in zip(pages, cut, strict=True):
            found = {line: next(read) for line in strips}
            yield _fill_page(page, found, issues, self.transcriber.reader)

    def _extract(self, page: Page) -> tuple[dict[str, np.ndarray], list[Issue]]:
        """Return the page's lines as training cuts them, by line id, and what went wrong with them."""
        directed = set_direction(page, self.settings.direction, self._model_direction)
        try:
            cut = extract_page(directed, self._extraction)
        except UnusableInput as error:
            return {}, [Issue(str(page.source), "", str(error), error.kind)]
        issues = [_find_doubt(page, note) for note in (*cut.notes, *cut.geometry)]
        strips: dict[str, np.ndarray] = {}
        for line, strip in zip(page.lines, cut.strips, strict=True):
            if isinstance(strip, UnusableInput):
                issues.append(Issue(str(page.source), line.id, str(strip), strip.kind))
            else:
                strips[line.id] = strip
        return strips, issues


def set_direction(page: Page, direction: str | None, model_direction: str | None) -> Page:
    """Return the page with the direction of writing in lines whose file states none, by which training cut their like.

    It is `direction` where that is set. Else the text of a line tells; where there is no text yet, `model_direction`,
    that of most texts that the model was trained on, `ttb` in tall lines alone.
    """

    def direct(line: TextLine) -> TextLine:
        if line.direction is not None:
            return line
        if direction or (model_direction and not line.text and (model_direction != "ttb" or _is_column(line))):
            return replace(line, direction=direction or model_direction)
        return line

    return replace(page, lines=tuple(map(direct, page.lines)))


def find_model_direction(recognizer: Recognizer) -> str | None:
    """Return the direction of most texts that the model was trained on, None for left to right."""
    if recognizer.text.mixed == "R":
        return "rtl"
    return "ttb" if is_vertical("".join(recognizer.codec.alphabet)) else None


def _is_column(line: TextLine) -> bool:
    """Return whether it is so tall that training would take its text for more than one character above the other."""
    corners = line.polygon or (line.box and (line.box[:2], line.box[2:]))
    if line.baseline or not corners:
        return False
    across, down = (max(values) - min(values) for values in zip(*corners, strict=True))
    return down > 2 * across


def _find_doubt(page: Page, note: PageWarning) -> Issue:
    return Issue(str(page.source), note.line, note.reason, note.kind, lines=note.lines)


def _fill_page(page: Page, found: Mapping[str, Transcription], issues: Sequence[Issue], reader: Reader) -> Page:
    """Return the page with what was read in its lines, but for those for which the model's outputs are NaN or Inf."""
    broken = [Issue(str(page.source), line, NOT_FINITE) for line, read in found.items() if not is_finite(read)]
    lines = tuple(
        _fill_line(line, read, reader) if (read := found.get(line.id)) is not None and is_finite(read) else line
        for line in page.lines
    )
    return add_issues(replace(page, lines=lines), [*issues, *broken])


def _fill_line(line: TextLine, read: Transcription, reader: Reader) -> TextLine:
    return replace(
        line,
        text=read.text,
        confidence=read.confidence,
        spans=(),
        words=(),
        reader=str(reader),
        transcription=read,
    )
