"""Line recognition as a problem: from line images to their text."""

import logging
from dataclasses import replace

from omegaconf import DictConfig

from uncial.config.instantiate import plain_group
from uncial.config.schema import trusted
from uncial.data.augmentation.chain import build_augmentation
from uncial.data.ground_truth import GroundTruth
from uncial.data.lines.datamodule import LineDataModule, training_sampler
from uncial.data.store.store import Store
from uncial.errors import UserError
from uncial.metrics.intervals import few_lines_warning
from uncial.models.files import load_model
from uncial.models.recognizer import Recognizer
from uncial.problems.build import evaluation_settings
from uncial.problems.ground_truth import data_fingerprint, load_ground_truth, write_splits
from uncial.problems.problem import Problem, Setup, TrainingStats, num_batch_devices
from uncial.problems.recognition.alphabet import given_codec, text_rules
from uncial.problems.recognition.best_model import RecognizerWriter, model_card
from uncial.problems.recognition.inference import warn_about_validation_overlap
from uncial.problems.recognition.metric import BETTER_ENDS, RecognitionMetric
from uncial.problems.recognition.pretrained import lineage, seen_before, with_pretrained_model
from uncial.problems.recognition.scoring import score_recognizer
from uncial.problems.recognition.setup import (
    batch_sentence,
    built_recognizer,
    describe_lines,
    infeasible_problems,
    infeasible_sentence,
    loading,
    new_recognizer,
    training_parts,
    typical_line,
)
from uncial.problems.recognition.summary import finish_training, trained_outcome
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


class LineRecognition(Problem[GroundTruth]):
    """Learns to read the lines of `data`, scored by `metric`."""

    model_class = Recognizer

    def __init__(self, metric: RecognitionMetric) -> None:
        self.metric = metric

    def complete(self, config: DictConfig) -> DictConfig:
        return with_pretrained_model(config)

    def check(self, config: DictConfig) -> None:
        evaluation_settings(config, self.metric.profile)
        if type(self.metric) is RecognitionMetric:
            check_monitor(str(config.model.monitor), str(config.model.mode))
        if config.model.codec is not None:
            given_codec(config.model.codec)
        rules = text_rules(config)
        recognizer = built_recognizer(config, CharacterCodec.from_texts(["ab"], rules.unit), rules)
        build_augmentation(plain_group(config, "augmentation"), recognizer.preprocessing.channels)
        check_training(config, recognizer, self.metric)
        build_watchdog(config, recognizer, self.metric)

    def load(self, run: RunSession) -> GroundTruth:
        truth = load_ground_truth(run.config, choose_training_split(run))
        return replace(truth, pages=())  # which other processes would be sent for nothing

    def fingerprint(self, truth: GroundTruth) -> dict[str, str]:
        return data_fingerprint(truth)

    def setup(self, run: RunSession, truth: GroundTruth) -> Setup:
        config, path = run.config, run.state.path if run.state else None
        recognizer = new_recognizer(config, truth) if path is None else load_model(path, trusted(config))[0].train()
        parts, infeasible = training_parts(config, truth, recognizer)
        before = seen_before(config, path)
        if is_rank_zero():
            write_splits(run.folder, truth)
            write_skipped(RunFolder(run.folder).skipped, [*truth.problems, *infeasible_problems(infeasible)])
            batches = "" if path else batch_sentence(config, parts["train"].widths, num_batch_devices(run))
            for warning in (infeasible_sentence(infeasible), few_validation_lines(truth), batches):
                if warning:
                    log.warning(warning)
            if path is None:
                warn_about_validation_overlap(truth, before, config.pretrained)
        card = model_card(config, truth, parts, lineage(config, path), before)
        settings = evaluation_settings(config, self.metric.profile)
        loader = loading(config.trainer, num_batch_devices(run))
        return Setup(
            model=recognizer,
            datamodule=LineDataModule(parts, loader, config.seed, read_position),
            metric=self.metric,
            writer=RecognizerWriter(run.folder, recognizer, card, truth.store, self.metric, settings),
            num_samples=len(parts["train"].dataset),
            num_batches=len(training_sampler(parts["train"], loader, config.seed)),
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
        return trained_outcome(run.config, run.folder, truth, self.metric.profile)

    def test(self, config: DictConfig) -> None:
        score_recognizer(config)


def check_monitor(monitor: str, mode: str) -> None:
    """Raise `UserError` for a score that no validation gives, and for the worse end of one that it gives."""
    if (end := BETTER_ENDS.get(monitor.removeprefix("val/"))) is None or not monitor.startswith("val/"):
        known = ", ".join(f"val/{name}" for name in BETTER_ENDS)
        raise UserError(f"model.monitor={monitor}: the validation gives {known}; choose one of them.")
    if mode in ("min", "max") and mode != end:
        size = "largest" if end == "max" else "least"
        raise UserError(f"model.monitor={monitor} is best where it is {size}: model.mode={end} says so, not {mode}.")


def few_validation_lines(truth: GroundTruth) -> str:
    """Return a sentence where there are few lines to validate on."""
    rows = truth.rows["val"].tolist()
    pages = {truth.store.value(row, "group") or truth.store.value(row, "page") for row in rows}
    return few_lines_warning(len(rows), len(pages), "validation")


def name_of_line(store: Store, row: int) -> str:
    """Return the line of a row as messages name it."""
    return f"{store.value(row, 'page')} {store.value(row, 'line')}"
