"""The learning rate over a run, as a factor of `optimizer.lr` for (step, steps of the whole run)."""

import math
from typing import Protocol


class Schedule(Protocol):
    """Depends on steps only. `total` is infinite until a time budget has fixed it, which it does in the warm-up."""

    def __call__(self, step: int, total: float) -> float: ...


def one_cycle(step: int, total: float, *, warmup_steps: int, final: float) -> float:
    """Linear warm-up over `warmup_steps`, then half a cosine down to the share `final` at the last step."""
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    progress = min(1.0, (step - warmup_steps) / max(1, total - warmup_steps))
    return final + (1 - final) * 0.5 * (1 + math.cos(math.pi * progress))


def constant(step: int, total: float, *, warmup_steps: int) -> float:
    """Linear warm-up over `warmup_steps`, then 1."""
    return min(1.0, (step + 1) / max(1, warmup_steps))
