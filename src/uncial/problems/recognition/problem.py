"""Line recognition as a problem: from line images to their text."""

import logging
from dataclasses import replace

from omegaconf import DictConfig

from uncial.config.instantiate import read_group
from uncial.config.schema import list_trusted
from uncial.data.augmentation.chain import build_augmentation
from uncial.data.ground_truth import GroundTruth
from uncial.data.lines.datamodule import LineDataModule, build_training_sampler
from uncial.data.store.store import Store
from uncial.errors import UserError
from uncial.metrics.intervals import warn_about_few_lines
from uncial.models.files import load_model
from uncial.models.recognizer import Recognizer
from uncial.problems.build import build_evaluation_settings
from uncial.problems.ground_truth import compute_data_fingerprint, load_ground_truth, write_splits
from uncial.problems.pretrained import build_lineage, list_seen_before
from uncial.problems.problem import Problem, Setup, TrainingStats, count_batch_devices
from uncial.problems.reading import read_input
from uncial.problems.recognition.alphabet import build_text_rules, read_given_codec
from uncial.problems.recognition.best_model import RecognizerWriter, build_model_card
from uncial.problems.recognition.inference import warn_about_validation_overlap
from uncial.problems.recognition.metric import BETTER_ENDS, RecognitionMetric
from uncial.problems.recognition.pretrained import set_pretrained_model
from uncial.problems.recognition.scoring import score_recognizer
from uncial.problems.recognition.setup import (
    batch_sentence,
    build_loader_config,
    build_recognizer,
    build_training_parts,
    describe_lines,
    explain_infeasible,
    list_infeasible,
    make_recognizer,
    typical_line,
)
from uncial.problems.recognition.summary import build_trained_outcome, finish_training
from uncial.problems.recognition.watchdog import build_watchdog
from uncial.problems.splitting import choose_training_split
from uncial.problems.trainer import check_training
from uncial.runs.files import RunFolder
from uncial.runs.session import RunSession
from uncial.runs.tables import write_skipped
from uncial.text.codec import CharacterCodec
from uncial.training.checkpointing.loops import read_position
from uncial.training.distributed.process_group import is_rank_zero
from uncial.training.loggers.outcome import Outcome

log = logging.getLogger(__name__)

OF_METRIC = ("reset", "update", "aggregate", "compute", "profile", "results")
"""What a metric of line recognition has."""


class LineRecognition(Problem[GroundTruth]):
    """Learns to read the lines of `data`, scored by `metric`."""

    model_class = Recognizer

    def __init__(self, metric: RecognitionMetric) -> None:
        """Raise `UserError` for what is no metric of lines."""
        if lacking := [name for name in OF_METRIC if not hasattr(metric, name)]:
            raise UserError(
                f"problem.metric: {type(metric).__name__} is no metric of line recognition, for it lacks "
                f"{', '.join(lacking)}; derive it from uncial.problems.recognition.metric.RecognitionMetric."
            )
        self.metric = metric

    def complete(self, config: DictConfig) -> DictConfig:
        return set_pretrained_model(config)

    def check(self, config: DictConfig) -> None:
        build_evaluation_settings(config, self.metric.profile)
        if type(self.metric) is RecognitionMetric:
            check_monitor(str(config.model.monitor), str(config.model.mode))
        if config.model.codec is not None:
            read_given_codec(config.model.codec)
        rules = build_text_rules(config)
        recognizer = build_recognizer(config, CharacterCodec.from_texts(["ab"], rules.unit), rules)
        build_augmentation(read_group(config, "augmentation"), recognizer.preprocessing.channels)
        check_training(config, recognizer, self.metric)
        build_watchdog(config, recognizer, self.metric)

    def load(self, run: RunSession) -> GroundTruth:
        truth = load_ground_truth(run.config, choose_training_split(run))
        return replace(truth, pages=())  # which other processes would be sent for nothing

    def fingerprint(self, truth: GroundTruth) -> dict[str, str]:
        return compute_data_fingerprint(truth)

    def setup(self, run: RunSession, truth: GroundTruth) -> Setup:
        config, path = run.config, run.state.path if run.state else None
        recognizer = (
            make_recognizer(config, truth) if path is None else load_model(path, list_trusted(config))[0].train()
        )
        parts, infeasible = build_training_parts(config, truth, recognizer)
        before = list_seen_before(config, path)
        if is_rank_zero():
            write_splits(run.folder, truth)
            write_skipped(RunFolder(run.folder).skipped, [*truth.problems, *list_infeasible(infeasible)])
            batches = "" if path else batch_sentence(config, parts["train"].widths, count_batch_devices(run))
            for warning in (explain_infeasible(infeasible), warn_about_few_validation_lines(truth), batches):
                if warning:
                    log.warning(warning)
            if path is None:
                warn_about_validation_overlap(truth, before, config.pretrained)
        card = build_model_card(config, truth, parts, build_lineage(config, path), before)
        settings = build_evaluation_settings(config, self.metric.profile)
        loader = build_loader_config(config.trainer, count_batch_devices(run))
        return Setup(
            model=recognizer,
            datamodule=LineDataModule(parts, loader, config.seed, read_position),
            metric=self.metric,
            writer=RecognizerWriter(run.folder, recognizer, card, truth.store, self.metric, settings),
            num_samples=len(parts["train"].dataset),
            num_batches=len(build_training_sampler(parts["train"], loader, config.seed)),
            callbacks=build_watchdog(config, recognizer, self.metric),
            skipped=len(truth.problems) + len(infeasible["train"]),
            name_sample=lambda row: name_of_line(truth.store, row),
            headline=("cer", "wer"),
            facts=describe_lines(truth, parts, recognizer),
            test_samples=int(truth.store.transcribed()[truth.rows["test"]].sum()),
            make_example=lambda: typical_line(truth, parts["train"], recognizer),
        )

    def report(self, run: RunSession, truth: GroundTruth, setup: Setup, stats: TrainingStats) -> None:
        finish_training(run, truth, stats, setup.skipped, self.metric.profile)

    def outcome(self, run: RunSession, truth: GroundTruth) -> Outcome:
        return build_trained_outcome(run.config, run.folder, truth, self.metric.profile)

    def test(self, config: DictConfig) -> None:
        score_recognizer(config)

    def predict(self, config: DictConfig) -> None:
        read_input(config)


def check_monitor(monitor: str, mode: str) -> None:
    """Raise `UserError` for a score that no validation gives, and for the worse end of one that it gives."""
    if (end := BETTER_ENDS.get(monitor.removeprefix("val/"))) is None or not monitor.startswith("val/"):
        known = ", ".join(f"val/{name}" for name in BETTER_ENDS)
        raise UserError(f"model.monitor={monitor}: the validation gives {known}; choose one of them.")
    if mode in ("min", "max") and mode != end:
        size = "largest" if end == "max" else "least"
        raise UserError(f"model.monitor={monitor} is best where it is {size}: model.mode={end} says so, not {mode}.")


def warn_about_few_validation_lines(truth: GroundTruth) -> str:
    """Return a sentence where there are few lines to validate on."""
    rows = truth.rows["val"].tolist()
    pages = {truth.store.value(row, "group") or truth.store.value(row, "page") for row in rows}
    return warn_about_few_lines(len(rows), len(pages), "validation")


def name_of_line(store: Store, row: int) -> str:
    """Return the line of a row as messages name it."""
    return f"{store.value(row, 'page')} {store.value(row, 'line')}"
