"""What models find likely in lines that they were not trained on."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from uncial.data.ground_truth import GroundTruth
from uncial.data.lines.sampler import SampleIndex, make_evaluation_batches
from uncial.document import Transcription
from uncial.errors import UserError
from uncial.metrics.label_errors import (
    Place,
    compute_log_odds,
    compute_other_line_cost,
    compute_typo_cost,
    find_places,
    list_alternatives,
)
from uncial.models.contracts import FrameDecoder
from uncial.models.files import load_model
from uncial.models.lineage import list_pages_seen
from uncial.models.precision import enter_inference_autocast
from uncial.models.recognizer import Recognizer
from uncial.pipelines.recognition import NOT_FINITE, is_finite
from uncial.problems.recognition.setup import build_part
from uncial.runs.files import RunFolder
from uncial.training.trainer import silence_lightning

AT_ONCE = 64
"""Lines that are read at once, at most."""

SAMPLE = 150
"""Lines from which a model's temperature is fitted."""


@dataclass(frozen=True)
class FoldModel:
    """A model that tells how likely a text is, the hashes of the page images that it was trained on, and the rows of
    the store that are of others: none before `find_unseen_rows`."""

    file: Path
    recognizer: Recognizer
    decoder: FrameDecoder
    trained_on: frozenset[str]
    rows: np.ndarray


@dataclass(frozen=True, slots=True)
class LineVerdict:
    """What a model that never saw a line says of its truth. Texts are in the model's form and in logical order;
    `log_odds` are those that the truth is wrong, the likelihoods natural logarithms. `places` are those of the truth
    without the characters that the model cannot write."""

    row: int
    truth: str
    reading: str
    confidence: float
    log_odds: float
    truth_likelihood: float
    reading_likelihood: float
    places: tuple[Place, ...]


def find_model_files(paths: Sequence[str]) -> list[Path]:
    """Return the models that these paths mean: files, run folders, and folders of runs, as a multirun leaves them.
    Raises `UserError` where there is none."""
    found: list[Path] = []
    for path in map(Path, paths):
        inside = (
            sorted(path.glob(f"*/{RunFolder.best_model}"))
            if path.is_dir() and not RunFolder(path).best_model.is_file()
            else []
        )
        if path.is_dir() and not inside and not RunFolder(path).best_model.is_file():
            raise UserError(f"checkpoint={path}: neither the folder nor those in it hold a {RunFolder.best_model}.")
        found += inside or [path]
    return list(dict.fromkeys(found))


def load_fold_models(files: Sequence[Path], trust: Sequence[str]) -> list[FoldModel]:
    """Return the models of these files. Raises `UserError` for a model that does not say what it was trained on, or
    that cannot tell how likely a text is."""
    silence_lightning()
    found = []
    for file in files:
        recognizer, card = load_model(file, trust)
        known = _read_trained_on(file, card)
        decoder = recognizer.frame_decoder(f"{file}: task=audit")
        found.append(FoldModel(file, recognizer, decoder, frozenset(known), np.zeros(0, dtype=np.int64)))
    return found


def find_unseen_rows(models: Sequence[FoldModel], truth: GroundTruth, rows: np.ndarray) -> list[FoldModel]:
    """Return the models with those of the lines that each may judge."""
    hashes = np.array([truth.store.value(int(row), "image_hash") or "" for row in rows], dtype=object)
    found = []
    for model in models:
        unseen = np.array([bool(name) and name not in model.trained_on for name in hashes], dtype=bool)
        found.append(replace(model, rows=rows[unseen]))
    return found


def _read_trained_on(file: Path, card: Mapping[str, Any]) -> set[str]:
    known = list_pages_seen(card)
    if not known:
        raise UserError(
            f"{file} does not say which pages it was trained on, so that it can be no judge; use runs of task=train."
        )
    return known


def judge_lines(
    judge: FoldModel,
    truth: GroundTruth,
    surprise: Mapping[str, float],
    prior: float,
    batch_width: int,
    seed: int,
    advance: Callable[[int], None],
) -> tuple[float, list[LineVerdict]]:
    """Return the model's temperature, and its judgement of every line of its rows, in their order."""
    sample = np.random.default_rng(seed).permutation(len(judge.rows))[:SAMPLE]
    temperature = judge.decoder.fitted_temperature(
        [(frames, labels) for _, frames, labels, _ in _read_lines(judge, truth, sample, batch_width)]
    )
    found = []
    for row, frames, _, transcription in _read_lines(judge, truth, np.arange(len(judge.rows)), batch_width):
        if not is_finite(transcription):
            raise UserError(f"{judge.file}: {NOT_FINITE}.")
        text = judge.recognizer.text.prepare(truth.store.value(row, "text"))
        found.append(_judge_line(judge, row, text, transcription, frames, temperature, surprise, prior))
        advance(1)
    return temperature, sorted(found, key=lambda one: one.row)


def _read_lines(
    judge: FoldModel, truth: GroundTruth, positions: np.ndarray, batch_width: int
) -> Iterator[tuple[int, Tensor, list[int], Transcription]]:
    """Row, log-probabilities (T, C), labels of the truth and what was read, of the judge's lines at these positions."""
    recognizer = judge.recognizer
    part = build_part(truth, judge.rows[positions], recognizer, None, 0)
    for batch_positions in make_evaluation_batches(part.widths, batch_width, AT_ONCE):
        batch = part.dataset.__getitems__([SampleIndex(position, 0) for position in batch_positions])
        with torch.inference_mode(), enter_inference_autocast("cpu"):
            frames, lengths = recognizer.log_probabilities(batch.images, batch.widths)
            read = judge.decoder.decode_frames(frames, lengths)
        ends = np.cumsum(batch.target_lengths.numpy())
        targets = np.split(batch.targets.numpy(), ends[:-1])
        for row, line, length, labels, transcription in zip(
            batch.indices, frames, lengths.tolist(), targets, read, strict=True
        ):
            yield (
                row,
                line[:length],
                labels.tolist(),
                recognizer.text.normalized(recognizer.text.to_logical(transcription)),
            )


def _judge_line(
    judge: FoldModel,
    row: int,
    text: str,
    transcription: Transcription,
    frames: Tensor,
    temperature: float,
    surprise: Mapping[str, float],
    prior: float,
) -> LineVerdict:
    rules, codec = judge.recognizer.text, judge.recognizer.codec
    read = rules.prepare(transcription.text)
    # That the model does not read what it cannot write says nothing.
    known = "".join(piece for piece, labels in codec.split(text) if labels is not None)
    found = find_places(known, read)
    others = list_alternatives(known, found)
    texts = [known, read, *(other for other, _ in others)]
    likelihoods = judge.decoder.text_likelihoods(
        frames, [codec.encode_known(rules.to_visual(one)) for one in texts], temperature
    )
    ratios = [likelihood - likelihoods[0] for likelihood in likelihoods[2:]]
    costs = [
        min(compute_typo_cost(known, changed, surprise), compute_other_line_cost(known, other, len(judge.rows)))
        for other, changed in others
    ]
    odds = compute_log_odds(prior, ratios, costs)
    return LineVerdict(row, text, read, transcription.confidence, odds, likelihoods[0], likelihoods[1], found)
