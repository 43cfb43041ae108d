"""How fast a training goes, and how long it will still take."""

import math


class Throughput:
    """Lines a second, smoothed: what happened `memory` seconds of work ago counts a third of what happens now."""

    def __init__(self, memory: float = 20.0) -> None:
        self.memory = memory
        self._lines = self._batches = self._seconds = 0.0

    def add(self, lines: int, seconds: float) -> None:
        """Add one batch of `lines` lines that took `seconds`."""
        kept = math.exp(-seconds / self.memory)
        self._lines = kept * self._lines + lines
        self._batches = kept * self._batches + 1
        self._seconds = kept * self._seconds + seconds

    @property
    def lines_per_second(self) -> float:
        """NaN before the first batch."""
        return self._lines / self._seconds if self._seconds else math.nan

    @property
    def seconds_per_batch(self) -> float:
        """NaN before the first batch."""
        return self._seconds / self._batches if self._batches else math.nan


def seconds_left(
    steps_left: float, seconds_per_step: float, validation_share: float, time_left: float = math.inf
) -> float:
    """Return the seconds until a training ends; infinite where nothing is known.

    `validation_share` is the time spent validating for each second spent on steps. A run that is bounded by time too
    ends with whatever comes first.
    """
    by_steps = steps_left * seconds_per_step * (1 + validation_share)
    return min(by_steps if math.isfinite(by_steps) else math.inf, time_left)
