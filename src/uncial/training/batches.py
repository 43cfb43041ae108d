"""What a training asks of a batch, whatever it holds."""

from typing import Any


def loss_weight_of(batch: Any) -> float:
    """What a batch counts for, of any form: those of other models may know of no other processes."""
    return float(getattr(batch, "share", 1.0))


def infeasible_in(batch: Any) -> tuple[int, ...]:
    """The lines of a batch that add nothing to its loss; batches of other models may know of none."""
    found: tuple[int, ...] = getattr(batch, "infeasible", ())
    return found


def lines_of_step(batch: Any, processes: int) -> int:
    """How many lines all processes learn from in the step of this batch, which has to be one that counts."""
    return round(len(batch.indices) * processes / loss_weight_of(batch))
