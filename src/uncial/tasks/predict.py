"""task=predict: reads the lines of page images, or line images, and writes the text where it belongs."""

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from omegaconf import DictConfig

from uncial.data.extraction import ExtractionSettings, extract_page
from uncial.data.settings import SourceSettings
from uncial.data.sources import lines, xml
from uncial.data.sources.finding import contents, files, places
from uncial.errors import LineError, UserError
from uncial.formats.images import is_image
from uncial.formats.results import RecognizedLine, write_jsonl, write_tsv
from uncial.formats.types import Page, Problem
from uncial.formats.write_xml import write_transcriptions
from uncial.reports.console import make_console, show
from uncial.reports.figures import plural
from uncial.reports.tables import write_skipped
from uncial.reports.tracking import tracked
from uncial.tasks.configuration import check_numbers, checkpoint_of, choice, listed, run_folder, write_config
from uncial.text.transcription import Transcription
from uncial.transcriber import Transcriber, load

FORMATS = ("xml", "tsv", "jsonl")


@dataclass(frozen=True)
class Found:
    """What was read: by page id, then by line id. `problems` lists what could not be."""

    texts: dict[str, dict[str, Transcription]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def run(config: DictConfig) -> None:
    """Reads all lines of `predict.input`; writes copies of the XML files, a TSV or JSON lines, and lists what could
    not be read."""
    check_numbers(config)
    form = choice(config.predict.format, "predict.format", FORMATS)
    transcriber = load(checkpoint_of(config))
    pages, problems = pages_to_read(config, form)
    folder = run_folder()
    write_config(config, folder)
    found = Found(problems=problems)
    target = Path(config.predict.output) if config.predict.output else folder / _default_name(form)
    if form == "xml":
        keep_originals(pages, target)
    with tracked("reading", sum(len(page.lines) for page in pages)) as advance:
        for source_pages in _by_source(pages):
            for page in source_pages:
                found.texts[page.id] = read_page(
                    page, transcriber, config.data.max_height, config.data.max_pixels, found
                )
                advance(len(page.lines))
            if form == "xml":
                _write_copy(source_pages, found, target / _below(source_pages[0].source, pages))
    if form != "xml":
        (write_tsv if form == "tsv" else write_jsonl)(target, _recognized(pages, found.texts))
    write_skipped(folder / "skipped.csv", found.problems)
    _report(found, target, folder)


def pages_to_read(config: DictConfig, form: str) -> tuple[Sequence[Page], list[Problem]]:
    """The pages of PAGE and ALTO files where the input holds some, else line images. Raises `UserError` where it
    holds neither."""
    inputs = listed(config.predict.input)
    images = tuple(Path(folder) for folder in listed(config.data.images))
    where = places(inputs, "predict.input")
    settings = SourceSettings(
        "xml",
        inputs,
        include=listed(config.data.include),
        exclude=listed(config.data.exclude),
        images=images,
        options={"unlabelled": True, "every_file": True},
    )
    if files(where, lambda path: path.suffix.lower() == ".xml"):
        reading = xml.read(settings)
    elif files(where, is_image):
        if form == "xml":
            raise UserError(
                f"predict.input={inputs[0]} holds images but no PAGE or ALTO files to write into: "
                "set predict.format=tsv or jsonl to read them as line images."
            )
        reading = lines.read(settings)
    else:
        raise UserError(f"predict.input={inputs[0]} holds no PAGE or ALTO files and no images, but {contents(where)}.")
    return reading.pages, list(reading.problems)


def read_page(
    page: Page, transcriber: Transcriber, max_height: int, max_pixels: int, found: Found
) -> dict[str, Transcription]:
    """Cuts the page's lines as training cuts them and reads them, by line id; lines that cannot be cut become
    problems."""
    cutting = ExtractionSettings(max_height, transcriber.recognizer.preprocessing.channels, max_pixels)
    try:
        cut = extract_page(page, cutting)
    except LineError as error:
        found.problems.append(Problem(str(page.source), "", str(error)))
        return {}
    strips: dict[str, np.ndarray] = {}
    for line, strip in zip(page.lines, cut.strips, strict=True):
        if isinstance(strip, LineError):
            found.problems.append(Problem(str(page.source), line.id, str(strip)))
        else:
            strips[line.id] = strip
    return dict(zip(strips, transcriber.transcribe(strips.values()), strict=True))


def keep_originals(pages: Sequence[Page], target: Path) -> None:
    """Raises `UserError` where a copy below `target` would take the place of a file that is read."""
    originals = {os.path.realpath(page.source) for page in pages}
    for page in pages:
        copy = target / _below(page.source, pages)
        if os.path.realpath(copy) in originals:
            raise UserError(f"predict.output={target}: {copy} is one of the files to read; name another folder.")


def _by_source(pages: Sequence[Page]) -> Iterator[list[Page]]:
    """The pages of each file together: an ALTO file may hold several."""
    by_source: dict[Path, list[Page]] = {}
    for page in pages:
        by_source.setdefault(page.source, []).append(page)
    yield from by_source.values()


def _write_copy(pages: Sequence[Page], found: Found, target: Path) -> None:
    """Writes the copy, but not where none of the lines could be read: it would pass off what was there before."""
    texts: Mapping[str, Transcription] = {line: text for page in pages for line, text in found.texts[page.id].items()}
    if not texts and any(page.lines for page in pages):
        return
    try:
        write_transcriptions(pages[0].source, target, texts)
    except LineError as error:
        found.problems.append(Problem(str(pages[0].source), "", str(error)))


def _below(source: Path, pages: Sequence[Page]) -> Path:
    """Where the copy lies in the output: as the file lies below the folder that all files have in common."""
    return source.relative_to(os.path.commonpath([page.source.parent for page in pages]))


def _recognized(pages: Sequence[Page], texts: Mapping[str, Mapping[str, Transcription]]) -> Iterator[RecognizedLine]:
    for page in pages:
        image = str(page.image.path) if page.image else ""
        for line, text in texts[page.id].items():
            yield RecognizedLine(page.id, line, image, str(page.source), text)


def _default_name(form: str) -> str:
    return "pages" if form == "xml" else f"results.{form}"


def _report(found: Found, target: Path, folder: Path) -> None:
    read = [text for texts in found.texts.values() for text in texts.values()]
    pages = sum(bool(texts) for texts in found.texts.values())
    mean = sum(text.confidence for text in read) / max(len(read), 1)
    told = [f"Read {plural(len(read), 'line')} of {plural(pages, 'page')}, mean confidence {mean:.2f}: {target}"]
    if found.problems:
        reasons = Counter(problem.reason for problem in found.problems).most_common(3)
        listed_reasons = "; ".join(f"{count} × {reason}" for reason, count in reasons)
        told.append(
            f"{len(found.problems)} pages or lines could not be read: {folder / 'skipped.csv'} ({listed_reasons})"
        )
    show(make_console(), *told)
    if not read:
        raise UserError(f"No line could be read; {folder / 'skipped.csv'} says why.")
