"""Connectionist temporal classification: one label or a blank for each frame (Graves et al., 2006)."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from uncial.document import Transcription
from uncial.models.contracts import Targets
from uncial.text.codec import BLANK, Codec


class CTCDecoder(nn.Module):
    """A linear layer over the labels, the CTC loss, and greedy decoding."""

    def __init__(self, in_channels: int, codec: Codec, blank_bias: float = 0.0) -> None:
        """`blank_bias` is what the blank's score starts with; below 0 the first steps spend less time on the answer
        that is blank everywhere.
        """
        super().__init__()
        self.codec = codec
        self.output = nn.Linear(in_channels, codec.size)
        with torch.no_grad():
            self.output.bias.zero_()
            self.output.bias[BLANK] = blank_bias

    @torch.no_grad()
    def lower_blank(self, amount: float) -> None:
        """Take `amount` from the blank's score, which leaves all other labels more likely."""
        self.output.bias[BLANK] -= amount

    def log_probabilities(self, sequence: Tensor) -> Tensor:
        """Map a sequence (B, T, D) to log-probabilities (B, T, classes) in fp32."""
        return log_softmax(self.output(sequence))

    def loss(self, sequence: Tensor, lengths: Tensor, targets: Targets) -> Tensor:
        """Return the mean CTC loss a line, each divided by the number of its labels."""
        return compute_ctc_loss(self.log_probabilities(sequence), lengths, targets)

    def decode(self, sequence: Tensor, lengths: Tensor) -> list[Transcription]:
        """Return the text of each line of a sequence (B, T, D) with lengths (B,), as `decode_frames` does."""
        return self.decode_frames(self.log_probabilities(sequence), lengths)

    def min_frames(self, labels: Sequence[int]) -> int:
        """Return the fewest frames from which CTC can read `labels`: one for each, and a blank between equal
        neighbours."""
        return len(labels) + sum(left == right for left, right in pairwise(labels))

    def text_likelihoods(
        self, log_probabilities: Tensor, texts: Sequence[Sequence[int]], temperature: float = 1.0
    ) -> list[float]:
        """Return what the function of this name does."""
        return text_likelihoods(log_probabilities, texts, temperature)

    def fitted_temperature(self, lines: Sequence[tuple[Tensor, Sequence[int]]]) -> float:
        """Return what the function of this name does."""
        return fitted_temperature(lines)

    def decode_frames(self, log_probabilities: Tensor, lengths: Tensor) -> list[Transcription]:
        """Return the most probable path's text for each line of log-probabilities (B, T, classes) with lengths (B,).

        Positions are in frames, as fractions of each line's length. A character's confidence is the highest probability
        of its label among its frames, the mean of them where it has several labels; the line's is the probability of
        the whole path, as a geometric mean over its labels, so that uncertain blanks count too.
        """
        scores, labels = log_probabilities.float().max(dim=-1)
        return [
            read_path(line_labels[:length], line_scores[:length], self.codec)
            for line_labels, line_scores, length in zip(
                labels.cpu().numpy(), scores.cpu().numpy(), lengths.tolist(), strict=True
            )
        ]


def log_softmax(scores: Tensor) -> Tensor:
    """Return log-probabilities over the last dimension in fp32, whatever precision the scores come in."""
    with torch.autocast(scores.device.type, enabled=False):
        return functional.log_softmax(scores.float(), dim=-1)


OVERFLOW = -1e30
"""A log-probability below this, of which a few add up to Inf, is that of a training that has diverged."""


def compute_ctc_loss(log_probabilities: Tensor, lengths: Tensor, targets: Targets) -> Tensor:
    """Return the mean CTC loss of log-probabilities (B, T, classes) in fp32, lines that have no path counting as 0.

    It is NaN where a line's loss overflows, which would count as 0 too.
    """
    with torch.autocast(log_probabilities.device.type, enabled=False):
        losses = functional.ctc_loss(
            log_probabilities.transpose(0, 1),
            targets.labels,
            lengths,
            targets.lengths,
            blank=BLANK,
            reduction="none",
            zero_infinity=True,
        )
        with torch.no_grad():
            has_overflown = (losses == 0) & (log_probabilities.amin(dim=(1, 2)) < OVERFLOW)
        losses = losses.masked_fill(has_overflown, torch.nan)
        return (losses / targets.lengths.to(losses).clamp(min=1)).mean()


def read_path(labels: np.ndarray, scores: np.ndarray, codec: Codec) -> Transcription:
    """Return what a path of labels (T,) with log-probabilities (T,) says, as `CTCDecoder.decode_frames` describes
    it."""
    frames = len(labels)
    starts = np.flatnonzero(np.diff(labels, prepend=-1))
    ends = np.append(starts[1:], frames)
    inked = labels[starts] != BLANK
    starts, ends = starts[inked], ends[inked]
    characters, confidences, positions = [], [], []
    peaks = [float(np.exp(scores[start:end].max())) for start, end in zip(starts, ends, strict=True)]
    for piece in codec.pieces(labels[starts].tolist()):
        start, end = starts[piece.start], ends[piece.end - 1]
        confidence = sum(peaks[piece.start : piece.end]) / (piece.end - piece.start)
        share = (end - start) / max(1, len(piece.text))
        for index, character in enumerate(piece.text):
            characters.append(character)
            confidences.append(confidence)
            positions.append(((start + index * share) / frames, (start + (index + 1) * share) / frames))
    total = float(scores.sum(dtype=np.float64))
    confidence = float(np.exp(total / max(1, len(starts))))
    return Transcription("".join(characters), confidence, tuple(confidences), tuple(positions))


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
