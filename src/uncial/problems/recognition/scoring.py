"""How well a trained recogniser reads lines that it has not seen."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from hydra.utils import get_class
from omegaconf import DictConfig, ListConfig, OmegaConf

from uncial.config.instantiate import plain_choice
from uncial.config.saved_yaml import resolve_literally
from uncial.config.schema import get_checkpoint, list_trusted
from uncial.data.augmentation.chain import Augmentation
from uncial.data.augmentation.degradation import Condition, LineDegradation, list_conditions
from uncial.data.lines.dataset import Augment
from uncial.data.store.store import Store
from uncial.errors import UserError
from uncial.metrics.evaluation import EvaluationSettings, Overview, evaluate
from uncial.metrics.image_quality import score_by_measures
from uncial.metrics.lines import EvaluatedLine
from uncial.metrics.review import ReadLine, rank_for_review
from uncial.metrics.robustness import CLEAN, ConditionScore, score_conditions
from uncial.models.files import find_model_file, load_model
from uncial.models.recognizer import Recognizer
from uncial.problems.build import build_evaluation_settings
from uncial.problems.ground_truth import describe_data, load_ground_truth, write_splits
from uncial.problems.recognition.evaluation import (
    build_prediction_rows,
    evaluate_lines,
    list_cautions,
    measure_images,
    score_part,
)
from uncial.problems.recognition.inference import (
    apply_typed_keys,
    choose_rows_to_score,
    predict_lines,
    warn_about_training_overlap,
)
from uncial.problems.recognition.summary import read_outcome
from uncial.problems.splitting import Model, choose_scoring_split
from uncial.problems.trainer import open_loggers
from uncial.reports.html.report_page import DegradedScores, ReportHeader, write_scores_page
from uncial.reports.plots.sheets import AugmentationRow, draw_augmentation_sheet
from uncial.reports.tables.image_quality import write_image_quality
from uncial.reports.tables.ketos import write_ketos_report
from uncial.reports.tables.review import summarize_review, write_review
from uncial.reports.tables.robustness import DEGRADED, degraded_figures, make_robustness_table, write_robustness
from uncial.reports.tables.scores import describe_images, score_figures, write_scores
from uncial.reports.terminal.console import make_console, show
from uncial.reports.terminal.summary import RunSummary, format_run_summary
from uncial.runs.environment import add_to_environment
from uncial.runs.files import RunFolder
from uncial.runs.folder import run_folder, write_config
from uncial.runs.tables import write_metrics, write_predictions, write_skipped
from uncial.training.loggers.tracking import log_beside_the_file, show_outcome
from uncial.training.trainer import silence_lightning

log = logging.getLogger(__name__)


def score_recognizer(config: DictConfig) -> None:
    """Score `checkpoint` on a part of the data, with the same implementation, precision and digits as validation."""
    silence_lightning()
    path = find_model_file(get_checkpoint(config), "checkpoint")
    recognizer, card = load_model(path, list_trusted(config))
    apply_typed_keys([recognizer], config)
    conditions = build_conditions(config, recognizer.preprocessing.channels)
    settings = build_evaluation_settings(config, config.test.profile or recognizer.text.normalization)
    target = float(config.metrics.review_cer)
    folder = run_folder()
    write_config(config, folder)
    truth = load_ground_truth(config, choose_scoring_split(config, [Model(path, card)]))
    write_skipped(RunFolder(folder).skipped, truth.problems)
    write_splits(folder, truth)
    part, rows = choose_rows_to_score(config, truth)
    warn_about_training_overlap(truth, rows, card, path=path)
    add_to_environment(folder, {"data": {"store": truth.store.digest}})
    with open_loggers(config, folder) as loggers:
        read = predict_lines(config, folder, truth, rows, recognizer, card, loggers, path)
        lines = evaluate_lines(truth.store, read.results, settings.profile, recognizer.text)
        write_predictions(RunFolder(folder).predictions, build_prediction_rows(read.results, lines))
        evaluation = evaluate(lines, settings)
        measures = measure_images(truth, (line.origin for line in evaluation.lines))
        by_image = score_by_measures(evaluation.lines, measures, settings)
        write_scores(folder, evaluation, by_image)
        write_image_quality(folder, evaluation.lines, measures)
        write_ketos_report(RunFolder(folder).ketos_report, lines)

        def read_degraded(augment: Augment) -> list[EvaluatedLine]:
            again = predict_lines(config, folder, truth, rows, recognizer, card, (), path, augment)
            return evaluate_lines(truth.store, again.results, settings.profile, recognizer.text)

        degraded = None
        if conditions:
            scores = score_degraded(folder, lines, conditions, truth.store, read_degraded, settings)
            pictures_of = draw_degraded(folder, conditions, truth.store, rows, recognizer, config.seed)
            degraded = DegradedScores(scores, pictures_of)
        order = rank_for_review([_find_lines_to_review(line) for line in evaluation.lines])
        write_review(folder, order, target)
        about = ReportHeader(
            f"Test of {config.name}",
            {"part": part, "model": str(path), "data": describe_data(config)},
            RunFolder.scores_table,
        )
        pictures = int(config.report.pictures)
        write_scores_page(RunFolder(folder).report, evaluation, about, truth.store.strip, pictures, by_image, degraded)
        figures = {} if degraded is None else degraded_figures(degraded.scores)
        finish_test(folder, part, evaluation.overview, read.loss, read.seconds, path, figures)
        log_beside_the_file(loggers, {f"{DEGRADED}/{name}": value for name, value in figures.items()}, 0)
        if degraded:
            show(
                make_console(),
                make_robustness_table(degraded.scores),
                f"Some of the lines: {RunFolder(folder).robustness_sheet}",
            )
        show(make_console(), *filter(None, (summarize_review(order, target), describe_images(evaluation, by_image))))
        show_outcome(loggers, lambda: read_outcome(folder, "test", truth.store, rows, settings.profile))


AUGMENTATION = "test.augmentation"
GROUPS = ("augmentation", "augmentation/degradation")
"""Where what it names lies."""


def build_conditions(config: DictConfig, channels: int) -> list[Condition]:
    """Return what `test.augmentation` names: groups by the names of their files, and transforms or whole augmentations
    by their class, one or a list of them.

    Raises `UserError` for what is none of them, and for an augmentation that cannot be applied to a line.
    """
    given = config.test.get("augmentation")
    entries = list(given) if isinstance(given, ListConfig) else [] if given is None else [given]
    found: list[Condition] = []
    for entry in entries:
        if isinstance(entry, DictConfig) and "_target_" in entry:
            name, group = str(entry._target_).rpartition(".")[2], _group_of(resolve_literally(entry))
        elif isinstance(entry, str | int | float) and not isinstance(entry, bool):
            name, group = str(entry), plain_choice(config, GROUPS, str(entry), AUGMENTATION)
        else:
            raise UserError(
                f"{AUGMENTATION}={entry}: the name of a file in conf/augmentation is needed, as in "
                f"{AUGMENTATION}=noise, a class, '{AUGMENTATION}={{_target_: package.module.Class, key: value}}', or "
                "a list of these."
            )
        try:
            built = list(list_conditions(name, group, channels))
        except UserError as error:
            raise UserError(f"{AUGMENTATION}={name}: {error}") from error
        taken = {condition.name for condition in found}
        number = next(number for number in range(1, len(entries) + 1) if _numbered(name, number) not in taken)
        found += [replace(condition, name=_numbered(name, number)) for condition in built]
    return found


def _numbered(name: str, number: int) -> str:
    return name if number == 1 else f"{name} {number}"


def _group_of(described: DictConfig) -> dict[str, Any]:
    """Return the augmentation group that a class describes: itself, or the chain of one transform, which every line
    gets."""
    plain = OmegaConf.to_container(described)
    assert isinstance(plain, dict)
    named = {str(key): value for key, value in plain.items()}
    try:
        is_whole = issubclass(get_class(named["_target_"]), Augmentation)
    except Exception:
        is_whole = False  # which its composition says
    if is_whole:
        return named
    return {"_target_": f"{Augmentation.__module__}.{Augmentation.__name__}", "transforms": [{"p": 1.0, **named}]}


def score_degraded(
    folder: Path,
    clean: Sequence[EvaluatedLine],
    conditions: Sequence[Condition],
    store: Store,
    read: Callable[[Augment], list[EvaluatedLine]],
    settings: EvaluationSettings,
) -> tuple[ConditionScore, ...]:
    """Score the lines as `read` gives them under each condition beside those of `clean`, and leave the tables."""
    readings: dict[str, Sequence[EvaluatedLine]] = {}
    for condition in conditions:
        log.info(f"reading the lines with {condition.label}")
        readings[condition.label] = read(LineDegradation(condition.augmentation, store))
    scores = score_conditions(clean, readings, settings)
    write_robustness(folder, scores, {CLEAN: clean, **readings}, settings)
    return scores


SHOWN_LINES = 3
"""Lines that robustness.png shows under each condition."""


def draw_degraded(
    folder: Path, conditions: Sequence[Condition], store: Store, rows: np.ndarray, recognizer: Recognizer, seed: int
) -> list[np.ndarray]:
    """Draw some lines as the model sees them under each condition, and return the first of them: as it is, and under
    each.
    """
    chosen = np.random.default_rng(seed).permutation(rows)[:SHOWN_LINES].tolist()
    lines = {row: recognizer.preprocessing(store.strip(row)) for row in chosen}
    sheet = [AugmentationRow(CLEAN, list(lines.values()))]
    for condition in conditions:
        degrade = LineDegradation(condition.augmentation, store)
        images = [degrade(line, seed, 0, row) for row, line in lines.items()]
        sheet.append(AugmentationRow(condition.label, images))
    draw_augmentation_sheet(sheet, RunFolder(folder).robustness_sheet)
    return [row.images[0] for row in sheet]


def _find_lines_to_review(line: EvaluatedLine) -> ReadLine:
    counts, origin = line.counts, line.origin
    read = len(line.prediction)
    return ReadLine(origin.page, origin.line, read, line.confidence or 0.0, counts.edits, counts.characters)


def finish_test(
    folder: Path,
    part: str,
    overview: Overview,
    loss: float,
    seconds: float,
    model: Path,
    degraded: Mapping[str, float],
) -> None:
    """Write metrics.json, with the figures of degraded images where there are any, and say how good the model is and
    where the details are."""
    figures = {"loss": loss, **score_figures(overview), "part": part, "seconds": seconds}
    write_metrics(RunFolder(folder).metrics, {"test": figures, **({DEGRADED: degraded} if degraded else {})})
    for caution in list_cautions(overview):
        log.warning(caution)
    summary = RunSummary(
        parts={part: score_part(figures)},
        folder=folder,
        seconds=seconds,
        lines_per_second=overview.total.scores.lines / max(seconds, 1e-9),
        files={"model": model, "report": RunFolder(folder).report, "predictions": RunFolder(folder).predictions},
    )
    show(make_console(), format_run_summary(summary))
