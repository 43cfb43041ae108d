"""What models are made of, and what a training, a test and a reading ask of each of these parts.

All are protocols but for `Model`: a class of one's own need not inherit from them, it has to have what they name.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

import torch
from torch import Tensor, nn

from uncial.data.pages.maps import PageMaps
from uncial.data.pages.shapes import PageShapes
from uncial.document import Transcription
from uncial.models.layout.lines import FindSettings
from uncial.models.layout.pages import Layout


class Batch(Protocol):
    """What a training asks of a batch, whatever samples it holds.

    `indices` name the samples, one whole number each: their rows in the compiled data. `loss_weight` is what the mean
    loss is multiplied by, so that the mean over the processes that share a step is the mean over all its samples: 1.0
    in one process, 0.0 where the samples are others' and the batch only keeps a process in step. `infeasible` are the
    samples, by their place in the batch, that cannot have a loss.
    """

    indices: list[int]
    loss_weight: float
    infeasible: tuple[int, ...]

    def select(self, position: int) -> Self:
        """Return the batch of its sample at `position` only, of the same size as in the whole batch."""
        ...


def num_samples_of_step(batch: Batch, world_size: int) -> int:
    """Return how many samples all processes learn from in the step of this batch, which has to be one that counts."""
    return round(len(batch.indices) * world_size / batch.loss_weight)


class Model(nn.Module, ABC):
    """What a training optimises: any model of line images, pages or anything else. Messages call it `called`."""

    called: ClassVar[str] = "model of another kind"

    @abstractmethod
    def loss(self, batch: Any) -> dict[str, Tensor]:
        """Return the losses of a batch as scalars, each a mean over its samples: `loss` is the total, the others are
        its parts."""

    @abstractmethod
    def predict(self, batch: Any) -> list[Any]:
        """Return what the model says of each sample of a batch, in their order."""

    @torch.no_grad()
    def evaluate(self, batch: Any) -> tuple[dict[str, Tensor], list[Any]]:
        """Return what `loss` and `predict` do; a model may do both in one pass."""
        return self.loss(batch), self.predict(batch)

    def card(self) -> dict[str, Any]:
        """Return what the model's file says of it beside its config, in plain types: what only the data knew when it
        was built."""
        return {}

    @classmethod
    def known_from_card(cls, card: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments that complete the model's config, from what `card` has written into its file. Raises
        `UserError` where they cannot be read."""
        return {}

    def check_usable(self) -> None:
        """Raise `UserError` where the model cannot do its work, which no number of its config or its weights alone
        says: it was read from a file."""
        return


@runtime_checkable
class Backbone(Protocol):
    """From images to feature maps: a torch module, completed with `in_channels` and `height` of the images.

    `out_channels` are the features' channels D, `out_height` is their height h. `frames` states the stride along the
    line. What makes maps of pages from them needs a `StridedBackbone`.
    """

    out_channels: int
    out_height: int

    def __call__(self, images: Tensor, widths: Tensor) -> tuple[Tensor, Tensor]:
        """Map images (B, C, H, W) and widths (B,) in pixels to features (B, D, h, w) and their widths (B,)."""
        ...

    def frames(self, width: int) -> int:
        """Return the number of feature columns of an image of `width` pixels."""
        ...


@runtime_checkable
class StridedBackbone(Backbone, Protocol):
    """A backbone that states how many pixels of the image lie between two columns of its features."""

    width_stride: int


@runtime_checkable
class Head(Protocol):
    """From features to a sequence: a torch module, completed with `in_channels` and `in_height` of the features."""

    out_channels: int

    def __call__(self, features: Tensor, widths: Tensor) -> tuple[Tensor, Tensor]:
        """Map features (B, D, h, w) and widths (B,) to a sequence (B, T, out_channels) and lengths (B,)."""
        ...


class PlainPart:
    """A part of a model that has no weights and is no torch module, which a model's file may name."""


@runtime_checkable
class PageInput(Protocol):
    """From the pixels of pages to what a backbone sees: a torch module, completed with `in_channels` of the images.
    `channels` are those of what it gives."""

    channels: int

    def __call__(self, images: Tensor) -> Tensor:
        """Map images (B, C, H, W) uint8 to numbers (B, channels, H, W)."""
        ...


@runtime_checkable
class PageBackbone(Protocol):
    """From images of pages to features at several scales: a torch module, completed with `in_channels`. `channels` and
    `strides` are those of its features, the finest first."""

    channels: Sequence[int]
    strides: Sequence[int]

    def __call__(self, images: Tensor) -> Sequence[Tensor]:
        """Map images (B, C, H, W), H and W multiples of 32, to features (B, channels, H / stride, W / stride)."""
        ...


@runtime_checkable
class PretrainedPart(Protocol):
    """A part whose weights come with its library: a new model begins with them, one that is read from a file does
    not ask for them."""

    def load_weights(self) -> None:
        """Take the weights over, where the part's config asks for them. Raises `UserError` where there are none."""
        ...


