"""task=finetune: a model reads the test pages, is trained on, reads them again, and the readings are compared."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from omegaconf import DictConfig

from uncial.config.schema import list_trusted
from uncial.data.ground_truth import GroundTruth
from uncial.data.sources import xml
from uncial.document import Issue, Page
from uncial.errors import UserError
from uncial.metrics.comparison import Comparison
from uncial.models.files import find_model_file, load_model
from uncial.models.recognizer import Recognizer
from uncial.pipelines.line_recognition import RecognitionPipeline
from uncial.pipelines.page_copies import TranscriptionReport, read_into_copies
from uncial.pipelines.recognition import Transcriber
from uncial.problems.build import build_evaluation_settings, build_reading_settings, build_source_settings
from uncial.problems.ground_truth import load_ground_truth
from uncial.problems.problem import build_problem
from uncial.problems.recognition.comparison import compare_models
from uncial.problems.recognition.inference import choose_rows_to_score
from uncial.problems.splitting import choose_training_split
from uncial.problems.training_run import open_run, train_run
from uncial.reports.html.report_page import ReportHeader, write_comparison_page
from uncial.reports.tables.comparison import make_comparison_table, write_comparison
from uncial.reports.terminal.console import make_console, show
from uncial.runs.files import RunFolder
from uncial.runs.session import AUTO, RunSession
from uncial.runs.tables import write_skipped

log = logging.getLogger(__name__)


def run(config: DictConfig) -> None:
    """Reads the test part with `pretrained`, trains it on the train part, reads the test part with the best model, and
    leaves both sets of pages and their comparison beside the training's files."""
    if config.pretrained is None and config.resume in (None, AUTO):
        raise UserError("task=finetune needs a model to start from: add pretrained=MODEL, a file or a run folder.")
    if config.pretrained is not None and not issubclass(Recognizer, build_problem(config).model_class):
        raise UserError(
            f"task=finetune reads the pages before and after, which model={config.model.name} does not: leave task out "
            "to go on from the model of pretrained."
        )
    with open_run(config) as this:
        finetune(this)


def finetune(this: RunSession) -> None:
    """One session of a run, with its comparison at the end: of the best model so far, where the run has more to do."""
    config, folder = this.config, this.folder
    base = find_model_file(Path(str(config.pretrained)), "pretrained")
    truth = load_ground_truth(config, choose_training_split(this, [str(config.data.subset or "test")]))
    part, rows = choose_rows_to_score(config, truth)
    sources = list_xml_files(truth, rows)
    write_copies(base, sources, config, folder / "before")
    train_run(this)
    tuned = RunFolder(folder).best_model
    write_copies(tuned, sources, config, folder / "after")
    comparison = compare(this, truth, rows, base, tuned)
    write_comparison(folder, comparison, RunFolder.comparison_lines)
    about = ReportHeader(
        "What fine-tuning was worth",
        {"before": str(base), "after": str(tuned), "part": part},
        RunFolder.comparison_table,
    )
    write_comparison_page(
        RunFolder(folder).comparison_page, comparison, about, truth.store.strip, config.report.pictures
    )
    show(make_console(), f"What it was worth, on the {part} part:", make_comparison_table(comparison))
    show(make_console(), f"Who wins where: {RunFolder(folder).comparison_page}")


def list_xml_files(truth: GroundTruth, rows: np.ndarray) -> list[Path]:
    """Return the PAGE and ALTO files of these rows of the store, each once and in order; none where the lines come as
    images."""
    pages = {truth.store.value(int(row), "page") for row in rows}
    files = {page.source for page in truth.pages if page.id in pages}
    return sorted(file for file in files if file.suffix.lower() == ".xml")


def write_copies(model: Path, sources: Sequence[Path], config: DictConfig, target: Path) -> None:
    """Copies of the files with what the model reads in all of their lines; what could not be read is listed beside
    them."""
    if not sources:
        log.warning("The test lines come from no PAGE or ALTO files, so that there is no copy of them to write.")
        return
    pages, problems = _read_pages(sources, config.data)
    found = TranscriptionReport(problems=problems)
    transcriber = Transcriber(*load_model(model, list_trusted(config)), name=model.name)
    pipeline = RecognitionPipeline(transcriber, build_reading_settings(config.data))
    read_into_copies(pages, pipeline, transcriber.reader, found, target)
    if found.problems:
        write_skipped(RunFolder(target).skipped, found.problems)
        log.warning(f"{len(found.problems)} pages or lines could not be read: {RunFolder(target).skipped}")


def _read_pages(sources: Sequence[Path], data: DictConfig) -> tuple[Sequence[Page], list[Issue]]:
    settings = build_source_settings([str(source) for source in sources], data)
    reading = xml.read_xml(replace(settings, include=(), exclude=()))  # the sources are what they left
    return reading.pages, list(reading.problems)


def compare(this: RunSession, truth: GroundTruth, rows: np.ndarray, before: Path, after: Path) -> Comparison:
    """Return what both models read in the same lines, in the form of text that the second of them learned."""
    trust = list_trusted(this.config)
    models = {"before": [load_model(before, trust)], "after": [load_model(after, trust)]}
    settings = build_evaluation_settings(this.config, models["after"][0][0].text.normalization)
    return compare_models(this.config, this.folder, truth, rows, models, settings)
