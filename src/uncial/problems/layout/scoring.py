"""How well a layout model finds lines and regions: at the end of a training, and on pages that it has not seen."""

import logging
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from uncial.config.location import format_command
from uncial.config.overrides import format_override
from uncial.config.schema import build_settings, format_trust, get_checkpoint, list_trusted
from uncial.data.lines.loader import report_lost_workers
from uncial.data.pages.datamodule import PageDataModule
from uncial.data.splits.split_file import COLUMNS
from uncial.document import Page
from uncial.errors import DivergedError, UserError
from uncial.metrics.layout.layout_metric import PageLayout, PageResult, summarise_page_inks
from uncial.models.contracts import Model
from uncial.models.files import find_model_file, load_any_model, load_card
from uncial.models.lineage import list_pages_seen
from uncial.models.segmenter import Segmenter
from uncial.problems.layout.ground_truth import PageTruth, list_split_rows, load_pages
from uncial.problems.layout.ink import NO_POLYGONS, measure_ink_of_store
from uncial.problems.layout.metric import LayoutBatchMetric
from uncial.problems.layout.outcome import build_outcome
from uncial.problems.layout.page_results import (
    compare_found_pages,
    pair_pages,
    write_found_pages,
    write_page_scores,
    write_report,
)
from uncial.problems.layout.setup import build_evaluation_loading, build_whole_pages
from uncial.problems.problem import BestModelWriter, TrainingStats
from uncial.problems.splitting import Model as SplitModel
from uncial.problems.splitting import choose_scoring_split
from uncial.problems.trainer import open_loggers, run_on_devices
from uncial.reports.plots.curves import draw_curves
from uncial.reports.terminal.console import make_console, show
from uncial.reports.terminal.formatting import plural
from uncial.reports.terminal.layout_summary import LayoutSummary, format_effort, format_layout_summary
from uncial.runs.environment import add_to_environment
from uncial.runs.files import RunFolder
from uncial.runs.folder import format_follow_up_command, run_folder, to_plain_config, write_config
from uncial.runs.session import RunSession
from uncial.runs.tables import write_csv, write_metrics, write_skipped
from uncial.training.callbacks.progress import Told, build_progress
from uncial.training.callbacks.throughput import TestTimer
from uncial.training.distributed.devices import choose_devices
from uncial.training.distributed.signals import exit_on_signals
from uncial.training.loggers.tracking import show_outcome
from uncial.training.module import ScoringModule
from uncial.training.settings import TrainerSettings
from uncial.training.trainer import build_evaluation_trainer

log = logging.getLogger(__name__)


class LayoutWriter(BestModelWriter):
    """Writes the model, what it found on each page of the validation, and how well."""

    files = (RunFolder.best_model, RunFolder.page_scores, RunFolder.found_pages)

    def __init__(self, folder: Path, model: Model, card: Mapping[str, Any], metric: LayoutBatchMetric) -> None:
        super().__init__(folder, model, card)
        self.metric = metric

    def write(self, scores: Mapping[str, float]) -> None:
        super().write(scores)
        if scores:
            write_page_scores(RunFolder(self.folder).page_scores, self.metric.results)
            write_found_pages(RunFolder(self.folder).found_pages, self.metric.found)


def finish_training(run: RunSession, truth: PageTruth, stats: TrainingStats, skipped: int) -> None:
    """Draw and write what a training leaves, and say how good the best model is, where it lies and what to run next."""
    folder = RunFolder(run.folder)
    draw_curves(folder.metrics_rows, folder.curves)
    model = " ".join([format_override("checkpoint", run.folder), *map(shlex.quote, format_trust(run.config))])
    scores = load_card(folder.best_model)["scores"]
    compared = compare_found_pages(run.folder, run.config, truth)
    write_report(run.folder, run.config, "validation", f"Training of {run.config.name}", folder.best_model, compared)
    # Last: a run with this file is finished.
    write_metrics(folder.metrics, {"val": scores, "train": stats.list_figures()})
    # Which data there are where none are typed is the model's choice, and task=test is told no model but this.
    is_typed = any(argument.startswith(("data=", "experiment=")) for argument in run.typed)
    drawn = [] if is_typed else ["data=synthetic_pages"]
    score_it = format_follow_up_command(run.folder, run.typed, "task=test", model, *drawn)
    summary = LayoutSummary(
        parts={"validation": scores},
        folder=run.folder,
        effort=format_effort(stats.seconds, stats.steps, stats.lines_per_second),
        skipped=skipped,
        files={"best model": folder.best_model, "report": folder.report, "scores of each page": folder.page_scores},
        next_steps={
            **({"score it on the test part": score_it} if len(truth.rows["test"]) else {}),
            "find the lines of your own pages": format_command("task=predict", model, "predict.input=FOLDER"),
        },
    )
    show(make_console(), format_layout_summary(summary))