@runtime_checkable
class Neck(Protocol):
    """From features at several scales to one: a torch module, completed with `in_channels` and `strides` of the
    features. `stride` is how many pixels of the image one of its features is wide."""

    out_channels: int
    stride: int

    def __call__(self, features: Sequence[Tensor]) -> Tensor:
        """Map features, the finest first, to (B, out_channels, H / stride, W / stride)."""
        ...


@runtime_checkable
class DetectionHead(Protocol):
    """From features to maps: a torch module, completed with `in_channels` of the features and the number of `maps`. One
    of its features becomes `scale` pixels of the maps."""

    scale: int

    def __call__(self, features: Tensor) -> Tensor:
        """Map features (B, D, h, w) to maps (B, maps, scale h, scale w)."""
        ...


@runtime_checkable
class PageTargets(Protocol):
    """Which maps a layout model learns, completed with the types of `regions` on the training pages: `regions` are
    those of them that it draws, `names` all its maps in their order. A `PlainPart`."""

    regions: tuple[str, ...]
    names: tuple[str, ...]

    def place(self, name: str) -> int:
        """Return at which place a map stands."""
        ...

    def draw(self, shapes: PageShapes, annotated: str = "page") -> PageMaps:
        """Draw the maps of a page, as `data.pages.maps.Drawer` says."""
        ...


@runtime_checkable
class MapLoss(Protocol):
    """What a layout model is penalised for: a torch module. `maps` are the names of those that it asks for."""

    maps: Sequence[str]

    def __call__(self, found: Tensor, wanted: Tensor, near_line: Tensor, plan: PageTargets) -> Mapping[str, Tensor]:
        """Compare maps (B, maps, h, w) as the head gives them with those of the truth, NaN where it does not say, and
        `near_line` (B, h, w) the bands of lines. Returns `loss`, the total, and its parts."""
        ...


@runtime_checkable
class MapReader(Protocol):
    """From maps to lines and regions, completed with the keys of `model.find`. `maps` are the names of those that it
    asks for, `finding` how it joins pieces to lines. A `PlainPart`."""

    maps: Sequence[str]
    finding: FindSettings

    def read(self, maps: Tensor, plan: PageTargets) -> Layout:
        """Return what the maps (maps, h, w) of a page say, as the head gives them, in their pixels."""
        ...

    def measure_interline(self, maps: Tensor, plan: PageTargets) -> float | None:
        """Return how far lines are apart on the maps of a page that is seen for the first time, in their pixels; None
        where they do not tell."""
        ...


@dataclass(frozen=True)
class Targets:
    """The texts of a batch as labels: `labels` (sum of lengths,) int64, one text after the other, `lengths` (B,)."""

    labels: Tensor
    lengths: Tensor

    def padded(self, fill: int = 0) -> Tensor:
        """Return the labels as (B, L), with `fill` behind the end of each text."""
        rows = torch.split(self.labels, self.lengths.tolist())
        return nn.utils.rnn.pad_sequence(list(rows), batch_first=True, padding_value=float(fill))


@runtime_checkable
class Decoder(Protocol):
    """From a sequence to text: a torch module, completed with `in_channels` of the sequence and the `codec` between
    labels and text. Its labels are 1 to `codec.size - 1`; 0 is nobody's and the decoder's to use.

    What a decoder can do beyond this is said by the protocols below. A task or option that needs one of them asks with
    `isinstance`, before data are read.
    """

    def loss(self, sequence: Tensor, lengths: Tensor, targets: Targets) -> Tensor:
        """Return the mean loss a line of a sequence (B, T, D) with lengths (B,)."""
        ...

    def decode(self, sequence: Tensor, lengths: Tensor) -> list[Transcription]:
        """Return the text of each line, in the order in which its characters stand from left to right. Positions, where
        there are any, are fractions of a line's length; the confidence is a probability, NaN where the model's outputs
        are NaN or Inf."""
        ...

    def min_frames(self, labels: Sequence[int]) -> int:
        """Return how long a sequence has to be at the least for these labels; 0 where any length will do."""
        ...


@runtime_checkable
class FrameDecoder(Protocol):
    """A decoder that gives each frame a distribution over the labels, from which it reads, and which tells how likely
    any text is."""

    def log_probabilities(self, sequence: Tensor) -> Tensor:
        """Map a sequence (B, T, D) to log-probabilities (B, T, classes) in fp32."""
        ...

    def decode_frames(self, log_probabilities: Tensor, lengths: Tensor) -> list[Transcription]:
        """Return the text of each line of log-probabilities (B, T, classes) with lengths (B,)."""
        ...

    def text_likelihoods(
        self, log_probabilities: Tensor, texts: Sequence[Sequence[int]], temperature: float = 1.0
    ) -> list[float]:
        """Return the natural logarithm of the probability of each text, as labels, given one line's log-probabilities
        (T, classes)."""
        ...

    def fitted_temperature(self, lines: Sequence[tuple[Tensor, Sequence[int]]]) -> float:
        """Return the temperature at which the texts of these lines, log-probabilities (T, classes) and labels, are most
        likely."""
        ...


@runtime_checkable
class BlankDecoder(Protocol):
    """A decoder with a blank, the answer "no character", which early training can get stuck on."""

    def lower_blank(self, amount: float) -> None:
        """Take `amount` from the blank's score, which leaves all other labels more likely."""
        ...
