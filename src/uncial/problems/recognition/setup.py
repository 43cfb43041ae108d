"""What a training of a recogniser begins with: the model, the lines that it learns from, and how long it is."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from omegaconf import DictConfig, OmegaConf

from uncial.config.instantiate import read_group
from uncial.config.typed import find_user_overrides, is_typed
from uncial.data.augmentation.chain import build_augmentation
from uncial.data.ground_truth import GroundTruth
from uncial.data.lines.datamodule import LoaderConfig, SplitSubset
from uncial.data.lines.dataset import Augment, LineDataset
from uncial.data.lines.sampler import SampleIndex, compute_batch_sizes
from uncial.data.splits.groups import PARTS
from uncial.document import Issue
from uncial.errors import UserError
from uncial.files import count_cores
from uncial.models.build import RUN_KEYS, build_model
from uncial.models.recognizer import Recognizer
from uncial.problems.problem import Example
from uncial.problems.recognition.alphabet import build_text_rules, choose_codec
from uncial.problems.recognition.pretrained import build_pretrained_recognizer
from uncial.reports.terminal.formatting import make_visible, plural
from uncial.text.codec import Codec
from uncial.text.rules import TextRules


def make_recognizer(config: DictConfig, truth: GroundTruth) -> Recognizer:
    """Return a recogniser of the characters of the training lines, or what `pretrained` and they make. Raises
    `UserError` where there is nothing to learn from."""
    for part, key in (("train", "data.train"), ("val", "data.val")):
        if part in truth.unusable or not len(truth.rows[part]):
            raise UserError(_explain_empty(part, key, list(config.data.ratio), truth))
    stated = build_text_rules(config)
    texts = {part: list_texts(truth, truth.rows[part], stated) for part in ("train", "val")}
    rules = build_text_rules(config, texts["train"])
    if rules.replacements != stated.replacements:
        texts = {part: list_texts(truth, truth.rows[part], rules) for part in texts}
    if config.pretrained is not None:
        return build_pretrained_recognizer(config, texts["train"], rules)
    return build_recognizer(config, choose_codec(config, texts, rules), rules)


def build_recognizer(config: DictConfig, codec: Codec, rules: TextRules) -> Recognizer:
    """Return a new recogniser of the characters of a codec. Raises `UserError` for a model that is none."""
    model = build_model(read_plain_model(config), codec=codec, text=rules)
    if not isinstance(model, Recognizer):
        raise UserError(f"model={config.model.name} is no line recogniser, and task=train trains those.")
    return model


def read_plain_model(config: DictConfig) -> dict[str, Any]:
    """Return what the config says of the model itself, as plain types."""
    parts = {str(key): config.model[key] for key in config.model if key not in RUN_KEYS}
    return {
        key: OmegaConf.to_container(part, resolve=True) if OmegaConf.is_config(part) else part
        for key, part in parts.items()
    }


def _explain_empty(part: str, key: str, ratio: list[float], truth: GroundTruth) -> str:
    if part in truth.unusable:
        return f"{truth.unusable[part].rstrip('.')}."
    if truth.problems and not len(truth.store):
        first = truth.problems[0]
        place = make_visible(f"{first.file} {first.line}".strip())
        return f"No line could be used, the first because of this: {place}: {make_visible(first.reason)}"
    return f"The {part} part holds no line: check data.root, the filters, data.ratio={ratio} and {key}."


def build_training_parts(
    config: DictConfig, truth: GroundTruth, recognizer: Recognizer
) -> tuple[dict[str, SplitSubset], dict[str, list[Issue]]]:
    """Return the lines to train on, augmented and without those that the decoder cannot learn, and those to validate
    on; and the lines of each part that have more text than their image has room for."""
    infeasible = {part: too_long(truth, truth.rows[part], recognizer) for part in PARTS}
    left = [row for row in truth.rows["train"].tolist() if row not in infeasible["train"]]
    rows = np.array(left, dtype=np.int64)
    if not len(rows):
        raise UserError(
            "Every training line has more text than its image has room for: check the lines with task=inspect."
        )
    augment = build_augmentation(read_group(config, "augmentation"), recognizer.preprocessing.channels)
    parts = {
        "train": build_part(truth, rows, recognizer, augment, config.seed),
        "val": build_part(truth, truth.rows["val"], recognizer, None, config.seed, infeasible["val"]),
    }
    return parts, {part: list(found.values()) for part, found in infeasible.items()}


def describe_lines(truth: GroundTruth, parts: Mapping[str, SplitSubset], recognizer: Recognizer) -> dict[str, Any]:
    """Return how many lines and pages each part has, and what is written on them: figures of metrics.json."""
    rows = {"train": parts["train"].dataset.rows, **{part: truth.rows[part] for part in ("val", "test")}}
    pages = {part: {truth.store.value(int(row), "page") for row in found} for part, found in rows.items()}
    alphabet = recognizer.codec.alphabet
    return {
        **{f"{part}_lines": len(found) for part, found in rows.items()},
        **{f"{part}_pages": len(found) for part, found in pages.items()},
        "alphabet_size": len(alphabet),
        "alphabet": "".join(alphabet),
    }


def typical_line(truth: GroundTruth, part: SplitSubset, recognizer: Recognizer) -> Example:
    """Return the training line of median width, twice: a single one is computed as two."""
    preprocessing = recognizer.preprocessing
    sizes = truth.store.sizes()[part.dataset.rows].tolist()
    widths = np.array([preprocessing.width_of(height, width) for height, width in sizes])
    middle = int(np.argsort(widths, kind="stable")[(len(widths) - 1) // 2])
    width, row = int(widths[middle]), part.dataset.rows[middle]
    twice = build_part(truth, np.array([row, row], dtype=np.int64), recognizer, None, 0).dataset
    batch = twice.__getitems__([SampleIndex(place, 0) for place in (0, 1)])
    return Example(batch, 2, "line", {"line_width": width}, f"a line of {width:,} pixels")


COUNTED = "counted in the error rates, but not in the loss"
"""What becomes of a line without a loss that is validated or tested on."""


def list_texts(truth: GroundTruth, rows: Iterable[int], rules: TextRules) -> list[str]:
    """Return the ground truth of these rows of the store in the form that is learned and scored, in logical order."""
    return [rules.prepare(truth.store.value(int(row), "text")) for row in rows]


def build_part(
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
    """Return the rows whose text needs more frames than their image has, so that the decoder cannot learn them, with
    the reason."""
    preprocessing = recognizer.preprocessing
    sizes = truth.store.sizes()
    found = {}
    for row, text in zip(rows.tolist(), list_texts(truth, rows, recognizer.text), strict=True):
        if reason := recognizer.why_too_short(preprocessing.width_of(*map(int, sizes[row])), text):
            reason += ": check the line's polygon and text, or raise model.preprocessing.height"
            found[row] = Issue(truth.store.value(row, "page"), truth.store.value(row, "line"), reason)
    return found


def list_infeasible(infeasible: Mapping[str, Sequence[Issue]]) -> list[Issue]:
    """Return the lines of each part that have more text than their image has room for, as skipped.csv says what becomes
    of them."""
    kept = [problem for part, problems in infeasible.items() if part != "train" for problem in problems]
    counted = [replace(problem, reason=f"{problem.reason}; {COUNTED}") for problem in kept]
    return [*infeasible.get("train", ()), *counted]


def explain_infeasible(infeasible: Mapping[str, Sequence[Issue]]) -> str:
    """Return how many lines have more text than their image has room for, and what becomes of them; nothing where there
    are none."""
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


ANY_WIDTH = 2**40
"""Pixels that no batch comes to."""


def batch_sentence(config: DictConfig, widths: np.ndarray, devices: int) -> str:
    """Return what of the size of a batch that was asked for cannot be, for training lines of these widths; nothing
    where it is as it was asked for."""
    trainer, asked = config.trainer, find_user_overrides("trainer").keys
    how = build_loader_config(trainer, devices)
    sizes = compute_batch_sizes(widths, how.batch_width, how.max_lines)
    if (size := trainer.get("batch_size")) is not None:
        if len(widths) < how.max_lines:
            step = f"{how.max_lines} lines of a step" if devices > 1 else "a batch"
            return (
                f"trainer.batch_size={size} cannot be reached: the train part has {len(widths)} lines for {step}, "
                "which are all in one."
            )
        vain = [f"trainer.{key}" for key in ("batch_width", "max_lines") if is_typed(f"trainer.{key}")]
        return f"{' and '.join(vain)} changes nothing beside trainer.batch_size={size}." if vain else ""
    if "trainer.max_lines" not in asked or max(sizes) >= min(how.max_lines, len(widths)):
        return ""
    return (
        f"trainer.max_lines={trainer.max_lines} is never reached: with trainer.batch_width={trainer.batch_width} "
        f"a batch has {max(sizes) // devices} lines at most, {len(widths) / len(sizes) / devices:.1f} on average; "
        f"trainer.batch_size={trainer.max_lines} makes batches of so many lines, however wide they are."
    )


def build_loader_config(trainer: DictConfig, devices: int = 1) -> LoaderConfig:
    """Return how batches are made, from the `trainer` group, for so many devices together in training."""
    size = trainer.get("batch_size")
    return LoaderConfig(
        batch_width=(ANY_WIDTH if size is not None else int(trainer.batch_width)) * devices,
        max_lines=int(trainer.max_lines if size is None else size) * devices,
        evaluation_batch_width=int(trainer.evaluation_batch_width),
        evaluation_max_lines=int(trainer.evaluation_max_lines),
        workers=_count_workers(trainer),
    )


def build_reading_loader_config(trainer: DictConfig) -> LoaderConfig:
    """Return how batches are made of lines that are only read."""
    width, lines = int(trainer.evaluation_batch_width), int(trainer.evaluation_max_lines)
    return LoaderConfig(width, lines, width, lines, _count_workers(trainer))


def _count_workers(trainer: DictConfig) -> int:
    return (2 if count_cores() >= 4 else 0) if trainer.workers is None else int(trainer.workers)