def score_segmenter(config: DictConfig) -> None:
    """Score `checkpoint` on a part of the data, with the same implementation and digits as its validation."""
    path = find_model_file(get_checkpoint(config), "checkpoint")
    model, card = load_any_model(path, list_trusted(config))
    if not isinstance(model, Segmenter):
        raise UserError(f"{path}: the file holds a {model.called}, not a layout model.")
    folder = run_folder()
    write_config(config, folder)
    truth = load_pages(config, choose_scoring_split(config, [SplitModel(path, card)]))
    write_skipped(RunFolder(folder).skipped, truth.problems)
    write_csv(RunFolder(folder).splits, COLUMNS, list_split_rows(truth))
    part = choose_part(config, truth)
    warn_about_overlap(truth, part, card)
    add_to_environment(folder, {"data": {"store": truth.store.digest}})
    with open_loggers(config, folder) as loggers:
        results, found, scores, seconds = find_layouts(config, folder, truth, part, model, path)
        for logger in loggers:
            logger.log_metrics({f"test/{name}": value for name, value in scores.items()} | {"epoch": 0}, 0)
            logger.save()
        write_page_scores(RunFolder(folder).page_scores, results)
        write_found_pages(RunFolder(folder).found_pages, found)
        compared = pair_pages(config, truth, results, found)
        write_report(folder, config, part, f"Test of {config.name}", path, compared)
        write_metrics(RunFolder(folder).metrics, {"test": {**scores, "part": part, "seconds": seconds}})
        summary = LayoutSummary(
            parts={part: scores},
            folder=folder,
            effort=format_effort(seconds, None, len(results) / max(seconds, 1e-9)),
            skipped=len(truth.problems),
            files={
                "model": path,
                "report": RunFolder(folder).report,
                "scores of each page": RunFolder(folder).page_scores,
            },
        )
        show(make_console(), format_layout_summary(summary))
        show_outcome(loggers, lambda: build_outcome(config, folder, truth, "test"))


def find_layouts(
    config: DictConfig, folder: Path, truth: PageTruth, part: str, model: Segmenter, name: Path | str
) -> tuple[list[PageResult[PageLayout]], list[Page], dict[str, float], float]:
    """Return how a model does on each page of a part, what it found there, the scores of all and how many seconds it
    took, on the devices that the config names. What becomes of the ink of lines is measured, too.

    Raises `UserError` for one whose outputs are NaN or Inf, by its name.
    """
    devices, plain = choose_devices(build_settings(TrainerSettings, config)), to_plain_config(config)
    try:
        results, found, scores, seconds = run_on_devices(devices, folder, _score, plain, folder, truth, part, model)
    except DivergedError as error:
        raise UserError(f"{name}: {error}") from None
    measured = measure_ink_of_store(truth.store, results, found)
    inks = summarise_page_inks([result.scores for result in measured])
    if not inks:
        log.info(NO_POLYGONS)
    return measured, found, {**scores, **inks}, seconds


def _score(
    config: DictConfig, folder: Path, truth: PageTruth, part: str, model: Segmenter
) -> tuple[list[PageResult[PageLayout]], list[Page], dict[str, float], float]:
    """Return what each process does: it finds the layout of its part of the pages. The first one has what all found."""
    metric, watch = LayoutBatchMetric(), TestTimer()
    trainer = build_evaluation_trainer(
        build_settings(TrainerSettings, config), folder, [watch, build_progress(Told(0, "pages"))]
    )
    data = PageDataModule(
        None, {"test": build_whole_pages(config, truth, part)}, build_evaluation_loading(config), config.seed
    )
    with exit_on_signals(), report_lost_workers():
        trainer.test(ScoringModule(model, metric), data, verbose=False)
    scores = {name.removeprefix("test/"): float(score) for name, score in trainer.callback_metrics.items()}
    return metric.results, metric.found, scores, watch.seconds


def choose_part(config: DictConfig, truth: PageTruth) -> str:
    """Return the part that `data.subset` names, else the test part. Raises `UserError` where it holds no page."""
    subset = str(config.data.subset or "test")
    if subset == "all":
        return subset
    if not len(truth.rows[subset]):
        sizes = ", ".join(f"{len(found):,} {part}" for part, found in truth.rows.items())
        raise UserError(
            f"The {subset} part holds no page ({sizes}): give data.test, or choose another with data.subset=val or all."
        )
    return subset


def warn_about_overlap(truth: PageTruth, part: str, card: Mapping[str, Any], model: str = "this model") -> None:
    """Say so when the model was trained on pages that it is scored on."""
    known, rows = set(list_pages_seen(card)), range(len(truth.store)) if part == "all" else truth.rows[part]
    overlap = sum(truth.store.value(int(row), "image_hash") in known for row in rows)
    if overlap:
        log.warning(
            f"{plural(overlap, 'page')} of the {len(rows)} scored here were in {model}'s training data: its score "
            "on them says nothing about new pages."
        )
