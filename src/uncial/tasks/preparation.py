"""What a training begins with: the recogniser, the lines that it learns from, and how long it is."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from omegaconf import DictConfig

from uncial.config.instantiate import made
from uncial.config.schema import trusted
from uncial.data.augmentation.chain import build_augmentation
from uncial.data.ground_truth import GroundTruth
from uncial.data.lines.datamodule import Loading, Part, training_sampler
from uncial.data.splits.split import PARTS
from uncial.document import Problem
from uncial.errors import UserError
from uncial.models.build import build_model
from uncial.models.files import load_model
from uncial.models.recognizer import Recognizer
from uncial.reports.terminal.formatting import visible
from uncial.runs.session import Session
from uncial.tasks.alphabet import codec_for, text_rules
from uncial.tasks.pretrained import lr_factors, pretrained_recognizer
from uncial.tasks.recognition import loading, part_of, texts_of, too_long
from uncial.text.codec import Codec
from uncial.text.rules import TextRules
from uncial.training.callbacks.build import wanted_length
from uncial.training.distributed.process_group import processes
from uncial.training.line_scores import LineScores
from uncial.training.module import TrainingModule
from uncial.training.schedulers.length import STEPS, RunLength


@dataclass(frozen=True)
class Prepared:
    """A training before its first step. `infeasible` are the lines of each part that have more text than their image
    has room for, `devices` those that its batches are made for."""

    recognizer: Recognizer
    metric: LineScores
    parts: Mapping[str, Part]
    infeasible: Mapping[str, Sequence[Problem]]
    devices: int
    loading: Loading
    length: RunLength
    module: TrainingModule


def prepared(this: Session, truth: GroundTruth) -> Prepared:
    """The training of a session: from new weights, from `pretrained`, or from the state of the run."""
    config, state = this.config, this.state
    seed_all(config.seed)
    metric = made(config, "model.metric")
    recognizer = new_recognizer(config, truth) if state is None else load_model(state.path, trusted(config))[0].train()
    parts, infeasible = training_parts(config, truth, recognizer)
    # A run that goes on with another number of devices keeps its batches, and so its steps and its place among them.
    devices = processes() if state is None else state.state.devices
    how = loading(config.trainer, devices)
    length = run_length(config, parts["train"], how, this.folder)
    module = training_module(config, recognizer, metric, length)
    return Prepared(recognizer, metric, parts, infeasible, devices, how, length, module)


def seed_all(seed: int) -> None:
    """Torch, and for models and callbacks of others that draw from them NumPy and Python."""
    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)
    random.seed(seed)


def new_recognizer(config: DictConfig, truth: GroundTruth) -> Recognizer:
    """A recogniser of the characters of the training lines, or what `pretrained` and they make. Raises `UserError`
    where there is nothing to learn from."""
    for part, key in (("train", "data.train"), ("val", "data.val")):
        if part in truth.unusable or not len(truth.rows[part]):
            raise UserError(_why_empty(part, key, list(config.data.ratio), truth))
    stated = text_rules(config)
    texts = {part: texts_of(truth, truth.rows[part], stated) for part in ("train", "val")}
    rules = text_rules(config, texts["train"])
    if rules.replacements != stated.replacements:
        texts = {part: texts_of(truth, truth.rows[part], rules) for part in texts}
    if config.pretrained is not None:
        return pretrained_recognizer(config, texts["train"], rules)
    return built_recognizer(config, codec_for(config, texts, rules), rules)


def built_recognizer(config: DictConfig, codec: Codec, rules: TextRules) -> Recognizer:
    """A new recogniser of the characters of a codec. Raises `UserError` for a model that is none."""
    model = build_model(config.model, codec=codec, text=rules)
    if not isinstance(model, Recognizer):
        raise UserError(f"model={config.model.name} is no line recogniser, and task=train trains those.")
    return model


def _why_empty(part: str, key: str, ratio: list[float], truth: GroundTruth) -> str:
    if part in truth.unusable:
        return f"{truth.unusable[part].rstrip('.')}."
    if truth.problems and not len(truth.store):
        first = truth.problems[0]
        place = visible(f"{first.file} {first.line}".strip())
        return f"No line could be used, the first because of this: {place}: {visible(first.reason)}"
    return f"The {part} part holds no line: check data.root, the filters, data.ratio={ratio} and {key}."


def training_parts(
    config: DictConfig, truth: GroundTruth, recognizer: Recognizer
) -> tuple[dict[str, Part], dict[str, list[Problem]]]:
    """The lines to train on, augmented and without those that CTC cannot learn, and those to validate on; and the lines
    of each part that have more text than their image has room for."""
    infeasible = {part: too_long(truth, truth.rows[part], recognizer) for part in PARTS}
    left = [row for row in truth.rows["train"].tolist() if row not in infeasible["train"]]
    rows = np.array(left, dtype=np.int64)
    if not len(rows):
        raise UserError(
            "Every training line has more text than its image has room for: check the lines with task=inspect."
        )
    augment = build_augmentation(config.augmentation, recognizer.preprocessing.channels)
    parts = {
        "train": part_of(truth, rows, recognizer, augment, config.seed),
        "val": part_of(truth, truth.rows["val"], recognizer, None, config.seed, infeasible["val"]),
    }
    return parts, {part: list(found.values()) for part, found in infeasible.items()}


def run_length(config: DictConfig, part: Part, how: Loading, folder: Path) -> RunLength:
    """The number of steps, from the first of the `trainer` keys that is set. A time budget is measured over the warm-up
    where that has a number of steps of its own."""
    warmup = config.scheduler
    is_stated = warmup.get("warmup_samples") is None and warmup.get("warmup_fraction") is None
    return RunLength(
        wanted_length(config, len(part.dataset)),
        len(training_sampler(part, how, config.seed)),
        len(part.dataset),
        warmup.get("warmup_steps", 0) if is_stated else 0,
        folder / STEPS,
    )


def training_module(
    config: DictConfig, recognizer: Recognizer, metric: LineScores, length: RunLength
) -> TrainingModule:
    return TrainingModule(
        recognizer,
        metric,
        made(config, "optimizer"),
        made(config, "scheduler"),
        length,
        config.seed,
        lr_factors(config),
    )
