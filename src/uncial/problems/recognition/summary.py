"""How a training ends: with its scores and what to run next, or with where it stands and how it goes on."""

import logging
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from uncial.config.location import format_command
from uncial.config.overrides import format_override
from uncial.config.schema import format_trust
from uncial.data.ground_truth import GroundTruth
from uncial.errors import DivergedError, UserError
from uncial.metrics.evaluation import evaluate
from uncial.models.files import load_card
from uncial.problems.ground_truth import describe_data
from uncial.problems.recognition.evaluation import part_scores
from uncial.problems.scoring import evaluation_settings
from uncial.reports.html.report_page import ReportHeader, write_scores_page
from uncial.reports.plots.curves import draw_curves
from uncial.reports.tables.line_results import read_line_results
from uncial.reports.terminal.console import make_console, show
from uncial.reports.terminal.formatting import percent
from uncial.reports.terminal.summary import RunSummary, format_run_summary
from uncial.runs.commands import format_follow_up_command
from uncial.runs.files import RunFolder
from uncial.runs.session import RunSession
from uncial.runs.tables import write_metrics
from uncial.training.callbacks.best_model import BestModel
from uncial.training.callbacks.throughput import score_text
from uncial.training.checkpointing.callback import Checkpoints
from uncial.training.distributed.signals import StopRequest, exit_for_signal

log = logging.getLogger(__name__)

UNUSABLE_CER = 0.4
"""The CER above which a reading is no help to a person who transcribes."""


@contextmanager
def report_interruption(
    folder: Path, states: Checkpoints, best: BestModel, interruption: StopRequest
) -> Iterator[None]:
    """Around the training: where it stands when it is stopped or fails, and what to type; then the exit code of the
    signal, or the error."""
    try:
        yield
    except BaseException as error:
        if states.written is not None:
            model = RunFolder(folder).best_model
            found = ", ".join(score_text(name, best.scores[f"val/{name}"]) for name in ("cer", "wer") if best.scores)
            total = "" if states.written.total_steps is None else f" of {states.written.total_steps}"
            log.info(f"The state after step {states.written.steps}{total} is in {RunFolder(folder).last_checkpoint}.")
            if model.is_file() and (best.best is not None or not isinstance(error, DivergedError)):
                log.info(f"The best model is {model} ({found or 'not validated yet'}).")
        if isinstance(error, DivergedError):
            log.info(_after_divergence(folder, best))
            raise
        # A mistake in the config that is found before the first step is still in the config of a run that goes on.
        if states.written is not None or not isinstance(error, UserError):
            log.info(f"To resume: {format_command(format_override('resume', folder))}")
        if interruption.requested is None:
            raise
    else:
        return
    interruption.release()
    exit_for_signal(interruption.requested)


def _after_divergence(folder: Path, best: BestModel) -> str:
    """What to do with a run that has diverged: it would do so again if it went on."""
    if best.best is not None:
        start = format_override("pretrained", folder)
        return f"To train on from the best model: {format_command(start)} and the same data, with a lower optimizer.lr."
    return "No model was kept: none had been validated before."


@dataclass(frozen=True)
class TrainingStats:
    """What the training took: seconds with validations, the rate of the training alone, and how many lines it learned
    from."""

    seconds: float
    lines_per_second: float
    epochs: float
    steps: int
    lines: int


def write_report(this: RunSession, truth: GroundTruth) -> None:
    """The report of the validation lines as the best model read them, perhaps in an earlier session of the run."""
    folder, config = this.folder, this.config
    if RunFolder(folder).lines.is_file():
        lines = read_line_results(RunFolder(folder).lines)
        evaluation = evaluate(lines, evaluation_settings(config, str(config.model.metric.profile)))
        facts = {"part": "validation", "model": str(RunFolder(folder).best_model), "data": describe_data(config)}
        about = ReportHeader(f"Training of {config.name}", facts, curves=RunFolder(folder).curves)
        write_scores_page(RunFolder(folder).report, evaluation, about, truth.store.strip, config.report.pictures)


def low_accuracy_hint(cer: float) -> str:
    """What helps a model that misreads so many characters that nobody can use it yet; nothing for others."""
    if cer <= UNUSABLE_CER:
        return ""
    return (
        f"More than {percent(UNUSABLE_CER, 0)} of the characters are misread: the model is of no use yet. Train longer "
        "(trainer.time_budget=01:00:00), on more lines, or from a model of like writing (pretrained=MODEL "
        "resize=union); task=inspect shows whether the lines are cut well."
    )


def finish(this: RunSession, truth: GroundTruth, effort: TrainingStats, skipped: int) -> None:
    """Draws and writes what a training leaves, and says how good the best model is, where it lies and what to run
    next."""
    folder = this.folder
    draw_curves(RunFolder(folder).metrics_rows, RunFolder(folder).curves)
    write_report(this, truth)
    best = RunFolder(folder).best_model
    model = " ".join([format_override("checkpoint", folder), *map(shlex.quote, format_trust(this.config))])
    scores = load_card(best)["scores"]
    score_it = format_follow_up_command(folder, this.typed, "task=test", model)
    # Last: a run with this file is finished.
    write_metrics(RunFolder(folder).metrics, {"val": scores, "train": asdict(effort)})
    summary = RunSummary(
        parts={"validation": part_scores(scores)},
        folder=folder,
        seconds=effort.seconds,
        lines_per_second=effort.lines_per_second,
        epochs=effort.epochs,
        steps=effort.steps,
        skipped=skipped,
        advice=low_accuracy_hint(scores["cer"]),
        files={"best model": best, "report": RunFolder(folder).report, "predictions": RunFolder(folder).predictions},
        next_steps={
            **({"score it on the test part": score_it} if len(truth.rows["test"]) else {}),
            "read your own pages": format_command("task=predict", model, "predict.input=FOLDER"),
        },
    )
    show(make_console(), format_run_summary(summary))
