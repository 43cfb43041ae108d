"""task=finetune: a model reads the test pages, is trained on, reads them again, and the readings are compared."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from omegaconf import DictConfig

from uncial.data.ground_truth import GroundTruth
from uncial.data.sources import xml
from uncial.errors import UserError
from uncial.formats.types import Page, Problem
from uncial.metrics.comparison import Comparison, Readings, compare_systems
from uncial.models.files import load_card, load_model
from uncial.reports.comparison import comparison_table, write_comparison
from uncial.reports.comparison_page import write_comparison_page
from uncial.reports.console import make_console, show
from uncial.reports.scores_page import About
from uncial.reports.tables import write_skipped
from uncial.tasks import train
from uncial.tasks.configuration import evaluation_settings, run_folder
from uncial.tasks.evaluation import evaluated_lines
from uncial.tasks.loading import load_ground_truth
from uncial.tasks.page_copies import Found, read_pages, settings_to_read
from uncial.tasks.reading import read_lines, rows_to_score, warn_of_known_pages
from uncial.training.pace import Stopwatch
from uncial.transcriber import Transcriber, model_file

log = logging.getLogger(__name__)

PAGE = "comparison.html"
"""Beside report.html, which is that of the training."""


def run(config: DictConfig) -> None:
    """Reads the test part with `pretrained`, trains it on the train part, reads the test part with the best model, and
    leaves both sets of pages and their comparison beside the training's files."""
    if config.pretrained is None:
        raise UserError("task=finetune needs a model to start from: add pretrained=MODEL, a file or a run folder.")
    base = model_file(Path(str(config.pretrained)))
    folder = run_folder()
    truth = load_ground_truth(config)
    part, rows = rows_to_score(config, truth)
    sources = xml_files(truth, rows)
    write_copies(base, sources, config.data, folder / "before")
    train.run(config)
    tuned = folder / "best.safetensors"
    write_copies(tuned, sources, config.data, folder / "after")
    comparison = compared(config, truth, rows, {"before": base, "after": tuned})
    write_comparison(folder, comparison)
    about = About(
        "What fine-tuning was worth", {"before": str(base), "after": str(tuned), "part": part}, "comparison.csv"
    )
    write_comparison_page(folder / PAGE, comparison, about, truth.store.strip, config.report.pictures)
    show(make_console(), f"What it was worth, on the {part} part:", comparison_table(comparison))
    show(make_console(), f"Who wins where: {folder / PAGE}")


def xml_files(truth: GroundTruth, rows: np.ndarray) -> list[Path]:
    """The PAGE and ALTO files of these rows of the store, each once and in order; none where the lines come as
    images."""
    pages = {truth.store.value(int(row), "page") for row in rows}
    files = {page.source for page in truth.pages if page.id in pages}
    return sorted(file for file in files if file.suffix.lower() == ".xml")


def write_copies(model: Path, sources: Sequence[Path], data: DictConfig, target: Path) -> None:
    """Copies of the files with what the model reads in all of their lines; what could not be read is listed beside
    them."""
    if not sources:
        log.warning("The test lines come from no PAGE or ALTO files, so that there is no copy of them to write.")
        return
    pages, problems = _pages(sources, data)
    found = Found(problems=problems)
    read_pages(pages, Transcriber(*load_model(model)), data, found, copies=target)
    if found.problems:
        write_skipped(target / "skipped.csv", found.problems)
        log.warning(f"{len(found.problems)} pages or lines could not be read: {target / 'skipped.csv'}")


def _pages(sources: Sequence[Path], data: DictConfig) -> tuple[Sequence[Page], list[Problem]]:
    settings = settings_to_read([str(source) for source in sources], data)
    reading = xml.read(replace(settings, include=(), exclude=()))  # the sources are what they left
    return reading.pages, list(reading.problems)


def compared(config: DictConfig, truth: GroundTruth, rows: np.ndarray, models: Mapping[str, Path]) -> Comparison:
    """What each model reads in the same lines, in the form of text that the last of them learned."""
    profile = load_card(list(models.values())[-1])["normalization"]
    systems: dict[str, Readings] = {}
    for name, path in models.items():
        recognizer, card = load_model(path)
        warn_of_known_pages(truth, rows, card, f"the model {name} fine-tuning")
        results, _ = read_lines(config, run_folder(), truth, rows, recognizer, card, Stopwatch())
        systems[name] = [evaluated_lines(truth.store, results, profile)]
    return compare_systems(systems, evaluation_settings(config, profile))
