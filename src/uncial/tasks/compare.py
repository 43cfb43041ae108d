"""task=compare: whether one model is better than another, on the same lines."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from omegaconf import DictConfig, ListConfig
from rich.text import Text

from uncial.config.schema import as_tuple, check_choice, list_trusted
from uncial.config.typed import iterate_typed_names
from uncial.data.ground_truth import GroundTruth
from uncial.errors import UserError
from uncial.metrics.comparison import Comparison, Readings, score_systems
from uncial.metrics.evaluation import EvaluationSettings, evaluate
from uncial.metrics.image_quality import compare_by_measures
from uncial.models.files import find_model_file, load_model
from uncial.models.segmenter import Segmenter
from uncial.problems.build import build_evaluation_settings
from uncial.problems.ground_truth import describe_data, load_ground_truth, write_splits
from uncial.problems.layout.comparison import compare_layout_folders, compare_layout_models
from uncial.problems.page_texts import compare_page_texts
from uncial.problems.problem import find_problem_of_model
from uncial.problems.recognition.comparison import (
    compare_folders,
    compare_models,
    find_common_profile,
    find_unique_path_suffixes,
)
from uncial.problems.recognition.evaluation import measure_images
from uncial.problems.recognition.inference import apply_typed_keys, choose_rows_to_score
from uncial.problems.splitting import Model, choose_scoring_split
from uncial.reports.html.layout_comparison_page import write_layout_comparison_page
from uncial.reports.html.report_page import ReportHeader, write_comparison_page, write_scores_page
from uncial.reports.tables.comparison import make_comparison_table, write_comparison
from uncial.reports.tables.layout_comparison import make_layout_comparison_table, write_layout_comparison
from uncial.reports.tables.page_texts import PageTextScores, describe_page_texts
from uncial.reports.terminal.console import make_console, show
from uncial.runs.files import RunFolder
from uncial.runs.folder import run_folder, write_config
from uncial.runs.tables import write_skipped
from uncial.text.normalization import DEFAULT_PROFILE
from uncial.training.trainer import silence_lightning

log = logging.getLogger(__name__)


KINDS = ("text", "pages", "layout")
"""What can be compared, as compare.what names it."""

OF_MODELS = (
    *(f"data.{key}" for key in ("root", "train", "val", "test", "ratio", "split", "subset", "lines", "share", "folds")),
    "trainer.accelerator",
    "trainer.devices",
)
"""Keys that are read where models are compared, not where texts are."""


@dataclass(frozen=True)
class System:
    """One of the compared: a name, and its model files, one for each seed that it was trained with."""

    name: str
    files: tuple[Path, ...]


def run(config: DictConfig) -> None:
    """Compares the models of `checkpoint`, or the texts of `compare.folders`; leaves the comparison as tables and says
    in words who is better. One folder alone is scored."""
    build_evaluation_settings(config, config.compare.profile or DEFAULT_PROFILE)
    if _is_about_layout(config):
        _compare_layouts(config)
        return
    folder = run_folder()
    pages = None
    if config.compare.folders is not None:
        readings, pages, settings = _read_folders(config)
        comparison = score_systems(readings, settings)
        about = _describe(config, [] if pages is None else describe_page_texts(comparison, pages))
        [only, *others] = readings.values()
        if others:
            write_comparison_page(RunFolder(folder).report, comparison, about)
        else:
            write_scores_page(RunFolder(folder).report, evaluate(only[0], settings), about)
    else:
        comparison, truth = _compare_models(config)
        comparison = compare_by_measures(comparison, measure_images(truth, (line.origin for line in comparison.lines)))
        pictures = config.report.pictures
        write_comparison_page(RunFolder(folder).report, comparison, _describe(config), truth.store.strip, pictures)
    write_comparison(folder, comparison, pages=pages)
    if comparison.settings.cluster == "page" and comparison.clusters == len(comparison.lines) > 1:
        log.warning("Every line counts as a page of its own; data.page_pattern tells the pages of line images.")
    show(
        make_console(),
        make_comparison_table(comparison),
        *([] if pages is None else [Text("\n".join([*describe_page_texts(comparison, pages), ""]))]),
        f"{'Who wins where, and the lines that all miss' if comparison.pairs else 'The errors, line by line'}: "
        f"{RunFolder(folder).report}",
    )


def _is_about_layout(config: DictConfig) -> bool:
    """Return whether layouts are compared: where compare.what says so, or the first model has learned them."""
    what = None if config.compare.what is None else check_choice(config.compare.what, "compare.what", KINDS)
    if what == "pages" and config.checkpoint is not None:
        raise UserError("compare.what=pages compares texts in files: give compare.folders=[X,Y], not checkpoint.")
    if what is not None or config.checkpoint is None:
        return what == "layout"
    first = next(iter(as_tuple(next(iter(as_tuple(config.checkpoint)), ()))), None)
    return first is not None and issubclass(find_problem_of_model(config, Path(first)).model_class, Segmenter)


def _compare_layouts(config: DictConfig) -> None:
    if config.compare.folders is None:
        files = {system.name: system.files for system in _load_systems(config)}
        folder = run_folder()
        write_config(config, folder)
        comparison = compare_layout_models(config, files)
    else:
        folders = _list_folders(config)
        folder = run_folder()
        write_config(config, folder)
        comparison = compare_layout_folders(config, folders)
    write_layout_comparison(folder, comparison)
    write_layout_comparison_page(RunFolder(folder).report, comparison, _describe(config))
    told = f"Who finds which pages better: {RunFolder(folder).report}"
    show(make_console(), make_layout_comparison_table(comparison), told)


def _list_folders(config: DictConfig) -> dict[str, str]:
    """Return the folders of compare.folders by their names. Raises `UserError` where there is nothing to compare."""
    if config.checkpoint is not None:
        raise UserError("Give checkpoint=[A,B] to compare models or compare.folders=[X,Y] to compare texts, not both.")
    folders = as_tuple(config.compare.folders)
    if not folders or config.compare.truth is None:
        raise UserError("compare.folders needs a folder or several, and their ground truth: compare.truth=Z.")
    names = _list_names(config, [(Path(folder),) for folder in folders], "compare.folders")
    return dict(zip(names, folders, strict=True))


def _describe(config: DictConfig, told: Sequence[str] = ()) -> ReportHeader:
    """Return the head of the report; `told` are sentences on found lines."""
    given = config.compare.folders
    compared = ", ".join(as_tuple(given)) if given is not None else str(config.checkpoint)
    truth = config.compare.truth if given is not None else describe_data(config)
    facts = {"compared": compared, "ground truth": str(truth), **({"found lines": " ".join(told)} if told else {})}
    return ReportHeader("Comparison", facts, RunFolder.comparison_table)


def _read_folders(
    config: DictConfig,
) -> tuple[Mapping[str, Readings], Mapping[str, PageTextScores] | None, EvaluationSettings]:
    """Return the lines as the folders have them; with compare.what=pages the scores of their pages, too."""
    folders = _list_folders(config)
    for name in iterate_typed_names():
        if name in OF_MODELS or name.startswith(("model.", "trainer.evaluation_")):
            log.warning(f"{name} does nothing with compare.folders, whose texts are read from files.")
    folder = run_folder()
    write_config(config, folder)
    settings = build_evaluation_settings(config, config.compare.profile or DEFAULT_PROFILE)
    if config.compare.what == "pages":
        compared = compare_page_texts(config, folders, settings.profile, folder)
        return compared.readings, compared.pages, settings
    return compare_folders(config, folders, settings.profile, folder), None, settings


def _compare_models(config: DictConfig) -> tuple[Comparison, GroundTruth]:
    silence_lightning()
    contestants, trust = _load_systems(config), list_trusted(config)
    models = {contestant.name: [load_model(file, trust) for file in contestant.files] for contestant in contestants}
    apply_typed_keys([recognizer for found in models.values() for recognizer, _ in found], config)
    rules = [recognizer.text for found in models.values() for recognizer, _ in found]
    settings = build_evaluation_settings(config, config.compare.profile or find_common_profile(rules))
    folder = run_folder()
    write_config(config, folder)
    known = [
        Model(file, card) for one in contestants for file, (_, card) in zip(one.files, models[one.name], strict=True)
    ]
    truth = load_ground_truth(config, choose_scoring_split(config, known))
    write_skipped(RunFolder(folder).skipped, truth.problems)
    write_splits(folder, truth)
    _, rows = choose_rows_to_score(config, truth)
    return compare_models(config, folder, truth, rows, models, settings), truth


def _load_systems(config: DictConfig) -> list[System]:
    given = config.checkpoint
    if not isinstance(given, ListConfig) or len(given) < 2:
        raise UserError(
            "task=compare needs two models or more: checkpoint=[A,B]; or compare.folders=[X,Y] compare.truth=Z for "
            "PAGE or ALTO folders, of which one alone is scored too."
        )
    files = [tuple(find_model_file(Path(path), "checkpoint") for path in as_tuple(entry)) for entry in given]
    if not all(files):
        raise UserError("checkpoint holds an empty list; each entry is a model or a list of runs with other seeds.")
    names = _list_names(config, files, "checkpoint")
    return [System(name, own) for name, own in zip(names, files, strict=True)]


def _list_names(config: DictConfig, paths: Sequence[Sequence[Path]], key: str) -> list[str]:
    """Return what the contestants are called: `compare.names`, or the ends of their paths that tell them apart."""
    every = [path for own in paths for path in own]
    if twice := [path for path in every if every.count(path) > 1]:
        raise UserError(f"{key} names {twice[0]} more than once; what is compared has to differ.")
    names = list(as_tuple(config.compare.names))
    if names and (len(names) != len(paths) or len(set(names)) != len(names)):
        raise UserError(f"compare.names={names}: {len(paths)} different names are needed, in the order of {key}.")
    if names:
        return names
    ends = find_unique_path_suffixes(every)
    return [ends[own[0]] + (f" (+{len(own) - 1})" if len(own) > 1 else "") for own in paths]
