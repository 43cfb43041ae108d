"""What CTC asks of a line before it can be learned."""

from collections.abc import Sequence
from itertools import pairwise


def min_frames(labels: Sequence[int]) -> int:
    """Return the fewest frames from which CTC can read `labels`: one for each, and a blank between equal neighbours.

    Graves et al., Connectionist Temporal Classification, 2006.
    """
    return len(labels) + sum(left == right for left, right in pairwise(labels))
