"""Whether a score has become better: what early stopping and the plateau schedule wait for."""

import math
from dataclasses import dataclass

from uncial.errors import UserError


@dataclass(slots=True)
class BestScoreTracker:
    """The best score so far, and how many later ones were not better by more than `min_delta`.

    `mode` is min or max, the better end of the score. A score that is no number is no improvement. The best moves only
    when it is passed by more than `min_delta`, so that many small steps count as one.
    """

    mode: str
    min_delta: float = 0.0
    best: float | None = None
    waited: int = 0

    def __post_init__(self) -> None:
        if self.mode not in ("min", "max"):
            raise UserError(f"model.mode={self.mode}: choose min or max, the better end of the score.")

    def update(self, score: float) -> bool:
        """Count a score, and tell whether it is an improvement."""
        gain = math.inf if self.best is None else (self.best - score if self.mode == "min" else score - self.best)
        better = math.isfinite(score) and gain > self.min_delta
        self.best, self.waited = (score, 0) if better else (self.best, self.waited + 1)
        return better

    def state(self) -> dict[str, float | int | None]:
        """What is needed to go on counting, in plain types."""
        return {"best": self.best, "waited": self.waited}

    def restore(self, state: dict[str, float | int | None]) -> None:
        self.best, self.waited = state["best"], int(state["waited"] or 0)
