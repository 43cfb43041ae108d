"""What train and test share: the compiled lines as a recogniser sees them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from omegaconf import DictConfig

from uncial.data.ground_truth import GroundTruth
from uncial.data.lines.datamodule import Loading, Part
from uncial.data.lines.dataset import Augment, LineDataset
from uncial.data.store.compile import cores
from uncial.document import Problem
from uncial.models.recognizer import Recognizer
from uncial.reports.terminal.formatting import plural
from uncial.text.feasibility import min_frames
from uncial.text.rules import TextRules

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
) -> Part:
    """Rows of the store as batches are made of them, with the widths that the model pads them to. Those of
    `infeasible` count in no loss."""
    preprocessing = recognizer.preprocessing
    sizes = truth.store.sizes()[rows]
    widths = [preprocessing.padded_width(preprocessing.width_of(height, width)) for height, width in sizes.tolist()]
    dataset = LineDataset(
        truth.store, rows, preprocessing, recognizer.codec, recognizer.text, augment, seed, list(infeasible)
    )
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


def infeasible_problems(infeasible: Mapping[str, Sequence[Problem]]) -> list[Problem]:
    """The lines of each part that have more text than their image has room for, as skipped.csv says what becomes of
    them."""
    kept = [problem for part, problems in infeasible.items() if part != "train" for problem in problems]
    counted = [replace(problem, reason=f"{problem.reason}; {COUNTED}") for problem in kept]
    return [*infeasible.get("train", ()), *counted]


def infeasible_sentence(infeasible: Mapping[str, Sequence[Problem]]) -> str:
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
