"""A recogniser applied: reads the lines of page images, or line images, and writes the text where it belongs."""

import logging
from collections.abc import Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path

from omegaconf import DictConfig

from uncial.config.schema import as_tuple, check_choice, get_checkpoint
from uncial.data.sources import lines, xml
from uncial.data.sources.finding import describe_contents, find_files, find_places
from uncial.data.sources.xml_files import find_xml_beside
from uncial.document import Issue, Page
from uncial.errors import UserError
from uncial.formats.lines.pairs import is_image
from uncial.formats.lines.results import holds_results
from uncial.metrics.review import rank_for_review
from uncial.models.files import find_model_file
from uncial.pipelines.line_recognition import RecognitionPipeline
from uncial.pipelines.output_places import check_output, drop_output, keep_originals
from uncial.pipelines.page_copies import TranscriptionReport, place_copies
from uncial.pipelines.reading_journal import open_journal
from uncial.pipelines.resumed_reading import Job, describe_reading, read_into_files, read_into_table
from uncial.problems.build import build_reading_settings, build_source_settings
from uncial.problems.prediction_output import find_folder, find_target, list_inputs, refuse_typed, say_anew
from uncial.problems.recognition.inference import load_transcriber
from uncial.reports.tables.findings import sum_reasons
from uncial.reports.tables.review import summarize_review, write_review
from uncial.reports.terminal.console import make_console, show
from uncial.reports.terminal.formatting import plural
from uncial.runs.files import RunFolder
from uncial.runs.folder import write_config
from uncial.runs.tables import write_skipped
from uncial.training.distributed.devices import tune_malloc

log = logging.getLogger(__name__)

FORMATS = ("xml", "tsv", "jsonl")
OF_LAYOUT = (
    "predict.version",
    "predict.regions",
    "predict.lines",
    "predict.max_gap",
    "predict.images",
    "predict.page_images",
    "predict.dpi",
    "predict.sheets",
)
"""Keys that models which find lines read, and recognisers do not."""

UNSURE = 0.5
"""A mean confidence below which the model hardly knows the writing."""


def read_input(config: DictConfig) -> None:
    """Reads all lines of `predict.input`; writes copies of the XML files, a TSV or JSON lines, and lists what could
    not be read. A reading that was stopped goes on with the files that it had not read."""
    form = check_choice(config.predict.format, "predict.format", FORMATS)
    refuse_typed(OF_LAYOUT, "a recogniser")
    tune_malloc()
    model = find_model_file(get_checkpoint(config), "checkpoint")
    transcriber = load_transcriber(config)
    wanted = float(config.metrics.review_cer)
    pages, problems = find_pages_to_read(config, form)
    settings = build_reading_settings(config.data)
    about = describe_reading(model, transcriber, form, settings, version("uncial"))
    inputs = list_inputs(config)
    folder = find_folder(config, _get_default_name(form), about, inputs)
    write_config(config, folder)
    target = find_target(config, _get_default_name(form), folder)
    if form == "xml":
        pages, problems = drop_output(pages, problems, target)
        named = [place.path for place in find_places(as_tuple(config.predict.input), "predict.input")]
        check_output(target, named, pages, "predict.output")
        place_copies(pages, target)
    else:
        _check_table(target, pages, problems)
    job = Job(pages, RecognitionPipeline(transcriber, settings), transcriber.reader)
    with open_journal(target, about, inputs, say_anew) as journal:
        read_all = read_into_files if form == "xml" else partial(read_into_table, form=form)
        found = read_all(job, journal, target=target)
    found.problems[:0] = problems
    write_skipped(RunFolder(folder).skipped, found.problems)
    _report(found, target, folder)
    if not found.read:
        raise UserError(_explain_nothing_read(pages, found, folder))
    order = rank_for_review(found.read)
    write_review(folder, order, wanted)
    show(make_console(), summarize_review(order, wanted))


def find_pages_to_read(config: DictConfig, form: str) -> tuple[Sequence[Page], list[Issue]]:
    """Return the pages of PAGE and ALTO files where the input holds some or names images that have one beside them,
    else line images. Raises `UserError` where it holds neither."""
    inputs = as_tuple(config.predict.input)
    where = find_places(inputs, "predict.input")
    settings = build_source_settings(inputs, config.data, "predict.input")
    transcribed = any(place.path.is_file() and is_image(place.path) and find_xml_beside(place.path) for place in where)
    if transcribed or find_files(where, lambda path: path.suffix.lower() == ".xml"):
        reading = xml.read_xml(settings)
    elif find_files(where, is_image):
        if form == "xml":
            raise UserError(
                f"predict.input={inputs[0]} holds images but no PAGE or ALTO files to write into: set "
                "predict.format=tsv or jsonl to read them as line images, or find their lines first, with a layout "
                "model as checkpoint=…."
            )
        reading = lines.read(settings)
    else:
        raise UserError(
            f"predict.input={inputs[0]} holds no PAGE or ALTO files and no images, but {describe_contents(where)}."
        )
    return reading.pages, list(reading.problems)


def _check_table(target: Path, pages: Sequence[Page], problems: Sequence[Issue]) -> None:
    """Raise `UserError` where the table cannot come into this place, before hours of reading."""
    if target.is_dir():
        raise UserError(f"predict.output={target} is a folder: name the file to write, as {target / 'results.txt'}.")
    read = [path for page in pages for path in (page.source, page.image and page.image.path) if path]
    keep_originals([*read, *(problem.file for problem in problems)], [target], target, "predict.output")
    if target.is_file() and not holds_results(target):
        raise UserError(f"predict.output={target} exists and holds something else than readings: name another file.")


def _get_default_name(form: str) -> str:
    return "pages" if form == "xml" else f"results.{form}"


def _report(found: TranscriptionReport, target: Path, folder: Path) -> None:
    read = found.read
    pages = len({line.page for line in read})
    mean = sum(line.confidence for line in read) / max(len(read), 1)
    told = [f"Read {plural(len(read), 'line')} of {plural(pages, 'page')}, mean confidence {mean:.2f}: {target}"]
    if read and mean < UNSURE:
        told.append(
            "The model is sure of little of it: look at some lines before you use them. A model of like writing reads "
            "better, or this one fine-tuned on a few transcribed pages (task=finetune)."
        )
    if found.problems:
        reasons = sum_reasons(found.problems)[:3]
        listed_reasons = "; ".join(f"{one.count} × {one.reason}" for one in reasons)
        told.append(
            f"{len(found.problems)} pages or lines could not be read: {RunFolder(folder).skipped} ({listed_reasons})"
        )
    if found.notes:
        more = f" ({len(found.notes)} such notes in all)" if len(found.notes) > 1 else ""
        told.append(f"To look at: {found.notes[0]}{more}")
    show(make_console(), *told)


def _explain_nothing_read(pages: Sequence[Page], found: TranscriptionReport, folder: Path) -> str:
    if found.problems:
        return f"No line could be read; {RunFolder(folder).skipped} says why."
    return (
        f"There is no line to read: no line is marked on the {plural(len(pages), 'page')}; task=predict with a layout "
        "model as checkpoint=… finds the lines of a page (model=layout trains one), as Transkribus, eScriptorium and "
        "Loghi do."
    )
