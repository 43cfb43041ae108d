"""Where a reading differs from the ground truth, character by character."""

from dataclasses import dataclass
from typing import Literal, cast

from rapidfuzz.distance import Levenshtein

Kind = Literal["equal", "insert", "delete", "replace"]


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of both texts. `truth` is empty for an insertion, `prediction` for a deletion."""

    kind: Kind
    truth: str
    prediction: str


def align(truth: str, prediction: str) -> tuple[Span, ...]:
    """Return the spans of a cheapest alignment by code points, in order.

    The spans' truths joined are `truth`, their predictions joined `prediction`; the number of differing characters is
    the number of edits that the scores count.
    """
    return tuple(
        Span(
            cast(Kind, operation.tag),
            truth[operation.src_start : operation.src_end],
            prediction[operation.dest_start : operation.dest_end],
        )
        for operation in Levenshtein.opcodes(truth, prediction)
    )
