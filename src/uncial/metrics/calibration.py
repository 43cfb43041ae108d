"""Whether a model that is 90 % sure is right in 90 of 100 cases, and the temperature that makes it so."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import expit, logit

from uncial.document import Transcription
from uncial.metrics.error_rates import align_texts
from uncial.metrics.lines import EvaluatedLine

BINS = 15
NEVER_SURE = 1e-6
"""Confidences are kept so far from 0 and 1, where no evidence could move them."""
SHARPEST, SOFTEST = 0.1, 10.0
"""Bounds of a fitted temperature; few errors could be explained by any."""


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Confidences from `low` to `high`: how many, their mean, and the share that was right."""

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class Reliability:
    """The reliability curve, without its empty bins, and the expected calibration error: the mean distance of
    confidence and accuracy over the bins, each weighted by its count (Guo et al., On Calibration of Modern Neural
    Networks, 2017; 15 bins of equal width).
    """

    bins: tuple[ReliabilityBin, ...]
    ece: float
    count: int
    confidence: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class Temperatures:
    """What confidences are softened (above 1) or sharpened (below 1) by: p becomes sigmoid(logit(p) / T)."""

    characters: float = 1.0
    lines: float = 1.0


@dataclass(frozen=True, slots=True)
class Calibration:
    """Reliability of the confidences of characters, right where they are those of the truth, and of lines, whose
    accuracy is the share of their characters that is right (1 - CER, 0 at least). None where no confidence is known.
    """

    characters: Reliability | None
    lines: Reliability | None


def measure_reliability(
    confidences: Sequence[float] | np.ndarray, right: Sequence[float] | np.ndarray
) -> Reliability | None:
    """Compare confidences (N,) with what came true (N,), fractions between 0 and 1. None where there are none."""
    sure, true = np.asarray(confidences, float), np.asarray(right, float)
    if not len(sure):
        return None
    place = np.clip((sure * BINS).astype(int), 0, BINS - 1)
    bins = []
    for number in np.unique(place).tolist():
        chosen = place == number
        bins.append(
            ReliabilityBin(
                number / BINS,
                (number + 1) / BINS,
                int(chosen.sum()),
                float(sure[chosen].mean()),
                float(true[chosen].mean()),
            )
        )
    ece = sum(one.count * abs(one.confidence - one.accuracy) for one in bins) / len(sure)
    return Reliability(tuple(bins), ece, len(sure), float(sure.mean()), float(true.mean()))


def measure_calibration(lines: Iterable[EvaluatedLine]) -> Calibration:
    """Compare the confidences of lines and of their characters with what they read."""
    known = list(lines)
    return Calibration(
        measure_reliability(*collect_character_outcomes(known)), measure_reliability(*collect_line_outcomes(known))
    )


def collect_character_outcomes(lines: Iterable[EvaluatedLine]) -> tuple[np.ndarray, np.ndarray]:
    """Return the confidence of every character that was read, (N,), and 1 where it is right, else 0, (N,)."""
    confidences: list[float] = []
    right: list[float] = []
    for line in lines:
        if line.character_confidences:
            confidences += line.character_confidences
            right += [float(truth == read) for truth, read in align_texts(line.truth, line.prediction) if read]
    return np.array(confidences), np.array(right)


def collect_line_outcomes(lines: Iterable[EvaluatedLine]) -> tuple[np.ndarray, np.ndarray]:
    """Return the confidence of every line that has one, (N,), and the share of its characters that is right, (N,)."""
    known = [line for line in lines if line.confidence is not None]
    return np.array([line.confidence for line in known], float), np.array([max(0.0, 1 - line.cer) for line in known])


def fit_temperature(confidences: np.ndarray, right: np.ndarray) -> float:
    """Return the temperature at which the confidences (N,) explain best what came true (N,): the least negative
    log-likelihood, which has a single minimum (Guo et al., 2017, for two classes). 1 where nothing can be learned from
    them: no confidences, or all right, or all wrong.
    """
    if not len(right) or right.min() == right.max():
        return 1.0
    scores = logit(np.clip(confidences, NEVER_SURE, 1 - NEVER_SURE))
    low, high = 1 / SOFTEST, 1 / SHARPEST
    # The slope of the loss in 1/T only grows, so its zero is found by halving.
    for _ in range(60):
        middle = (low + high) / 2
        if float((scores * (expit(middle * scores) - right)).sum()) > 0:
            high = middle
        else:
            low = middle
    return 2 / (low + high)


def fit_temperatures(lines: Iterable[EvaluatedLine]) -> Temperatures:
    """Fit one temperature for characters and one for lines. `lines` hold confidences as the model gives them."""
    known = list(lines)
    return Temperatures(
        fit_temperature(*collect_character_outcomes(known)), fit_temperature(*collect_line_outcomes(known))
    )


def read_temperatures(card: Mapping[str, Any]) -> Temperatures:
    """Return the temperatures that a model's file states under `calibration`; 1 where it states none."""
    stated = card.get("calibration") or {}
    return Temperatures(float(stated.get("characters", 1.0)), float(stated.get("lines", 1.0)))


def apply_temperature(confidence: float, temperature: float) -> float:
    """Return a confidence at a temperature; 0 and 1 are taken for almost that."""
    if temperature == 1:
        return confidence
    return float(expit(logit(min(max(confidence, NEVER_SURE), 1 - NEVER_SURE)) / temperature))


def apply_calibration(transcription: Transcription, temperatures: Temperatures) -> Transcription:
    """Return the transcription with its confidences at the temperatures."""
    return replace(
        transcription,
        confidence=apply_temperature(transcription.confidence, temperatures.lines),
        character_confidences=tuple(
            apply_temperature(confidence, temperatures.characters) for confidence in transcription.character_confidences
        ),
    )
