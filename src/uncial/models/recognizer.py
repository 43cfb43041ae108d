"""The recogniser: a backbone, a head and a decoder, joined by what only the data knows."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from uncial.data.lines.dataset import Batch
from uncial.document import Transcription
from uncial.errors import UserError
from uncial.models.contracts import Backbone, Decoder, FrameDecoder, Head, Model, Targets
from uncial.models.decoders.auxiliary_ctc import Shortcut
from uncial.models.preprocessing import BACKGROUND, Preprocessing
from uncial.models.stored import read_text_rules
from uncial.text.codec import Codec, build_codec_from_json
from uncial.text.rules import TextRules

MAX_SHORTCUT = 1e6
"""A weight beyond which the main loss is lost in rounding."""

TRIED_WIDTH = 128
"""Pixels of width of the line that a model from a file is tried with."""


class Recognizer(Model):
    """From line images to text.

    `backbone`, `head` and `decoder` are functions that complete the parts of the config: the backbone with
    `in_channels` and `height`, the head with `in_channels` and `in_height`, the decoder with `in_channels` and the
    `codec`. `shortcut` is the weight of the auxiliary loss, 0 for none. `text` are the rules by which the targets
    were made, which put what is read back into logical order; without them it stays as it stands from left to right.
    `span_masks`, completed with `channels`, hides parts of the features from the head while training.
    """

    called = "recogniser"

    backbone: Backbone
    head: Head
    decoder: Decoder

    def __init__(
        self,
        backbone: Callable[..., nn.Module],
        head: Callable[..., nn.Module],
        decoder: Callable[..., nn.Module],
        preprocessing: Preprocessing,
        codec: Codec,
        text: TextRules | None = None,
        shortcut: float = 0.0,
        span_masks: Callable[..., nn.Module] | None = None,
    ) -> None:
        super().__init__()
        if not isinstance(preprocessing, Preprocessing):
            raise UserError("model.preprocessing is no preprocessing: choose one with model/preprocessing=line.")
        if not isinstance(shortcut, int | float) or not 0 <= shortcut <= MAX_SHORTCUT:
            raise UserError(f"model.shortcut is {shortcut!r}; a weight from 0 to {MAX_SHORTCUT:g} is needed.")
        self.preprocessing = preprocessing
        self.codec = codec
        self.text = text or TextRules()
        self.shortcut_weight = shortcut
        features = _complete("backbone", backbone, in_channels=preprocessing.channels, height=preprocessing.height)
        if not isinstance(features, Backbone):
            raise _explain_misfit("backbone", features, "out_channels, out_height and frames(width)")
        self.backbone = features
        channels, height = features.out_channels, features.out_height
        sequence = _complete("head", head, in_channels=channels, in_height=height)
        if not isinstance(sequence, Head):
            raise _explain_misfit("head", sequence, "out_channels")
        self.head = sequence
        reading = _complete("decoder", decoder, in_channels=sequence.out_channels, codec=codec)
        if not isinstance(reading, Decoder):
            wanted = "loss(sequence, lengths, targets), decode(sequence, lengths) and min_frames(labels)"
            raise _explain_misfit("decoder", reading, wanted)
        self.decoder = reading
        self.shortcut = Shortcut(channels, height, codec.size) if shortcut else None
        self.span_masks = span_masks(channels=channels) if span_masks else None
        self.to(memory_format=torch.channels_last)

    def frames(self, width: int) -> int:
        """Return the number of frames that the decoder sees of a line whose image is `width` pixels wide."""
        return int(self.backbone.frames(self.preprocessing.padded_width(width)))

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Return the losses of a batch as scalars: `loss` is the total, the others are its parts."""
        if not self.training and len(batch.widths) == 1:
            batch = _duplicate_single(batch)
        features, widths = self._features(batch.images, batch.widths)
        seen = features if self.span_masks is None else self.span_masks(features, widths)
        sequence, lengths = self.head(seen, widths)
        return self._losses(features, widths, sequence, lengths, batch)

    def _losses(
        self, features: Tensor, widths: Tensor, sequence: Tensor, lengths: Tensor, batch: Batch
    ) -> dict[str, Tensor]:
        targets = Targets(batch.targets, batch.target_lengths)
        main = self.decoder.loss(sequence, lengths, targets)
        if self.shortcut is None:
            return {"loss": main}
        auxiliary = self.shortcut.loss(features, widths, targets)
        return {"loss": main + self.shortcut_weight * auxiliary, "loss_main": main, "loss_shortcut": auxiliary}

    @torch.no_grad()
    def predict(self, batch: Batch) -> list[Transcription]:
        """Return what the lines say, in logical order and in the form of the model's normalisation; a line's result
        depends neither on the others in the batch nor on its padding.
        """
        results: list[Transcription | None] = [None] * len(batch.widths)
        for rows, sequence, lengths in self._by_width(batch.images, batch.widths):
            found_lines = self.decoder.decode(sequence, lengths)[: len(rows)]
            for row, found in zip(rows, found_lines, strict=True):
                results[row] = self._transcription(found, int(batch.widths[row]))
        return [result for result in results if result is not None]

    @torch.no_grad()
    def evaluate(self, batch: Batch) -> tuple[dict[str, Tensor], list[Transcription]]:
        """Return what `loss` and `predict` do; in one pass where all lines have one padded width, as the batches of
        validation and test have.
        """
        padded = self._padded(batch.widths)
        if self.training or not bool((padded == padded[0]).all()):
            return self.loss(batch), self.predict(batch)
        count = len(padded)
        whole = _duplicate_single(batch) if count == 1 else batch
        features, widths = self._features(_to_width(whole.images, int(padded[0])), whole.widths)
        sequence, lengths = self.head(features, widths)
        losses = self._losses(features, widths, sequence, lengths, whole)
        found = self.decoder.decode(sequence, lengths)[:count]
        return losses, [self._transcription(line, int(width)) for line, width in zip(found, batch.widths, strict=True)]

    def _transcription(self, found: Transcription, width: int) -> Transcription:
        return self.text.normalized(self.text.to_logical(to_image_positions(found, width, self.preprocessing)))

    @torch.no_grad()
    def log_probabilities(self, images: Tensor, widths: Tensor) -> tuple[Tensor, Tensor]:
        """Return log-probabilities (B, T, C) in fp32 and lengths (B,) of images (B, C, H, W) uint8; frames beyond a
        length hold zeros. Raises `UserError` for a decoder that gives none.
        """
        decoder = self.frame_decoder("log-probabilities")
        parts = [
            (rows, decoder.log_probabilities(sequence)[: len(rows)].float(), lengths[: len(rows)])
            for rows, sequence, lengths in self._by_width(images, widths)
        ]
        frames = max(part.shape[1] for _, part, _ in parts)
        result = torch.zeros(len(widths), frames, parts[0][1].shape[2], device=images.device)
        lengths = torch.zeros(len(widths), dtype=torch.int64)
        for rows, part, part_lengths in parts:
            result[rows, : part.shape[1]] = part
            lengths[rows] = part_lengths.cpu()
        return result, lengths

    def frame_decoder(self, purpose: str) -> FrameDecoder:
        """Return the decoder, which tells how likely a text is. Raises `UserError`, for this `purpose`, where it does
        not."""
        if not isinstance(self.decoder, FrameDecoder):
            raise UserError(
                f"{purpose} needs a model whose decoder tells how likely a text is, as ctc does; this model's decoder "
                f"is a {type(self.decoder).__name__}."
            )
        return self.decoder

    def why_too_short(self, width: int, text: str) -> str:
        """Return why an image `width` pixels wide has no room for a prepared text; nothing where it has."""
        needed = self.decoder.min_frames(self.codec.encode_known(self.text.to_visual(text)))
        frames = self.frames(width) if needed else 0
        return f"the text needs {needed} frames and the image gives {frames}" if needed > frames else ""

    def card(self) -> dict[str, Any]:
        """Return the codec, the preprocessing and the rules for text, as the model's file states them."""
        return {
            "codec": self.codec.to_json(),
            "preprocessing": asdict(self.preprocessing),
            "text": self.text.to_json(),
        }

    @classmethod
    def known_from_card(cls, card: Mapping[str, Any]) -> dict[str, Any]:
        """Return the codec and the rules for text that a model's file states."""
        if not isinstance(card.get("codec"), dict):
            raise UserError("the file lacks the model's config or its codec; it may be damaged, use another copy.")
        return {"codec": build_codec_from_json(card["codec"]), "text": read_text_rules(card)}

    def check_usable(self) -> None:
        """Raise `UserError` where the model cannot read a line."""
        width = self.preprocessing.padded_width(TRIED_WIDTH)
        images = torch.full((1, self.preprocessing.channels, self.preprocessing.height, width), 255, dtype=torch.uint8)
        images[..., ::8] = 0
        nothing = torch.zeros(0, dtype=torch.int64)
        batch = Batch(images, torch.tensor([width]), nothing, torch.zeros(1, dtype=torch.int64), [None], [0])
        try:
            confidence = self.predict(batch)[0].confidence
        except Exception as error:  # whatever a part makes of settings that fit no other
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            raise UserError(f"the model cannot read a line ({reason}); use another copy of the file.") from error
        if not 0 <= confidence <= 1:
            raise UserError("the model's outputs are NaN or Inf, as after a training that diverged; use another model.")

    def _by_width(self, images: Tensor, widths: Tensor) -> list[tuple[list[int], Tensor, Tensor]]:
        """Run the model on the lines of each padded width: (rows, sequence, lengths) for each, the row of a single line
        twice."""
        padded = self._padded(widths)
        found = []
        for width in padded.unique().tolist():
            rows = (padded == width).nonzero().flatten().tolist()
            chosen = images if len(rows) == len(padded) else images[rows]
            if len(rows) == 1:  # as in _duplicate_single
                chosen = chosen.expand(2, -1, -1, -1)
            features, feature_widths = self._features(_to_width(chosen, width), widths[rows].expand(len(chosen)))
            sequence, lengths = self.head(features, feature_widths)
            found.append((rows, sequence, lengths))
        return found

    def _padded(self, widths: Tensor) -> Tensor:
        multiple = self.preprocessing.width_multiple
        return (widths + multiple - 1).clamp(min=multiple) // multiple * multiple

    def _features(self, images: Tensor, widths: Tensor) -> tuple[Tensor, Tensor]:
        # To the width that the lines are taken to have: else the loss of the widest would depend on its neighbours.
        images = functional.pad(images, (0, -images.shape[3] % self.preprocessing.width_multiple), value=BACKGROUND)
        # Ink is 1 and paper 0, so that the zeros with which convolutions pad are paper.
        ink = images.to(torch.float32).neg().add(BACKGROUND).div(BACKGROUND)
        ink = ink * (torch.arange(images.shape[3], device=images.device) < widths[:, None])[:, None, None, :]
        features, feature_widths = self.backbone(
            ink.contiguous(memory_format=torch.channels_last), self._padded(widths)
        )
        return features, feature_widths.clamp(max=features.shape[3])


