"""What every metric does, whatever it scores: lines of text, layouts, reading orders."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class ProcessGroup(Protocol):
    """The processes that score together."""

    def all_gather(self, value: T, /) -> list[T]:
        """Return what each process has, in their order, in all of them."""
        ...

    def gather_to_rank_zero(self, values: list[T], /) -> list[T]:
        """Return the lists of all processes as one in the first; the others get their own back."""
        ...


@dataclass(frozen=True)
class MetricResult:
    """`values` are the scores by name, `details` what they are made of, one entry a sample.

    `examples` are a few samples as a person reads them, (truth, prediction); `num_invalid` counts the samples for which
    the model's outputs are NaN or Inf.
    """

    values: Mapping[str, float]
    details: Sequence[Any] = field(default=())
    examples: Sequence[tuple[str, str]] = ()
    num_invalid: int = 0


class Metric(Protocol):
    """Scores what a model predicts, batch by batch.

    The scores are the same however the samples are spread over batches and processes: what is added up should be whole
    numbers, whose sums are exact.
    """

    def reset(self) -> None:
        """Forget all batches."""
        ...

    def update(self, batch: Any, predictions: Sequence[Any], /) -> None:
        """Take in a batch with what the model predicts of its samples, in their order."""
        ...

    def aggregate(self, processes: ProcessGroup, /) -> None:
        """Add up what all processes have taken in. It is called once, by all of them, when all batches are scored; the
        details of all need only come to the first."""
        ...

    def compute(self) -> MetricResult:
        """Return the scores of what was taken in and aggregated: the same in every process."""
        ...
