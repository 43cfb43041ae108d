"""What train and test share: the compiled lines as a recogniser sees them."""

from collections.abc import Iterable

import numpy as np
from omegaconf import DictConfig

from uncial.data.compile import cores
from uncial.data.datamodule import Loading, Part
from uncial.data.dataset import Augment, LineDataset
from uncial.data.ground_truth import GroundTruth
from uncial.formats.types import Problem
from uncial.models.recognizer import Recognizer
from uncial.text.feasibility import min_frames
from uncial.text.rules import TextRules


def texts_of(truth: GroundTruth, rows: Iterable[int], rules: TextRules) -> list[str]:
    """The ground truth of these rows of the store in the form that is learned and scored, in logical order."""
    return [rules.prepare(truth.store.value(int(row), "text")) for row in rows]


def part_of(truth: GroundTruth, rows: np.ndarray, recognizer: Recognizer, augment: Augment | None, seed: int) -> Part:
    """Rows of the store as batches are made of them, with the widths that the model pads them to."""
    preprocessing = recognizer.preprocessing
    sizes = truth.store.sizes()[rows]
    widths = [preprocessing.padded_width(preprocessing.width_of(height, width)) for height, width in sizes.tolist()]
    dataset = LineDataset(truth.store, rows, preprocessing, recognizer.codec, recognizer.text, augment, seed)
    return Part(dataset, np.array(widths, dtype=np.int64))


def too_long(truth: GroundTruth, rows: np.ndarray, recognizer: Recognizer) -> dict[int, Problem]:
    """The rows whose text needs more frames than their image has, so that CTC cannot learn them, with the reason."""
    preprocessing, codec = recognizer.preprocessing, recognizer.codec
    sizes = truth.store.sizes()
    found = {}
    for row, text in zip(rows.tolist(), texts_of(truth, rows, recognizer.text), strict=True):
        needed = min_frames(codec.encode_known(recognizer.text.display(text)))
        frames = recognizer.frames(preprocessing.width_of(*map(int, sizes[row])))
        if needed > frames:
            reason = (
                f"the text needs {needed} frames and the image gives {frames}: check the line's polygon and text, "
                "or raise model.preprocessing.height"
            )
            found[row] = Problem(truth.store.value(row, "page"), truth.store.value(row, "line"), reason)
    return found


def loading(trainer: DictConfig, devices: int = 1) -> Loading:
    """How batches are made, from the `trainer` group, for so many devices together in training."""
    return Loading(
        batch_width=int(trainer.batch_width) * devices,
        max_lines=int(trainer.max_lines) * devices,
        evaluation_batch_width=int(trainer.evaluation_batch_width),
        evaluation_max_lines=int(trainer.evaluation_max_lines),
        workers=_workers(trainer),
    )


def loading_to_read(trainer: DictConfig) -> Loading:
    """How batches are made of lines that are only read."""
    width, lines = int(trainer.evaluation_batch_width), int(trainer.evaluation_max_lines)
    return Loading(width, lines, width, lines, _workers(trainer))


def _workers(trainer: DictConfig) -> int:
    return (2 if cores() >= 4 else 0) if trainer.workers is None else int(trainer.workers)
