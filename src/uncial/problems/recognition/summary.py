"""How the training of a recogniser ends: with its scores and what to run next."""

import shlex
from dataclasses import asdict

from uncial.config.location import format_command
from uncial.config.overrides import format_override
from uncial.config.schema import trust_as_typed
from uncial.data.config import data_text
from uncial.data.ground_truth import GroundTruth
from uncial.metrics.config import evaluation_settings
from uncial.metrics.evaluation import evaluate
from uncial.models.files import FILE_NAME, load_card
from uncial.problems.problem import TrainingStats
from uncial.problems.recognition.evaluation import part_scores
from uncial.reports.html.scores_page import REPORT, ReportHeader, write_scores_page
from uncial.reports.plots.curves import draw_curves
from uncial.reports.tables.line_results import LINES_FILE, read_line_results
from uncial.reports.terminal.console import make_console, show
from uncial.reports.terminal.formatting import percent
from uncial.reports.terminal.summary import RunSummary, run_summary
from uncial.runs.commands import format_follow_up_command
from uncial.runs.session import RunSession
from uncial.runs.tables import write_metrics

UNUSABLE_CER = 0.4
"""The CER above which a reading is no help to a person who transcribes."""


def write_report(run: RunSession, truth: GroundTruth, profile: str) -> None:
    """The report of the validation lines as the best model read them, perhaps in an earlier session of the run."""
    folder, config = run.folder, run.config
    if (folder / LINES_FILE).is_file():
        lines = read_line_results(folder / LINES_FILE)
        evaluation = evaluate(lines, evaluation_settings(config, profile))
        facts = {"part": "validation", "model": str(folder / FILE_NAME), "data": data_text(config)}
        about = ReportHeader(f"Training of {config.name}", facts, curves=folder / "curves.png")
        write_scores_page(folder / REPORT, evaluation, about, truth.store.strip, config.report.pictures)


def low_accuracy_hint(cer: float) -> str:
    """What helps a model that misreads so many characters that nobody can use it yet; nothing for others."""
    if cer <= UNUSABLE_CER:
        return ""
    return (
        f"More than {percent(UNUSABLE_CER, 0)} of the characters are misread: the model is of no use yet. Train longer "
        "(trainer.time_budget=01:00:00), on more lines, or from a model of like writing (pretrained=MODEL "
        "resize=union); task=inspect shows whether the lines are cut well."
    )


def finish_training(run: RunSession, truth: GroundTruth, stats: TrainingStats, skipped: int, profile: str) -> None:
    """Draws and writes what a training leaves, and says how good the best model is, where it lies and what to run
    next."""
    folder = run.folder
    draw_curves(folder / "metrics.csv", folder / "curves.png")
    write_report(run, truth, profile)
    best = folder / FILE_NAME
    model = " ".join([format_override("checkpoint", folder), *map(shlex.quote, trust_as_typed(run.config))])
    scores = load_card(best)["scores"]
    score_it = format_follow_up_command(folder, run.typed, "task=test", model)
    # Last: a run with this file is finished.
    write_metrics(folder / "metrics.json", {"val": scores, "train": asdict(stats)})
    summary = RunSummary(
        parts={"validation": part_scores(scores)},
        folder=folder,
        seconds=stats.seconds,
        lines_per_second=stats.lines_per_second,
        epochs=stats.epochs,
        steps=stats.steps,
        skipped=skipped,
        advice=low_accuracy_hint(scores["cer"]),
        files={"best model": best, "report": folder / REPORT, "predictions": folder / "predictions.csv"},
        next_steps={
            **({"score it on the test part": score_it} if len(truth.rows["test"]) else {}),
            "read your own pages": format_command("task=predict", model, "predict.input=FOLDER"),
        },
    )
    show(make_console(), run_summary(summary))
