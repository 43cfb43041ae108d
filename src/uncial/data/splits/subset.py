"""A part of the training lines, for learning curves and for trials with little data."""

import hashlib
from dataclasses import replace
from fractions import Fraction

import numpy as np

from uncial.data.ground_truth import GroundTruth
from uncial.errors import UserError


def subsample_lines(truth: GroundTruth, count: int, seed: int) -> GroundTruth:
    """Return the ground truth with `count` of its training lines, in the order of the store.

    A line's place in the draw is a hash of its page, its name and the seed: the draw is the same on every machine, and
    a smaller one is part of a larger one. Raises `UserError` where there are fewer lines.
    """
    rows = truth.rows["train"]
    if count > len(rows):
        raise UserError(f"data.lines={count}, but the train part holds {len(rows)} lines; data.lines=null takes all.")
    pages, lines = truth.store.column("page"), truth.store.column("line")
    places = {row: _place(seed, pages[row], lines[row]) for row in rows.tolist()}
    drawn = np.array(sorted(sorted(places, key=places.__getitem__)[:count]), dtype=rows.dtype)
    return replace(truth, rows={**truth.rows, "train": drawn})


def subsample_share(truth: GroundTruth, share: Fraction, seed: int) -> GroundTruth:
    """Return the ground truth with that share of its training lines, drawn as `subsample_lines` draws them, and at
    least one where there is any."""
    lines = len(truth.rows["train"])
    return subsample_lines(truth, min(lines, max(1, round(share * lines))), seed)


def validate_on_training_lines(truth: GroundTruth) -> GroundTruth:
    """Return the ground truth whose validation part is its training part, line for line."""
    unusable = {part: reason for part, reason in truth.unusable.items() if part != "val"}
    return replace(truth, rows={**truth.rows, "val": truth.rows["train"]}, unusable=unusable)


def _place(seed: int, page: str, line: str) -> bytes:
    return hashlib.sha256(f"{seed}\0{page}\0{line}".encode("utf-8", "surrogatepass")).digest()
