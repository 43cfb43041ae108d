"""How long a run is in optimizer steps: what schedules and validations are counted in."""

import math
from dataclasses import dataclass

from uncial.errors import UserError

UNKNOWN = math.inf
UNITS = ("step", "epoch", "validation")


@dataclass(frozen=True, slots=True)
class StepPlan:
    """Counts of optimizer steps, those of all devices and accumulated batches together being one.

    `total` are those of the whole run, infinite until a time budget has fixed it; `epoch` those of one pass over the
    training lines; `validation` is the distance of two validations, not rounded, infinite where only the last step is
    followed by one. `lines` is the mean number of lines that a step learns from.
    """

    total: float
    epoch: int
    validation: float
    lines: float

    def validations_by(self, step: int) -> int:
        """Return how many validations are planned after the first `step` steps or fewer, the one after the last step
        left out."""
        if math.isinf(self.validation):
            return 0
        # Validations come after round(k · distance) steps, so the count is off by one at most.
        count = math.floor(step / self.validation) + 1
        while count and round(count * self.validation) > step:
            count -= 1
        return count

    def validates_after(self, step: int) -> bool:
        """Return whether a validation follows this step, counted from 1."""
        return step == self.total or self.validations_by(step) > self.validations_by(step - 1)

    def spared(self, step: int, total: int, share: float) -> int:
        """`total` steps, or those to the last planned validation after `step` where that lies less than `share` of the
        distance between two of them before."""
        count = self.validations_by(total)
        last = round(count * self.validation) if count else 0
        return last if last > step and total - last < share * self.validation else total

    def passed(self, unit: str, step: int) -> int:
        """Return how many whole steps, epochs or validations (`unit`) are over when `step` steps are done."""
        return {"step": step, "epoch": step // self.epoch, "validation": self.validations_by(step)}[unit]


def check_unit(unit: str) -> str:
    """Return the unit in which a schedule decays. Raises `UserError` where it is none."""
    if unit not in UNITS:
        raise UserError(f"scheduler.unit={unit}: choose one of {', '.join(UNITS)}.")
    return unit


@dataclass(frozen=True, slots=True)
class LengthConfig:
    """How long the user wants a run to be.

    `steps` or else `epochs`, which need not be whole, bound it, unless a time `budget` in seconds does; `validations`
    are those of a whole run, or `every_epochs` or `every_steps` states their distance.
    """

    steps: int | None = None
    epochs: float | None = None
    budget: float | None = None
    validations: int = 1
    every_epochs: float | None = None
    every_steps: int | None = None

    def plan(self, epoch: int, lines: int) -> StepPlan:
        """Return the plan of a run whose epoch has `epoch` optimizer steps on `lines` lines."""
        total = UNKNOWN if self.budget is not None else self.steps or math.ceil((self.epochs or 1) * epoch)
        return self.with_total(StepPlan(total, epoch, UNKNOWN, lines / epoch), total)

    def with_total(self, plan: StepPlan, total: float) -> StepPlan:
        """Return the same plan with another number of steps, and the validations that go with it."""
        distance = self.distance(plan.epoch) or total / self.validations
        return StepPlan(total, plan.epoch, max(1.0, distance), plan.lines)

    def distance(self, epoch: int) -> float | None:
        """Steps between validations where they are stated, else None."""
        if self.every_epochs is not None:
            return self.every_epochs * epoch
        return None if self.every_steps is None else float(self.every_steps)
