"""What a training of a recogniser begins with: the model, the lines that it learns from, and how long it is."""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from omegaconf import DictConfig

from uncial.config.instantiate import instantiate_part, plain_group
from uncial.config.schema import trusted
from uncial.data.augmentation.chain import build_augmentation
from uncial.data.ground_truth import GroundTruth
from uncial.data.lines.datamodule import LoaderConfig, SplitSubset, training_sampler
from uncial.data.lines.dataset import Augment, LineDataset
from uncial.data.splits.groups import PARTS
from uncial.document import Issue
from uncial.errors import UserError
from uncial.files import count_cores
from uncial.models.build import build_model
from uncial.models.files import load_model
from uncial.models.recognizer import Recognizer
from uncial.problems.recognition.alphabet import codec_for, given_codec, text_rules
from uncial.problems.recognition.metric import RecognitionMetric
from uncial.problems.recognition.pretrained import freezing, lr_factors, pretrained_recognizer
from uncial.problems.recognition.watchdog import build_watchdog
from uncial.problems.trainer import check_callbacks, length_config
from uncial.reports.terminal.formatting import plural, visible
from uncial.runs.files import RunFolder
from uncial.runs.session import RunSession
from uncial.text.codec import CharacterCodec, Codec
from uncial.text.feasibility import min_frames
from uncial.text.rules import TextRules
from uncial.training.distributed.process_group import world_size
from uncial.training.module import TrainingModule
from uncial.training.schedulers.length import RunLength
from uncial.training.trainer import choose_precision


@dataclass(frozen=True)
class TrainingSetup:
    """A training before its first step. `infeasible` are the lines of each part that have more text than their image
    has room for, `devices` those that its batches are made for."""

    recognizer: Recognizer
    metric: RecognitionMetric
    parts: Mapping[str, SplitSubset]
    infeasible: Mapping[str, Sequence[Issue]]
    devices: int
    loading: LoaderConfig
    length: RunLength
    module: TrainingModule


def build_setup(this: RunSession, truth: GroundTruth) -> TrainingSetup:
    """The training of a session: from new weights, from `pretrained`, or from the state of the run."""
    config, state = this.config, this.state
    seed_all(config.seed)
    metric = instantiate_part(config, "model.metric")
    recognizer = new_recognizer(config, truth) if state is None else load_model(state.path, trusted(config))[0].train()
    parts, infeasible = training_parts(config, truth, recognizer)
    # A run that goes on with another number of devices keeps its batches, and so its steps and its place among them.
    devices = world_size() if state is None else state.state.devices
    how = loading(config.trainer, devices)
    length = run_length(config, parts["train"], how, this.folder)
    module = training_module(config, recognizer, metric, length)
    return TrainingSetup(recognizer, metric, parts, infeasible, devices, how, length, module)


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
) -> tuple[dict[str, SplitSubset], dict[str, list[Issue]]]:
    """The lines to train on, augmented and without those that CTC cannot learn, and those to validate on; and the lines
    of each part that have more text than their image has room for."""
    infeasible = {part: too_long(truth, truth.rows[part], recognizer) for part in PARTS}
    left = [row for row in truth.rows["train"].tolist() if row not in infeasible["train"]]
    rows = np.array(left, dtype=np.int64)
    if not len(rows):
        raise UserError(
            "Every training line has more text than its image has room for: check the lines with task=inspect."
        )
    augment = build_augmentation(plain_group(config, "augmentation"), recognizer.preprocessing.channels)
    parts = {
        "train": part_of(truth, rows, recognizer, augment, config.seed),
        "val": part_of(truth, truth.rows["val"], recognizer, None, config.seed, infeasible["val"]),
    }
    return parts, {part: list(found.values()) for part, found in infeasible.items()}


def run_length(config: DictConfig, part: SplitSubset, how: LoaderConfig, folder: Path) -> RunLength:
    """The number of steps, from the first of the `trainer` keys that is set. A time budget is measured over the warm-up
    where that has a number of steps of its own."""
    warmup = config.scheduler
    is_stated = warmup.get("warmup_samples") is None and warmup.get("warmup_fraction") is None
    return RunLength(
        length_config(config, len(part.dataset)),
        len(training_sampler(part, how, config.seed)),
        len(part.dataset),
        warmup.get("warmup_steps", 0) if is_stated else 0,
        RunFolder(folder).steps,
    )


def training_module(
    config: DictConfig, recognizer: Recognizer, metric: RecognitionMetric, length: RunLength
) -> TrainingModule:
    return TrainingModule(
        recognizer,
        metric,
        instantiate_part(config, "optimizer"),
        instantiate_part(config, "scheduler"),
        length,
        config.seed,
        lr_factors(config),
    )


COUNTED = "counted in the error rates, but not in the loss"
"""What becomes of a line without a loss that is validated or tested on."""


