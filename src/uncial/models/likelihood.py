"""How likely a CTC model finds given texts for a line, and the temperature that makes that honest."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from uncial.text.codec import BLANK

IMPOSSIBLE = -1e4
"""The log-likelihood of a text that has no alignment, because it needs more frames than there are."""

AT_ONCE = 64
"""Texts of one line that are looked at together."""

TEMPERATURES = tuple(float(value) for value in np.geomspace(1, 10, 24))
"""Those that are tried: networks are too sure of themselves, and lines chosen because they fit would say otherwise."""


def text_likelihoods(
    log_probabilities: Tensor, texts: Sequence[Sequence[int]], temperature: float = 1.0
) -> list[float]:
    """Return the natural logarithm of the probability of each text, as labels without blanks, given one line's
    log-probabilities (T, C): the sum over all alignments (Graves et al., 2006).

    `temperature` divides the log-probabilities of each frame first. `IMPOSSIBLE` where a text has no alignment.
    """
    frames = functional.log_softmax(log_probabilities.float().cpu() / temperature, dim=-1)
    found: list[float] = []
    for start in range(0, len(texts), AT_ONCE):
        some = texts[start : start + AT_ONCE]
        losses = functional.ctc_loss(
            frames[:, None].expand(-1, len(some), -1),
            torch.tensor([label for text in some for label in text], dtype=torch.int64),
            torch.full((len(some),), len(frames), dtype=torch.int64),
            torch.tensor([len(text) for text in some], dtype=torch.int64),
            blank=BLANK,
            reduction="none",
        )
        found += [max(-float(loss), IMPOSSIBLE) for loss in losses]
    return found


def fitted_temperature(lines: Sequence[tuple[Tensor, Sequence[int]]], trusted: float = 0.9) -> float:
    """Return the temperature at which the texts of lines that the model has not learned are most likely (temperature
    scaling, Guo et al., 2017). `lines` are log-probabilities (T, C) and labels.

    Only the share `trusted` of the lines counts, those that the model finds likeliest for each label, so that wrong
    texts do not make the model look more careless than it is. 1.0 where there is nothing to fit.
    """
    likely = [
        (text_likelihoods(frames, [labels])[0] / len(labels), frames, labels) for frames, labels in lines if labels
    ]
    likely.sort(key=lambda line: -line[0])
    kept = [line for line in likely[: max(1, round(trusted * len(likely)))] if line[0] > IMPOSSIBLE / len(line[2])]
    if not kept:
        return 1.0
    totals = [
        sum(text_likelihoods(frames, [labels], temperature)[0] for _, frames, labels in kept)
        for temperature in TEMPERATURES
    ]
    return TEMPERATURES[int(np.argmax(totals))]