def _complete(name: str, part: Callable[..., nn.Module], **known: Any) -> nn.Module:
    """Return a part of the config with what stands before it. Raises `TypeError` that says what such a part is."""
    try:
        return part(**known)
    except TypeError as error:
        raise TypeError(
            f"{error}; a {name} is a torch module that is made with {' and '.join(known)}, and its config has "
            f"_partial_: true (docs/own)"
        ) from error


def _explain_misfit(name: str, part: object, wanted: str) -> UserError:
    """Return what is wrong with a part that lacks what models/contracts.py asks of it."""
    return UserError(f"model.{name}: {type(part).__name__} is no {name} of a recogniser; it needs {wanted}.")


def _to_width(images: Tensor, width: int) -> Tensor:
    missing = width - images.shape[3]
    return functional.pad(images, (0, missing), value=BACKGROUND) if missing > 0 else images[..., :width]


def _duplicate_single(batch: Batch) -> Batch:
    """Return the batch of one line as one of two: a single row is multiplied by other kernels, whose rounding
    differs."""
    return replace(
        batch,
        images=batch.images.expand(2, -1, -1, -1),
        widths=batch.widths.expand(2),
        targets=batch.targets.repeat(2),
        target_lengths=batch.target_lengths.expand(2),
    )


def to_image_positions(transcription: Transcription, width: int, preprocessing: Preprocessing) -> Transcription:
    """Return `transcription` with its positions, fractions of the padded width of a line `width` pixels wide, as
    fractions of the line image before any padding.
    """
    padded = preprocessing.padded_width(width)
    left, right = preprocessing.padding
    own = max(1, width - left - right)

    def place(fraction: float) -> float:
        return min(1.0, max(0.0, (fraction * padded - left) / own))

    positions = tuple((place(start), place(end)) for start, end in transcription.positions)
    return replace(transcription, positions=positions)