def texts_of(truth: GroundTruth, rows: Iterable[int], rules: TextRules) -> list[str]:
    """The ground truth of these rows of the store in the form that is learned and scored, in logical order."""
    return [rules.prepare(truth.store.value(int(row), "text")) for row in rows]


def part_of(
    truth: GroundTruth,
    rows: np.ndarray,
    recognizer: Recognizer,
    augment: Augment | None,
    seed: int,
    infeasible: Iterable[int] = (),
) -> SplitSubset:
    """Rows of the store as batches are made of them, with the widths that the model pads them to. Those of
    `infeasible` count in no loss."""
    preprocessing = recognizer.preprocessing
    sizes = truth.store.sizes()[rows]
    widths = [preprocessing.padded_width(preprocessing.width_of(height, width)) for height, width in sizes.tolist()]
    dataset = LineDataset(
        truth.store, rows, preprocessing, recognizer.codec, recognizer.text, augment, seed, list(infeasible)
    )
    return SplitSubset(dataset, np.array(widths, dtype=np.int64))


def too_long(truth: GroundTruth, rows: np.ndarray, recognizer: Recognizer) -> dict[int, Issue]:
    """The rows whose text needs more frames than their image has, so that CTC cannot learn them, with the reason."""
    preprocessing, codec = recognizer.preprocessing, recognizer.codec
    sizes = truth.store.sizes()
    found = {}
    for row, text in zip(rows.tolist(), texts_of(truth, rows, recognizer.text), strict=True):
        needed = min_frames(codec.encode_known(recognizer.text.to_visual(text)))
        frames = recognizer.frames(preprocessing.width_of(*map(int, sizes[row])))
        if needed > frames:
            reason = (
                f"the text needs {needed} frames and the image gives {frames}: check the line's polygon and text, "
                "or raise model.preprocessing.height"
            )
            found[row] = Issue(truth.store.value(row, "page"), truth.store.value(row, "line"), reason)
    return found


def infeasible_problems(infeasible: Mapping[str, Sequence[Issue]]) -> list[Issue]:
    """The lines of each part that have more text than their image has room for, as skipped.csv says what becomes of
    them."""
    kept = [problem for part, problems in infeasible.items() if part != "train" for problem in problems]
    counted = [replace(problem, reason=f"{problem.reason}; {COUNTED}") for problem in kept]
    return [*infeasible.get("train", ()), *counted]


def infeasible_sentence(infeasible: Mapping[str, Sequence[Issue]]) -> str:
    """How many lines have more text than their image has room for, and what becomes of them; nothing where there are
    none."""
    words = {"train": "training", "val": "validation"}
    found = {part: problems for part, problems in infeasible.items() if problems}
    if not found:
        return ""
    told = [
        f"{plural(len(problems), f'{words.get(part, part)} line')}, {'left out' if part == 'train' else COUNTED}"
        for part, problems in found.items()
    ]
    first = next(iter(found.values()))[0]
    return (
        f"More text than the image has frames for: {'; '.join(told)} (skipped.csv). The first: {first.file} "
        f"{first.line}: {first.reason}."
    )


def loading(trainer: DictConfig, devices: int = 1) -> LoaderConfig:
    """How batches are made, from the `trainer` group, for so many devices together in training."""
    return LoaderConfig(
        batch_width=int(trainer.batch_width) * devices,
        max_lines=int(trainer.max_lines) * devices,
        evaluation_batch_width=int(trainer.evaluation_batch_width),
        evaluation_max_lines=int(trainer.evaluation_max_lines),
        workers=_workers(trainer),
    )


def loading_to_read(trainer: DictConfig) -> LoaderConfig:
    """How batches are made of lines that are only read."""
    width, lines = int(trainer.evaluation_batch_width), int(trainer.evaluation_max_lines)
    return LoaderConfig(width, lines, width, lines, _workers(trainer))


def _workers(trainer: DictConfig) -> int:
    return (2 if count_cores() >= 4 else 0) if trainer.workers is None else int(trainer.workers)


LINES = 1000
"""As many as stand in for the lines of the ground truth, which compiling may take long to count."""


def preflight_check(config: DictConfig) -> None:
    """Raises the `UserError` that the training would raise after its ground truth has been read."""
    if config.trainer.precision != "auto":  # which would ask the GPU, before the processes that train on it are begun
        choose_precision(config.trainer.precision, config.trainer.accelerator)
    if config.model.codec is not None:
        given_codec(Path(str(config.model.codec)))
    rules = text_rules(config)
    recognizer = built_recognizer(config, CharacterCodec.from_texts(["ab"], rules.unit), rules)
    build_augmentation(plain_group(config, "augmentation"), recognizer.preprocessing.channels)
    length = RunLength(length_config(config, LINES), LINES, LINES, 0, Path(RunFolder.steps))
    module = training_module(config, recognizer, instantiate_part(config, "model.metric"), length)
    module.configure_optimizers()
    freezing(config, recognizer, length)
    build_watchdog(config, module)
    check_callbacks(config)
