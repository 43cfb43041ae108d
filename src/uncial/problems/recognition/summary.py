"""How the training of a recogniser ends: with its scores, what to run next, and what dashboards are shown."""

import csv
import json
import shlex
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from omegaconf import DictConfig

from uncial.config.location import format_command
from uncial.config.overrides import format_override
from uncial.config.schema import format_trust
from uncial.data.ground_truth import GroundTruth
from uncial.data.store.store import Store
from uncial.metrics.characters import confusions
from uncial.metrics.evaluation import evaluate
from uncial.metrics.image_quality import score_by_measures
from uncial.metrics.profiles import form
from uncial.models.files import load_card
from uncial.problems.build import build_evaluation_settings
from uncial.problems.ground_truth import describe_data
from uncial.problems.problem import TrainingStats
from uncial.problems.recognition.evaluation import measure_images, score_part
from uncial.reports.html.report_page import ReportHeader, write_scores_page
from uncial.reports.plots.curves import draw_curves
from uncial.reports.tables.line_results import read_line_results
from uncial.reports.terminal.console import make_console, show
from uncial.reports.terminal.formatting import format_percent
from uncial.reports.terminal.summary import RunSummary, format_run_summary
from uncial.runs.files import RunFolder
from uncial.runs.folder import format_follow_up_command
from uncial.runs.session import RunSession
from uncial.runs.tables import write_metrics
from uncial.training.loggers.outcome import Outcome, ReadLine


def build_trained_outcome(config: DictConfig, folder: Path, truth: GroundTruth, profile: str) -> Outcome:
    """Return what a training came to, from the files that it left: its best model may be of an earlier session."""
    model = RunFolder(folder).best_model
    read = read_outcome(folder, "val", truth.store, truth.rows["val"].tolist(), profile)
    start = None if config.pretrained is None else Path(str(config.pretrained))
    return replace(
        read,
        model=model,
        data=load_card(model)["training"],
        pretrained=start.parent if start is not None and start.is_file() else start,
    )


def read_outcome(folder: Path, part: str, store: Store, rows: Iterable[int], profile: str) -> Outcome:
    """Return what metrics.json and predictions.csv of a run say of a part of the data, which `rows` of the store
    hold."""
    figures = json.loads((RunFolder(folder).metrics).read_text(encoding="utf-8"))[part]
    scores = {name: float(value) for name, value in figures.items() if isinstance(value, int | float)}
    places = {(store.value(int(row), "page"), store.value(int(row), "line")): int(row) for row in rows}
    lines = [_make_line(cells, store, places[cells["page"], cells["line"]]) for cells in _list_predictions(folder)]
    scored = form(profile)
    pairs = confusions([line.truth for line in lines], [scored(line.prediction) for line in lines])
    return Outcome(scores, lines, pairs)


def _list_predictions(folder: Path) -> list[dict[str, str]]:
    with (RunFolder(folder).predictions).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _make_line(cells: dict[str, str], store: Store, row: int) -> ReadLine:
    return ReadLine(
        page=cells["page"],
        line=cells["line"],
        image=store.strip(row),
        truth=cells["truth"],
        prediction=cells["prediction"],
        confidence=float(cells["confidence"]),
        edits=int(cells["edits"]),
    )


UNUSABLE_CER = 0.4
"""The CER above which a reading is no help to a person who transcribes."""


def write_report(run: RunSession, truth: GroundTruth, profile: str) -> None:
    """The report of the validation lines as the best model read them, perhaps in an earlier session of the run."""
    folder, config = run.folder, run.config
    if (RunFolder(folder).lines).is_file():
        lines = read_line_results(RunFolder(folder).lines)
        settings = build_evaluation_settings(config, profile)
        evaluation = evaluate(lines, settings)
        measures = measure_images(truth, (line.origin for line in evaluation.lines))
        by_image = score_by_measures(evaluation.lines, measures, settings)
        facts = {"part": "validation", "model": str(RunFolder(folder).best_model), "data": describe_data(config)}
        about = ReportHeader(f"Training of {config.name}", facts, curves=RunFolder(folder).curves)
        pictures = int(config.report.pictures)
        write_scores_page(RunFolder(folder).report, evaluation, about, truth.store.strip, pictures, by_image)


def format_low_accuracy_hint(cer: float) -> str:
    """Return what helps a model that misreads so many characters that nobody can use it yet; nothing for others."""
    if cer <= UNUSABLE_CER:
        return ""
    return (
        f"More than {format_percent(UNUSABLE_CER, 0)} of the characters are misread: the model is of no use yet. "
        "Train longer "
        "(trainer.time_budget=01:00:00), on more lines, or from a model of like writing (pretrained=MODEL "
        "resize=union); task=inspect shows whether the lines are cut well."
    )


def _is_to_be_tested(run: RunSession, truth: GroundTruth) -> bool:
    """Return whether there is a test part that the run does not test itself."""
    return len(truth.rows["test"]) > 0 and not run.config.trainer.get("test_after")


def finish_training(run: RunSession, truth: GroundTruth, stats: TrainingStats, skipped: int, profile: str) -> None:
    """Draws and writes what a training leaves, and says how good the best model is, where it lies and what to run
    next."""
    folder = run.folder
    draw_curves(RunFolder(folder).metrics_rows, RunFolder(folder).curves)
    write_report(run, truth, profile)
    best = RunFolder(folder).best_model
    model = " ".join([format_override("checkpoint", folder), *map(shlex.quote, format_trust(run.config))])
    scores = load_card(best)["scores"]
    score_it = format_follow_up_command(folder, run.typed, "task=test", model)
    # Last: a run with this file is finished.
    write_metrics(RunFolder(folder).metrics, {"val": scores, "train": stats.list_figures()})
    summary = RunSummary(
        parts={"validation": score_part(scores)},
        folder=folder,
        seconds=stats.seconds,
        lines_per_second=stats.lines_per_second,
        epochs=stats.epochs,
        steps=stats.steps,
        skipped=skipped,
        advice=format_low_accuracy_hint(scores["cer"]),
        files={"best model": best, "report": RunFolder(folder).report, "predictions": RunFolder(folder).predictions},
        next_steps={
            **({"score it on the test part": score_it} if _is_to_be_tested(run, truth) else {}),
            "read your own pages": format_command("task=predict", model, "predict.input=FOLDER"),
        },
    )
    show(make_console(), format_run_summary(summary))
